"""Random commands to a real server and to fakedove, from the same store: do they answer alike?

questions    what is asked, as hypothesis strategies made from the declared commands
values       the values of options and arguments, good and bad
sides        the two servers, and what each says
canonical    what cannot be equal (times, process ids, random GUIDs) made equal
known        the differences that are known, from known.toml
"""
