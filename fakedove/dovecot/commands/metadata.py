"""`mailbox metadata get`, `set`, `unset` and `list`.

Keys are `/private/NAME` or `/shared/NAME`. Some exist always and cannot be changed. Those of
the server belong to the mailbox with the empty name, by `-s`: they are INBOX's below a
vendor's prefix.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator

from fakedove.dovecot import texts
from fakedove.dovecot.commands import long_names
from fakedove.dovecot.commands.mailbox_checks import Problem, name_problem, opening_problem
from fakedove.dovecot.mailbox import Mailbox
from fakedove.dovecot.mailbox_seed import SPECIAL_USE_KEY
from fakedove.dovecot.metadata_order import names_of
from fakedove.dovecot.names import canonical_name, utf8_or_crash
from fakedove.dovecot.registry import Call, Invocation, command, flag, positional
from fakedove.dovecot.release import Release
from fakedove.dovecot.reply import Fatal, Item, Log, Output
from fakedove.dovecot.status import Status

_SERVER = flag("allow-empty-mailbox-name", "s", when="metadata_of_server")
_SERVER_PREFIX = "vendor/vendor.dovecot/pvt/server/"
_TYPES = ("private", "shared")
#: What every mailbox has, and INBOX beside it, in listing order.
_ALWAYS = {"private": ("comment", "specialuse"), "shared": ("comment",)}
_ALWAYS_IN_INBOX = {
    "private": (),
    "shared": (f"{_SERVER_PREFIX}admin", f"{_SERVER_PREFIX}comment"),
}
#: The rights of which one is needed beside lookup, as in RFC 5464 section 3.3.
_RIGHTS = ("read", "write-seen", "write", "insert", "post")
_FIXED = frozenset({SPECIAL_USE_KEY})
#: How keys end that name nothing.
_EMPTY = ("/private/", "/shared/")
_FIXED_IN_INBOX = frozenset(f"/shared/{name}" for name in _ALWAYS_IN_INBOX["shared"])


def _check_key(invocation: Invocation, release: Release) -> None:
    for parameter in ("key", "key-prefix"):
        if parameter in invocation.arguments:
            _split(invocation.text(parameter) or b"")


def _split(argument: bytes) -> tuple[str, str]:
    """Return type and name of a key; raise Fatal if it has no type."""
    key = argument.lower().decode(errors="surrogateescape")
    for kind in _TYPES:
        if key == f"/{kind}" or key.startswith(f"/{kind}/"):
            return kind, key.removeprefix(f"/{kind}").removeprefix("/")
    told = b"Invalid metadata key '%b': Must begin with /private or /shared"
    raise Fatal(told % argument.lower())


@command(
    "mailbox metadata get",
    _SERVER,
    positional("mailbox"),
    positional("key"),
    mail=True,
    columns=("value",),
    usage="[-s] <mailbox> <key>",
    check=_check_key,
)
def metadata_get(call: Call) -> Output:
    """Print a value, which is empty where there is none."""
    late = call.release.metadata_opens_late
    if late and (_is_never_set(call) or _is_left(call)):
        yield (b"",)
        return Status.OK
    box = yield from _opened(call, "get", "Failed to get attribute" if late else None)
    if isinstance(box, Status):
        return box
    key = _key(call)
    if key == SPECIAL_USE_KEY:
        value = box.special_use
    elif key in _fixed(box):
        value = ""
    else:
        call.user.list_index.refresh()
        value = box.metadata.get(key, "")
    yield (value.encode(errors="surrogateescape"),)
    return Status.OK


def _is_never_set(call: Call) -> bool:
    """Whether the key is one that no mailbox is asked for, be it there or not."""
    if _names_nothing(call):
        return False
    if _key(call).endswith(_EMPTY) and call.release.metadata_skips_empty_keys:
        return True
    return _key(call) in _FIXED and call.user.find_mailbox(_name(call)) is None


def _is_left(call: Call) -> bool:
    """Whether only the index of the list still knows of the mailbox, which is enough here."""
    if _names_nothing(call) or call.user.existing_mailbox(_name(call)) is not None:
        return False
    call.user.acl_list.look_at(_name(call))
    call.user.list_index.refresh()
    return bool(call.user.list_index.guid_left(_name(call)))


@command(
    "mailbox metadata set",
    _SERVER,
    positional("mailbox"),
    positional("key"),
    positional("value"),
    mail=True,
    usage="[-s] <mailbox> <key> <value>",
    check=_check_key,
)
def metadata_set(call: Call) -> Output:
    """Store a value."""
    return (yield from _change(call, call.invocation.text("value")))


@command(
    "mailbox metadata unset",
    _SERVER,
    positional("mailbox"),
    positional("key"),
    mail=True,
    usage="[-s] <mailbox> <key>",
    check=_check_key,
)
def metadata_unset(call: Call) -> Output:
    """Remove a value."""
    return (yield from _change(call, None))


def _change(call: Call, value: bytes | None) -> Output:
    box = yield from _opened(call, "set")
    if isinstance(box, Status):
        return box
    key = _key(call)
    if key in _fixed(box):
        why = f"Failed to set attribute: The {key} attribute cannot be changed"
        yield Log(why.encode(errors="surrogateescape"))
        return Status.DATAERR
    if value is None:
        box.metadata.pop(key, None)
        box.note_attribute(unset=key)
    else:
        box.metadata[key] = value.decode(errors="surrogateescape")
        box.note_attribute(key)
    return Status.OK


@command(
    "mailbox metadata list",
    _SERVER,
    flag("prepend-prefix", "p", when="metadata_prefix"),
    positional("mailbox"),
    positional("key-prefix", required=False),
    mail=True,
    columns=("key",),
    usage="[-s] [-p] <mailbox> [<key prefix>]",
    check=_check_key,
)
def metadata_list(call: Call) -> Output:
    """Print the keys that there are: what follows their type and the prefix asked for."""
    kinds, prefix = _listed(call)
    why: Problem | None = None
    if _names_nothing(call) or not call.release.metadata_opens_late:
        opened = yield from _opened(call, "list")
        if isinstance(opened, Status):
            return opened
    else:
        why = None if _is_left(call) else _why_missing(call, late=True)
    box = call.user.find_mailbox(_name(call)) if why is None else None
    call.user.list_index.refresh()
    for kind in kinds:
        start = b"/%b/" % kind.encode() if call.invocation.flag("prepend-prefix") else b""
        for name in _names(box, kind, prefix):
            yield (start + name,)
        if why is not None:
            yield from long_names.told(call, _name(call), why)
            told = f"Mailbox {_name(call)}: Failed to iterate mailbox attributes: {why[1]}"
            yield Log(told.encode())
    return Status.OK if why is None else why[0]


def _listed(call: Call) -> tuple[tuple[str, ...], str]:
    """Return the types to list and the prefix of names."""
    kind, name = _split(call.invocation.text("key-prefix") or b"/private")
    if _is_server(call):
        return (kind,), _SERVER_PREFIX + name
    return (kind,) if name else _TYPES, name


def _names(box: Mailbox | None, kind: str, prefix: str) -> Iterator[bytes]:
    """Yield what follows `prefix` in the names of a type: those that are always there last."""
    inbox = box is not None and box.name == "INBOX"
    always = (*_ALWAYS[kind], *(_ALWAYS_IN_INBOX[kind] if inbox else ()))
    wanted = _encoded(prefix)
    stored = _stored(box, kind) if box is not None else []
    for name in stored:
        if name.startswith(wanted) and name.decode(errors="surrogateescape") not in always:
            yield name.removeprefix(wanted)
    whole = wanted.removesuffix(b"/")
    for name in map(_encoded, always):
        if name.startswith(wanted) and name in stored:
            yield name.removeprefix(wanted)
        elif not whole or (name + b"/").startswith(whole + b"/"):
            yield name.removeprefix(whole).removeprefix(b"/")


def _stored(box: Mailbox, kind: str) -> list[bytes]:
    """Return the names that have a value, as the dict file lists them."""
    return names_of((key for key in box.metadata if key not in _FIXED), kind, box.guid)


def _encoded(text: str) -> bytes:
    return text.encode(errors="surrogateescape")


def _opened(
    call: Call, verb: str, failed: str | None = None
) -> Generator[Item, None, Mailbox | Status]:
    """Return the mailbox, or the status that the command fails with after saying why."""
    if _names_nothing(call):
        yield Log(f"Failed to {verb} attribute: mailbox name cannot be empty".encode())
        return Status.USAGE
    why = _why_missing(call, late=failed is not None)
    if why is not None:
        yield from long_names.told(call, _name(call), why)
        yield Log(f"{failed or 'Failed to open mailbox'}: {why[1]}".encode())
        return why[0]
    return call.user.mailbox(_name(call))


def _why_missing(call: Call, *, late: bool) -> Problem | None:
    """Return why there is no such mailbox for the command; `late`: it asks for a reason."""
    name = _name(call)
    problem = name_problem(name)
    if problem is not None:
        return problem
    call.user.acl_list.look_at(name)
    box = call.user.find_mailbox(name)
    if box is None and not late:
        return long_names.not_opened(call, name)
    if box is None:
        call.user.list_index.refresh()
        return long_names.not_there(call, name, texts.internal_error(call.store.clock.now()))
    # The server's own are nobody's in particular.
    return None if _is_server(call) else opening_problem(call.user, box, *_RIGHTS)


def _name(call: Call) -> str:
    if _is_server(call):
        return "INBOX"
    return canonical_name(utf8_or_crash(call.invocation.text("mailbox") or b""))


def _names_nothing(call: Call) -> bool:
    return not call.invocation.text("mailbox") and not _is_server(call)


def _is_server(call: Call) -> bool:
    given = call.invocation.flag("allow-empty-mailbox-name")
    return given and not call.invocation.text("mailbox")


def _key(call: Call) -> str:
    kind, name = _split(call.invocation.text("key") or b"")
    return f"/{kind}/{_SERVER_PREFIX if _is_server(call) else ''}{name}"


def _fixed(box: Mailbox) -> frozenset[str]:
    return _FIXED | _FIXED_IN_INBOX if box.name == "INBOX" else _FIXED
