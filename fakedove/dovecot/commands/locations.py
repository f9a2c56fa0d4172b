"""Mail locations: `mdbox:~/mdbox`, and before 2.4 settings behind the path."""

from __future__ import annotations

from collections.abc import Iterator

from fakedove.dovecot.registry import Call
from fakedove.dovecot.release import Release
from fakedove.dovecot.reply import Item, Level, Log, Scope
from fakedove.dovecot.user import User

#: Where everybody's own mail is, up to 2.3.
OWN = "mdbox:~/mdbox:ALT=~/alt"

_DRIVERS = frozenset(["dbox", "imapc", "maildir", "mbox", "mdbox", "mh", "pop3c", "sdbox"])

#: What may stand behind the path, up to 2.3.
_SETTINGS = frozenset(
    [
        *("ALT", "ALTNOCHECK", "BROKENCHAR", "CONTROL", "DIRNAME", "FULLDIRNAME", "INBOX"),
        *(
            "INDEX",
            "INDEXCACHE",
            "INDEXPVT",
            "ITERINDEX",
            "LAYOUT",
            "LISTINDEX",
            "MAILBOXDIR",
            "NO-FS-VALIDATION",
        ),
        *("NO-NOSELECT", "SUBSCRIPTIONS", "UTF-8", "VOLATILEDIR"),
    ]
)


class LocationError(ValueError):
    """There can be no mail at a location; the text is what Dovecot says of it."""


def mail_path(location: str, reader: User, release: Release) -> str:
    """Return the path that a location is about; `reader` has the home directory.

    Raises LocationError.
    """
    driver, _, rest = location.partition(":")
    path, *settings = rest.split(":")
    unknown = [one for one in settings if one and one.partition("=")[0] not in _SETTINGS]
    if location in (":", ":/") and not release.mail_location:
        return f"{reader.home}/mdbox"
    if ":" not in location or location == ":":
        raise LocationError(
            f"Ambiguous mail location setting, don't know what to do with it: {location}"
            " (try prefixing it with mbox: or maildir:)"
        )
    if not driver and not release.mail_location:
        where = f"home={reader.home}, mail_path={_expanded(path, reader)}"
        what = f"Mail storage autodetection failed ({where})"
        raise LocationError(f"{what} - Set mail_driver explicitly")
    if driver and driver.lower() not in _DRIVERS:
        raise LocationError(f"Unknown mail storage driver {driver}")
    if not driver or unknown:
        setting = (unknown[0] if driver else path).partition("=")[0]
        raise LocationError(f"Unknown setting: {setting}")
    if not path:
        raise LocationError("Root mail directory not given")
    return _expanded(path, reader)


def _expanded(path: str, reader: User) -> str:
    path = reader.home + path[1:] if path.partition("/")[0] == "~" else path
    return path.removesuffix("/") or path


def forget_alternative(call: Call, location: str, owner: User, reader: User) -> Iterator[Item]:
    """Warn, the first time, that who reads mail at a location knows no alternative storage."""
    named = [one[4:] for one in location.split(":")[2:] if one.startswith("ALT=")]
    alternative = f"{owner.home}/alt"
    if not owner.alternative_known or alternative in (_expanded(one, reader) for one in named):
        return
    owner.alternative_known = False
    path = mail_path(location, reader, call.release)
    if call.release.storage_names_itself:
        text = (
            f"mdbox({path}/storage): {path}: Original mail_alt_path={alternative},"
            " but currently mail_alt_path is empty"
        )
    else:
        text = f"dbox {path}: Original ALT={alternative}, but currently no ALT path set"
    yield Log(text.encode(), Level.WARNING, Scope.STORAGE, reader.name.encode())
