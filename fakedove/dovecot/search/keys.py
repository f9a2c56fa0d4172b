"""The search keys that stand for themselves, each with how its parameters are read."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TypeAlias

from fakedove.dovecot import names
from fakedove.dovecot.masks import MAILBOX_WILDCARDS, has_wildcard
from fakedove.dovecot.message import SYSTEM_FLAGS
from fakedove.dovecot.release import Release
from fakedove.dovecot.reply import Fatal
from fakedove.dovecot.search import mimepart_words, quantities, tree
from fakedove.dovecot.search.sets import Ranges, parse_set
from fakedove.dovecot.search.tree import Node, Relation, Time
from fakedove.dovecot.search.word_reader import WordReader

_FLAGS = {flag.removeprefix("\\").upper(): flag for flag in SYSTEM_FLAGS}
_RECENT = "\\Recent"
#: Numbers that fit 32 and 64 bits.
_MOST_32, _MOST_64 = 2**32 - 1, 2**64 - 1
_DIGITS = re.compile(rb"[0-9]{1,30}")
#: What no IMAP atom has in it.
_NO_ATOM = re.compile(rb"[\x00-\x20(){%*\"\\\]\x7f-\xff]")


@dataclass(frozen=True, slots=True)
class Source:
    """What keys are read from: the words, and what their meaning depends on."""

    words: WordReader
    release: Release
    #: Seconds since 1970.
    now: int

    def knows(self, key: str) -> bool:
        """Whether the release has the key."""
        built_in = key in KEYS or key in ("FUZZY", "INTHREAD")
        return built_in and key not in self.release.lacks_search_keys


_Read: TypeAlias = Callable[[Source], Node]


def _flag(flag: str, negated: bool, source: Source) -> Node:
    return tree.Flags(frozenset({flag}), negated)


def _all(source: Source) -> Node:
    return tree.All()


def _new(source: Source) -> Node:
    return tree.Group((_flag(_RECENT, False, source), _flag("\\Seen", True, source)))


def _set(source: Source, what: bytes) -> Ranges:
    ranges = parse_set(source.words.parameter())
    if ranges is None:
        raise Fatal(b"Invalid %b messageset" % what)
    return ranges


def _uid(source: Source) -> Node:
    if source.words.skip(b"$"):
        return tree.Uids(())
    return tree.Uids(_set(source, b"UID"))


def _saved_result(source: Source) -> Node:
    return tree.Uids(())


def _real_uid(source: Source) -> Node:
    return tree.Uids(_set(source, b"X-REAL-UID"), real=True)


def _keyword(source: Source, *, negated: bool = False) -> Node:
    word = source.words.parameter()
    if source.release.search_checks_keywords and (not word or _NO_ATOM.search(word)):
        raise Fatal(b"Invalid characters in keyword")
    return tree.Keyword(word.decode(errors="surrogateescape"), negated)


def _when(relation: Relation, time: Time, source: Source) -> Node:
    text = source.words.parameter()
    strict = source.release.search_dates_strict
    moment = quantities.parse_moment(text, source.now, strict=strict)
    if moment is None:
        raise Fatal(b"Invalid search date parameter: %b" % text)
    return tree.When(relation, time, moment)


def _interval(relation: Relation, later: int, source: Source) -> Node:
    seconds = _number(source.words.parameter(), _MOST_32)
    if not seconds:
        raise Fatal(b"Invalid search interval parameter")
    moment = quantities.Moment(source.now - seconds + later, exact=True)
    return tree.When(relation, Time.RECEIVED, moment)


def _number(text: bytes, most: int) -> int | None:
    if _DIGITS.fullmatch(text) is None or int(text) > most:
        return None
    return int(text)


def _size(make: Callable[[int], Node], source: Source) -> Node:
    text = source.words.parameter()
    try:
        return make(quantities.parse_size(text))
    except ValueError as error:
        raise Fatal(str(error).encode() + text) from None


def _header(field: bytes, kind: tree.Reading, source: Source) -> Node:
    return tree.Header(field, source.words.text(), kind)


def _any_header(source: Source) -> Node:
    field = source.words.text()
    return tree.Header(field.lower().encode(), source.words.text(), by_name=True)


def _text(headers: bool, source: Source) -> Node:
    return tree.Text(source.words.text(), headers)


def _guid(source: Source) -> Node:
    return tree.Guid(source.words.parameter().decode("latin-1"))


def _mailbox_guid(source: Source) -> Node:
    return tree.MailboxGuid(source.words.parameter().decode("latin-1"))


def _mailbox(source: Source) -> Node:
    name = source.words.parameter()
    if has_wildcard(name, MAILBOX_WILDCARDS):
        return tree.InMailboxes(names.mailbox_name(name))
    return tree.InMailbox(names.mailbox_name(name))


def _mutf7_mailbox(source: Source) -> Node:
    name = names.from_mutf7(source.words.parameter())
    if name is None:
        raise Fatal(b"X-MAILBOX name not mUTF-7")
    return tree.InMailboxes(name)


def _modseq(source: Source) -> Node:
    word = source.words.parameter()
    if word.lower().startswith(b"/flags/"):
        _check_entry(word[7:].lower(), source)
        if source.words.parameter().lower() not in (b"all", b"priv", b"shared"):
            raise Fatal(b"Invalid MODSEQ type")
        word = source.words.parameter()
    modseq = _number(word, _MOST_64)
    if modseq is None:
        raise Fatal(b"Invalid MODSEQ value")
    return tree.Modseq(modseq)


def _check_entry(name: bytes, source: Source) -> None:
    """Raise Fatal if `name` is no flag; which flag it is makes no difference."""
    if name.startswith(b"\\"):
        if name[1:].decode("latin-1").upper() not in _FLAGS:
            raise Fatal(b"Invalid MODSEQ system flag")
    elif source.release.search_checks_keywords and (not name or _NO_ATOM.search(name)):
        raise Fatal(b"Invalid characters in MODSEQ keyword")


def _save_date(source: Source) -> Node:
    return tree.SaveDate()


def _mime_part(source: Source) -> Node:
    return tree.MimePart(
        mimepart_words.parse(source.words, strict=source.release.search_dates_strict)
    )


def _flag_keys() -> dict[str, _Read]:
    read: dict[str, _Read] = {}
    for name, flag in _FLAGS.items():
        read[name] = partial(_flag, flag, False)
        read[f"UN{name}"] = partial(_flag, flag, True)
    return read


def _time_keys() -> dict[str, _Read]:
    prefixes = {"": Time.RECEIVED, "SENT": Time.SENT, "SAVED": Time.SAVED, "X-SAVED": Time.SAVED}
    return {
        f"{prefix}{relation.name}": partial(_when, relation, time)
        for prefix, time in prefixes.items()
        for relation in Relation
    }


def _header_keys() -> dict[str, _Read]:
    addresses = {
        name: partial(_header, name.lower().encode(), tree.Reading.ADDRESSES)
        for name in ("BCC", "CC", "FROM", "TO")
    }
    return {**addresses, "SUBJECT": partial(_header, b"subject", tree.Reading.PACKED)}


KEYS: dict[str, _Read] = {
    "ALL": _all,
    "UID": _uid,
    "$": _saved_result,
    "RECENT": partial(_flag, _RECENT, False),
    "OLD": partial(_flag, _RECENT, True),
    "NEW": _new,
    "KEYWORD": _keyword,
    "UNKEYWORD": partial(_keyword, negated=True),
    "SAVEDATESUPPORTED": _save_date,
    "LARGER": partial(_size, tree.Larger),
    "SMALLER": partial(_size, tree.Smaller),
    "HEADER": _any_header,
    "BODY": partial(_text, False),
    "TEXT": partial(_text, True),
    # A message that is just as old counts as older.
    "OLDER": partial(_interval, Relation.BEFORE, 1),
    "YOUNGER": partial(_interval, Relation.SINCE, 0),
    "MODSEQ": _modseq,
    "MIMEPART": _mime_part,
    "GUID": _guid,
    "MAILBOX": _mailbox,
    "MAILBOX-GUID": _mailbox_guid,
    "OLDESTONLY": _all,
    "X-GUID": _guid,
    "X-MAILBOX": _mutf7_mailbox,
    "X-REAL-UID": _real_uid,
    **_flag_keys(),
    **_time_keys(),
    **_header_keys(),
}
