"""Templates for `user -e` before 2.4: variables, functions, widths, modifiers, good and bad.

Left out is what differs from process to process, and a `{` whose `}` is missing: the real
server reads on behind the end of the text then.
"""

from __future__ import annotations

from hypothesis import strategies as st

from tests.real.compared.values import Text, one


def _joined(*parts: Text) -> Text:
    return st.tuples(*parts).map("".join)


_name = one(
    *("user", "username", "domain", "service", "home", "lip", "uid", "gid", "auth_user"),
    *("auth_domain", "remote_ip", "hostname", "userdb:uid", "userdb:no", "userdb:no:x", "userdb:"),
    *("env:NONE", "passdb:x", "nope", "", "user:", "User", "userdb"),
)
_numbers = one(
    *("", "", "", "1", "3", "10", "-1", "0", "05", "-05", "1.2", "2.0", "0.3", "-3.2", "1.-2"),
    *("1.03", "-2.03", ".", "2.", "-", "1000.1", "-100.2", ".-0"),
)
_modifiers = one("", "", "", *"ULMRTDEXHN", "UR", "LT", "MM", "HX", "NR")
_algorithm = one(
    *("md4", "md5", "sha1", "sha256", "sha384", "sha512", "sha3-256", "sha3-512", "size"),
    *("pkcs5", "MD5", "sha224"),
)
_options = one(
    *("", "", ";rounds=2", ";rounds=0", ";rounds=x", ";salt=ab", ";salt=%u", ";salt=%{user}"),
    *(";truncate=10", ";truncate=16", ";truncate=x", ";truncate=999", ";format=base64"),
    *(";format=hexuc", ";format=x", ";rounds=3,format=base64,salt=x", ";x", ";", ";salt=%{nope}"),
)
_hash = _joined(_algorithm, _options, one(":"), _name)
_value = one("%u", "a", "", "1", "2", "%{user}", "x*", "t?s", "%{uid}", "-5", "%{nope}", "a b")
_operator = one("==", "<", "<=", ">", ">=", "!=", "eq", "lt", "ge", "ne", "*", "!*", "~", "=", "")
_condition = st.one_of(
    st.tuples(_value, _operator, _value, _value, _value).map(lambda words: f"if;{';'.join(words)}"),
    st.lists(_value, max_size=6).map(lambda words: f"if;{';'.join(words)}"),
    one("if", "if:", "IF;a;eq;a;b;c"),
)
_long = st.one_of(_name, _name, _hash, _condition).map(lambda key: f"{{{key}}}")
_variable = st.one_of(one(*"undshlri%xz}"), _long, _long)
_piece = st.one_of(
    _joined(one("%"), _numbers, _modifiers, _variable),
    _joined(one("%"), _numbers, _modifiers, _variable),
    one("text", "ä", " ", '"', "\\", "%%", "%"),
)

#: A whole template.
templates: Text = st.lists(_piece, min_size=1, max_size=3).map("".join)
