"""Templates for `user -e`: variables, functions, widths, modifiers, arguments, good and bad.

Left out is what differs from process to process or takes for ever, and before 2.4 a `{` whose
`}` is missing: the real server reads on behind the end of the text then.
"""

from __future__ import annotations

from hypothesis import strategies as st

from tests.real.compared.values import Text, one


def _joined(*parts: Text) -> Text:
    return st.tuples(*parts).map("".join)


_name = one(
    *("user", "username", "domain", "service", "home", "lip", "uid", "gid", "auth_user"),
    *("auth_domain", "remote_ip", "hostname", "userdb:uid", "userdb:no", "userdb:no:x", "userdb:"),
    *("env:NONE", "env:CLIENT_LIMIT", "env:IDLE_KILL", "passdb:x", "nope", "", "user:", "User"),
    "userdb",
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
_value = one(
    *("%u", "a", "", "1", "2", "%{user}", "x*", "t?s", "%{uid}", "-5", "%{nope}", "a b"),
    *("^t", "s$", "(", "*a", "t|ss", "["),
)
_operator = one(
    *("==", "<", "<=", ">", ">=", "!=", "eq", "lt", "ge", "ne", "*", "!*", "~", "~", "!~", "=", ""),
)
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

_percent: Text = st.lists(_piece, min_size=1, max_size=3).map("".join)

_braced_name = one(
    *("user", "user", "service", "home", "local_ip", "remote_ip", "protocol", "auth_user"),
    *("userdb:uid", "userdb:no", "userdb:no:d", "event:user", "event:nope"),
    *("env:", "env:NONE", "env:LOG_SERVICE", "dovecot:name", "dovecot:revision", "dovecot:x"),
    *("system:os", "system:x", "process:uid", "process:x", "nope"),
    *("generate:x", "date:x", "date:year", "time:x", "", "x:y", "username", "remote_port"),
)
_expression = st.lists(
    one(*"ts.*+?|()^$1,", "[[:alpha:]]", "[^t]", "[a-s]", "[", "{1,2}", "{", "{0}", "{,1}", "(t)"),
    max_size=5,
).map(lambda parts: f"'{''.join(parts)}'")
_digits = one("'00'", "'0a1b'", "'6161'", "'61006a'", "'3132'", "'c3bcff01'", "'x'", "'616'")
_argument = st.one_of(
    one("1", "2", "-1", "0", "3", "'a'", "'s'", "user", "home", "nope", "''", "'s$'", "'\\\\1x'"),
    one("'=='", "'eq'", "'<'", "'*'", "'t*'", "'~'", "'!~'", "'ne'", "'sha1'", "'md4'", "'size'"),
    _expression,
    _digits,
)
_keyed = one(
    *("rounds=2", 'salt="x"', "bits=8", "bits=12", "pad=0", "url=1", "rounds=0", "x=1"),
    *("key='secret'", "iv='000102030405060708090a0b0c0d0e0f'", "raw=1", "key=''", "rounds=user"),
    *("key='000102030405060708090a0b0c0d0e0f'", "algorithm='aes-128-cbc'", "hash='sha1'", "hash=1"),
)
_function = one(
    *("upper", "lower", "hash", "md5", "sha1", "sha256", "sha384", "sha512", "base64", "unbase64"),
    *("hex", "unhex", "hexlify", "unhexlify", "truncate", "substr", "reverse", "ldap_dn", "text"),
    *("regexp", "regexp", "if", "if", "default", "concat", "index", "username", "domain", "list"),
    *("literal", "lookup", "lfill", "rfill", "lenumber", "benumber", "safe", "nosuch", "calculate"),
    *("encrypt", "decrypt"),
)
_arguments = st.lists(st.one_of(_argument, _argument, _argument, _keyed), max_size=4)
_likely = st.one_of(
    st.builds("regexp({}, '<{}0>')".format, _expression, one("\\\\")),
    st.builds("if('~', {}, 'y', 'n')".format, _expression),
    st.builds("literal({}) | unhexlify".format, _digits),
    st.builds("encrypt(key='k', salt={}, rounds=3)".format, one("'x'", "user", "1")),
)
_call = st.one_of(
    _function,
    st.builds(lambda name, given: f"{name}({', '.join(given)})", _function, _arguments),
    st.builds(lambda name, given: f"{name}({', '.join(given)})", _function, _arguments),
    _likely,
)
_calculated = st.tuples(one(*"+-*/%"), one("1", "2", "0", "-3", "uid")).map(" ".join)
_pipeline = st.builds(
    lambda source, calls, end: " | ".join([source, *calls]) + end,
    st.one_of(_braced_name, _braced_name, _call),
    st.lists(_call, max_size=3),
    st.one_of(st.just(""), st.just(""), _calculated.map(" {}".format)),
)
_braced: Text = st.lists(
    st.one_of(
        _pipeline.map("%{{{}}}".format),
        _pipeline.map("%{{ {} }}".format),
        one("text", "ä", " ", '"', "%%", "%", "%u", "}"),
    ),
    min_size=1,
    max_size=2,
).map("".join)
#: These take for ever, or as long as a process is allowed to.
_ENDLESS = ("fill(2, '')", "fill(3, '')", "fill(1, '')")


def templates(*, braced: bool) -> Text:
    """Return whole templates, as releases have them before 2.4, or since: `braced`."""
    if not braced:
        return _percent
    return _braced.filter(lambda template: not any(one in template for one in _ENDLESS))
