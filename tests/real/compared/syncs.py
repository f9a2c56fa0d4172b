"""`sync` and `backup` as questions: between two users of the store, or with another place."""

from __future__ import annotations

import itertools

from hypothesis import strategies as st

from fakedove.dovecot.release import Release
from tests.real.compared import values
from tests.real.compared.values import Text, Words, mostly, one

_PLACES = mostly(
    one("mdbox:~/b1", "mdbox:~/b1", "mdbox:~/b2/", "MDBOX:~/b1"),
    one("nosuch:~/x", "mdbox:", ":x", ":", "mdbox:~/mdbox"),
    times=12,
)

#: Mail of the store's users, where others may have mail and mailboxes of the same names. Who of
#: both keeps a GUID or a UID depends on GUIDs, which are random, unless one has no say.
_HOMES = one(*(f"mdbox:{{{{dir}}}}/home/{name}/mdbox" for name in ("bob", "tss", "alice")))

#: States of tss's INBOX: as it begins, older, too new, of another mailbox, and what is none.
_STATES = mostly(
    one(
        "",
        "AQAAAAYAdHNzAAAAAAAAAAAAAACIBFRlBAAAAAsAAAAAAAAAAAAAAAAAAAAEAAAAZltl5Q==",
        "AQAAAAYAdHNzAAAAAAAAAAAAAACIBFRlBAAAAAUAAAAAAAAAAAAAAAAAAAAEAAAAARCd/A==",
        "AQAAAAYAdHNzAAAAAAAAAAAAAACIBFRlBAAAAGQAAAAAAAAAAAAAAAAAAAAEAAAAWtv+tg==",
        "AQAAAAYAdHNzAAAAAAAAAAAAAACIBFRlCQAAAAsAAAAAAAAAAAAAAAAAAAAEAAAAoJxL3w==",
        "AAAAAA==",
    ),
    one("x", "AQAAAA==", "AQAAAAAAAAA=", "AQAAAAAAAAAAAA==", "AAAAAAA="),
    times=5,
)

#: No days that do not exist: 2.4.1 dies of them at the first mail.
_MOMENTS = mostly(
    one("2024-01-03", "03-Jan-2024", "1704270000", "2h", "3 days", "1700000000", "0", "2030-01-01"),
    one("", "x", "now", "32-Jan-2024", "1fortnight"),
    times=5,
)

_FLAGS = mostly(
    one("\\Seen", "-\\Seen", "\\flagged", "Work", "-work", "$Forwarded"),
    one("\\Bad", "\\Seen x", "", "-"),
    times=5,
)

_OPTIONS: tuple[tuple[str, Text | None], ...] = (
    ("-f", None),
    ("-R", None),
    ("-P", None),
    ("-s", _STATES),
    ("-m", mostly(values.masks, one("", "\\Sent"))),
    ("-g", mostly(values.guids, one(""))),
    ("-x", mostly(values.masks, one("\\Trash", ""))),
    ("-n", one("", "inbox", "x")),
    ("-t", _MOMENTS),
    ("-e", _MOMENTS),
    ("-O", _FLAGS),
    ("-I", one("1", "200", "1k", "1M", "0", "x", "")),
    ("-l", one("5", "x")),
    ("-T", one("5", "")),
    ("-a", one("Sent", "nosuch")),
    ("-N", None),
)


def arguments(command: str, release: Release) -> st.SearchStrategy[tuple[str, ...]]:
    """Draw the arguments of `sync` or `backup`."""
    options = [_sometimes(name, value) for name, value in _OPTIONS]
    if command == "sync":
        options.append(_sometimes("-1", None))
    if release.sync_replica:
        options.append(_sometimes("-U", None))
    places = _PLACES if command == "sync" else st.one_of(_PLACES, _HOMES)
    place = places.map(lambda text: [text])
    return st.tuples(*options, place).map(lambda lists: tuple(itertools.chain(*lists)))


def _sometimes(name: str, value: Text | None) -> Words:
    given: Words = st.just([name]) if value is None else value.map(lambda text: [name, text])
    return st.integers(0, 7).flatmap(lambda chance: st.just([]) if chance else given)
