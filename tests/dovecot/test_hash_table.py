"""The order of a hash table; keys and order of a real 2.4.1."""

from __future__ import annotations

from fakedove.dovecot.hash_table import bucket


def test_keys_are_walked_as_the_real_server_walks_them() -> None:
    folder = b"priv/06007473730000000000000000000000/"
    listed = b"comment/x alpha q r beta t w y gamma e".split()
    assert sorted(listed, key=lambda name: bucket(folder + name)) == listed
