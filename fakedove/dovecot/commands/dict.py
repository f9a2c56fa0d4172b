"""`dict` and `mail dict`: keys and values of a dictionary.

Up to 2.3 a URI says which dictionary, later a settings filter.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from fakedove.dovecot import dictionary, texts
from fakedove.dovecot.dictionary import Refusal, obstacle
from fakedove.dovecot.registry import (
    Call,
    Columns,
    Function,
    Gap,
    Invocation,
    Kind,
    Parameter,
    command,
    flag,
    option,
    positional,
)
from fakedove.dovecot.release import Release
from fakedove.dovecot.reply import Fatal, Item, Log, Output, Scope
from fakedove.dovecot.status import Status

#: Nanoseconds; an earlier moment kills the process.
_FIRST_TIMESTAMP = 1_000_000_000
_INTEGER = re.compile(r"-?[0-9]{1,19}")

_WHERE = (
    positional("filter-name", required=False, when="filter_names"),
    positional("dict-uri", required=False, when="dict_uris"),
)
_GAPS = (
    Gap("drivers other than `file` and `proxy` reach the store's dictionary", when="dict_uris"),
    Gap("one dictionary stands behind the filter `acl_sharing_map`", when="filter_names"),
)
_KEY = positional("key", required=False)
_TIMESTAMP = option("timestamp", "t", Kind.UNSIGNED, when="filter_names")
_TIMESTAMP_USAGE = "[-t <timestamp-nsecs>]"
_EXPIRY_USAGE = "[-e <expire-secs>]"


def _dict_command(
    name: str,
    *parameters: Parameter,
    usage: str,
    missing: bytes,
    options: str = "",
    columns: Columns = (),
) -> Callable[[Function], Function]:
    """Register `name` and `mail NAME`; `missing` is what the first says without arguments."""
    last = parameters[-1].long

    def register(function: Function) -> Function:
        where = "<config-filter-name>"
        shown = " ".join(part for part in (options, where, usage) if part)
        command(
            name,
            option("user", "u"),
            *_WHERE,
            *parameters,
            columns=columns,
            usage=f"[-u <user>] {shown}",
            gaps=_GAPS,
            check=_check(name, options, usage, last),
        )(_unless_missing(function, last, missing))
        command(
            f"mail {name}",
            *_WHERE,
            *parameters,
            mail=True,
            columns=columns,
            usage=shown,
            gaps=_GAPS,
            check=_check_mail(f"mail {name} {shown}", last),
        )(function)
        return function

    return register


def _check(name: str, options: str, usage: str, last: str) -> Callable[[Invocation, Release], None]:
    known = options.replace(_TIMESTAMP_USAGE, "").replace(_EXPIRY_USAGE, "").strip()
    parts = (name, "[-u <user>]", known, "<dict uri>", usage)
    full_usage = " ".join(part for part in parts if part)

    def check(invocation: Invocation, release: Release) -> None:
        if release.dict_dies_without_arguments and last not in invocation.arguments:
            raise texts.misused(release, full_usage, Scope.COMMAND)

    return check


def _check_mail(usage: str, last: str) -> Callable[[Invocation, Release], None]:
    def check(invocation: Invocation, release: Release) -> None:
        if last not in invocation.arguments:
            raise texts.misused(release, usage)

    return check


def _unless_missing(function: Function, last: str, missing: bytes) -> Function:
    def checked(call: Call) -> Output:
        arguments = call.invocation.arguments
        if call.release.dict_opens_first:
            if "dict-uri" not in arguments:
                yield _said(call, b"dictionary URI must be specified")
                return Status.USAGE
        elif last not in arguments:
            yield _said(call, missing)
            return Status.USAGE
        return (yield from function(call))

    return checked


def _said(call: Call, text: bytes) -> Log:
    return Log(text, scope=Scope.MAIL if call.invocation.command.mail else Scope.COMMAND)


def _refused(call: Call, refusal: Refusal | None) -> Output:
    """Say why nothing is done; OK means that nothing speaks against it."""
    if refusal is None:
        return Status.OK
    if refusal.below is not None:
        yield _from_below(call, refusal.below)
    yield _said(call, refusal.text)
    return refusal.status


def _with_dictionary(call: Call, key: bytes, work: Output) -> Output:
    """Do `work` with the dictionary, unless it or the key is refused."""
    refusal = dictionary.refusal(call.invocation, call.release, key)
    if refusal is not None:
        return (yield from _refused(call, refusal))
    yield from _event(call, b"dict created (driver=file)")
    status = yield from work
    yield from _event(call, b"dict destroyed")
    return status


def _event(call: Call, text: bytes) -> Iterator[Log]:
    return call.event(b"dict(file): " + text)


def _opens_not(invocation: Invocation, release: Release, name: str) -> bool:
    """Whether the command ends before it says what columns it has."""
    key = invocation.text(name)
    if key is None:
        return True
    if release.filter_names:
        return False
    return dictionary.refusal(invocation, release, key) is not None


def _timestamped(call: Call) -> Iterator[Item]:
    """Die of a moment before the first second that can be."""
    moment = call.invocation.number("timestamp")
    if moment is None:
        return
    if moment < _FIRST_TIMESTAMP:
        yield from _panic(call)
    stamp = divmod(moment, _FIRST_TIMESTAMP)
    yield from _event(call, b"Setting timestamp on transaction to (%d, %d)" % stamp)


def _transaction(call: Call, told: bytes) -> Output:
    """Begin a transaction that is told to consist of this, and say what speaks against it."""
    yield from _event(call, b"Starting transaction")
    yield from _timestamped(call)
    yield from _event(call, told)
    found = obstacle(call)
    if found is not None:
        yield from _finished(call)
    return (yield from _refused(call, found))


def _finished(call: Call) -> Iterator[Log]:
    return _event(call, b"Dict transaction finished")


def _panic(call: Call) -> Iterator[Item]:
    scope = Scope.STORAGE if call.invocation.command.mail else Scope.LIBRARY
    yield texts.backtrace(scope)
    raise Fatal(b"killed with signal 6", scope, crash=True)


def _key(call: Call, name: str = "key") -> bytes:
    return call.invocation.text(name) or b""


def _changed(call: Call, key: bytes, value: str | None) -> Output:
    """Give a key a value, None to remove it, and say what speaks against that."""
    yield from _finished(call)
    if (refusal := (yield from _refused(call, dictionary.uncommitted(call)))) is not Status.OK:
        return refusal
    reason = dictionary.change(call, _text(key), value)
    if reason is None:
        return Status.OK
    path = (call.invocation.text("dict-uri") or b"").partition(b":")[2]
    yield _from_below(call, b"rename(%b.lock, %b) failed: %b" % (path, path, reason))
    why = b": file_dotlock_replace() failed: " + reason if call.release.dict_tells_why else b""
    yield _said(call, b"dict_transaction_commit() failed" + why)
    return Status.TEMPFAIL


def _from_below(call: Call, text: bytes) -> Log:
    """Return what a library says that does not know of the command."""
    return Log(text, scope=Scope.STORAGE if call.invocation.command.mail else Scope.LIBRARY)


def _get_columns(invocation: Invocation, release: Release) -> tuple[str, ...]:
    return () if _opens_not(invocation, release, "key") else ("value",)


@_dict_command(
    "dict get",
    _KEY,
    usage="<key>",
    missing=b"dict-get: Missing key",
    columns=_get_columns,
)
def dict_get(call: Call) -> Output:
    """Print the value of a key."""
    key = _key(call)
    return (yield from _with_dictionary(call, key, _get(call, key)))


def _get(call: Call, key: bytes) -> Output:
    yield from _event(call, b"Looking up '%b'" % key)
    why = dictionary.unreachable(call)
    if why is not None:
        yield _said(call, b"dict_lookup(%b) failed: %b" % (key, why))
        return Status.TEMPFAIL
    value = dictionary.entries(call).get(_text(key))
    found = b"not found" if value is None else b"found"
    yield from _event(call, b"Lookup finished for '%b': %b" % (key, found))
    if value is None:
        yield _said(call, b"%b doesn't exist" % key)
        return Status.NOTFOUND
    yield (_bytes(value),)
    return Status.OK


@_dict_command(
    "dict set",
    _TIMESTAMP,
    option("expire-secs", "e", Kind.UNSIGNED, when="filter_names"),
    _KEY,
    positional("value", required=False),
    usage="<key> <value>",
    missing=b"dict set: Missing parameters",
    options=f"{_TIMESTAMP_USAGE} {_EXPIRY_USAGE}",
)
def dict_set(call: Call) -> Output:
    """Give a key a value."""
    key = _key(call)
    return (yield from _with_dictionary(call, key, _set(call, key)))


def _set(call: Call, key: bytes) -> Output:
    value = call.invocation.text("value")
    told = b"Setting '%b' to '%b'" % (key, value or b"")
    if (refusal := (yield from _transaction(call, told))) is not Status.OK:
        return refusal
    if value is None:
        yield _said(call, b"dict set: Missing value")
        return Status.OK
    return (yield from _changed(call, key, _text(value)))


@_dict_command(
    "dict unset",
    _TIMESTAMP,
    _KEY,
    usage="<key>",
    missing=b"dict unset: Missing key",
    options=_TIMESTAMP_USAGE,
)
def dict_unset(call: Call) -> Output:
    """Remove a key, if it is there."""
    key = _key(call)
    return (yield from _with_dictionary(call, key, _unset(call, key)))


def _unset(call: Call, key: bytes) -> Output:
    told = b"Unsetting '%b'" % key
    if (refusal := (yield from _transaction(call, told))) is not Status.OK:
        return refusal
    return (yield from _changed(call, key, None))


@_dict_command(
    "dict inc",
    _TIMESTAMP,
    _KEY,
    positional("difference", Kind.NUMBER, required=False),
    usage="<key> <diff>",
    missing=b"dict-inc: Missing parameters",
    options=_TIMESTAMP_USAGE,
)
def dict_inc(call: Call) -> Output:
    """Add to the number that a key has."""
    key = _key(call)
    return (yield from _with_dictionary(call, key, _increment(call, key)))


def _increment(call: Call, key: bytes) -> Output:
    difference = call.invocation.number("difference")
    if difference is None:
        yield _said(call, b"Missing difference")
        return Status.USAGE
    told = b"Incrementing '%b' with %d" % (key, difference)
    if (refusal := (yield from _transaction(call, told))) is not Status.OK:
        return refusal
    if not difference:
        yield from _finished(call)
        return Status.OK
    reachable = dictionary.unreachable(call) is None
    value = dictionary.entries(call).get(_text(key)) if reachable else None
    if value is None and reachable:
        yield from _finished(call)
        yield _said(call, b"%b doesn't exist" % key)
        return Status.NOTFOUND
    if value is not None and not _INTEGER.fullmatch(value):
        yield from _panic(call)
    return (yield from _changed(call, key, str(int(value or 0) + difference)))


def _iter_columns(invocation: Invocation, release: Release) -> tuple[str, ...]:
    if _opens_not(invocation, release, "prefix"):
        return ()
    return ("key",) if invocation.flag("no-value") else ("key", "value")


@_dict_command(
    "dict iter",
    flag("exact", "1"),
    flag("recurse", "R"),
    flag("no-value", "V"),
    positional("prefix", required=False),
    usage="<prefix>",
    missing=b"dict-iter: Missing prefix",
    options="[-1RV]",
    columns=_iter_columns,
)
def dict_iter(call: Call) -> Output:
    """Print the keys that begin with a prefix, and their values."""
    prefix = _key(call, "prefix")
    return (yield from _with_dictionary(call, prefix, _iterate(call, prefix)))


def _iterate(call: Call, prefix: bytes) -> Output:
    yield from _event(call, b"Iterating prefix " + prefix)
    why = dictionary.unreachable(call)
    if why is not None:
        told = b": " + why
        if not call.release.dict_tells_why:
            yield _from_below(call, b"dict-client: Iteration failed" + told)
            told = b""
        yield _said(call, b"dict_iterate_deinit(%b) failed%b" % (prefix, told))
        return Status.TEMPFAIL
    width = 1 if call.invocation.flag("no-value") else 2
    rows = [
        (_bytes(key), _bytes(value))[:width]
        for key, value in dictionary.entries(call).items()
        if _listed(call.invocation, _bytes(key), prefix)
    ]
    yield from rows
    yield from _event(call, b"Iteration finished, got %d rows" % len(rows))
    return Status.OK


def _listed(invocation: Invocation, key: bytes, prefix: bytes) -> bool:
    if invocation.flag("exact"):
        return key == prefix
    recurse = invocation.flag("recurse")
    return key.startswith(prefix) and (recurse or b"/" not in key[len(prefix) :])


def _text(data: bytes) -> str:
    return data.decode(errors="surrogateescape")


def _bytes(text: str) -> bytes:
    return text.encode(errors="surrogateescape")
