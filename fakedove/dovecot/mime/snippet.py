"""The beginning of a mail's text on one line: `body.snippet` and `body.preview`."""

from __future__ import annotations

import msgspec

from fakedove.dovecot.mime.bodies import TextDecoder, content_type_of
from fakedove.dovecot.mime.html_text import html_to_text
from fakedove.dovecot.mime.parts import Part, parse_parts
from fakedove.dovecot.mime.structure import describe

_HTML = (b"text/html", b"application/xhtml+xml")
_WHITE = " \t\n\v\f\r"
_MARK = "\ufeff"


def snippet(mail: bytes, root: Part, *, length: int, quotes: bool) -> bytes:
    """Return at most `length` characters; `quotes` where quoted text is better than none."""
    part = _first_text(mail, root)
    if part is None:
        return b""
    # The part is read as if it were a mail.
    inner = mail[part.position : part.end]
    decoder = TextDecoder(inner)
    maker = _Quoting(length) if quotes else _Plain(length)
    for one in parse_parts(inner).walk():
        if one.children:
            continue
        kind = content_type_of(inner, one)
        is_html = kind in _HTML
        if kind and not is_html and not kind.startswith(b"text/"):
            if quotes:
                continue
            break
        words = b"".join(decoder.body(one)).decode()
        if is_html:
            words = html_to_text(words, skip_quoted=not quotes)
        if not maker.add(words, is_html) or (quotes and maker.text):
            break
    return maker.text.encode()


def _first_text(mail: bytes, part: Part) -> Part | None:
    described = describe(mail, part, decoded=False)
    if described.type is None or described.type.lower() == b"text":
        return part
    if described.type.lower() != b"multipart":
        return None
    if described.subtype.lower() == b"alternative":
        return _best_alternative(mail, part)
    found = (_first_text(mail, child) for child in part.children)
    return next((one for one in found if one is not None), None)


def _best_alternative(mail: bytes, part: Part) -> Part | None:
    html = other = None
    for child in part.children:
        described = describe(mail, child, decoded=False)
        if described.type is not None and described.type.lower() != b"text":
            continue
        subtype = described.subtype.lower()
        if described.type is None or subtype == b"plain":
            return child
        if subtype == b"html":
            html = child
        else:
            other = child
    return html or other


class _Plain:
    """Releases that leave quoted text out."""

    def __init__(self, length: int) -> None:
        self.text = ""
        self._left = length
        self._space = False

    def add(self, words: str, is_html: bool) -> bool:
        """Take text; return False if it is enough."""
        for line in words.split("\n"):
            if line.startswith(">") and not is_html:
                continue
            for character in line + "\n":
                if character in "\r\n\t ":
                    self._space = self._space or len(self.text) > 0
                elif character not in (_MARK, "\0") and not self._take(character):
                    return False
        return True

    def _take(self, character: str) -> bool:
        if self._space:
            self.text += " "
            self._space = False
            self._left -= 1
            if self._left < 0:
                return False
        if self._left == 0:
            return False
        self._left -= 1
        self.text += character
        return True


class _Target(msgspec.Struct):
    left: int
    text: str = ""


class _Quoting:
    """Releases that fall back on quoted text; each kind of text is gathered apart."""

    def __init__(self, length: int) -> None:
        self._said = _Target(length)
        self._quoted = _Target(length - 1)
        self._space = False
        self._begins_line = True
        self._target = self._said

    @property
    def text(self) -> str:
        """What was said, or else what was quoted."""
        if self._said.text:
            return self._said.text.lstrip(_WHITE)
        return ">" + self._quoted.text.lstrip(_WHITE) if self._quoted.text else ""

    def add(self, words: str, is_html: bool) -> bool:
        """Take text; return False if it is enough."""
        position = 0
        while position < len(words):
            character = words[position]
            position += 1
            if self._begins_line:
                self._begins_line = False
                self._target = self._quoted if character == ">" else self._said
                if character == ">":
                    if position == len(words):
                        break
                    character = words[position]
                    position += 1
            self._take(character)
            if not self._said.left:
                return False
        return True

    def _take(self, character: str) -> None:
        target = self._target
        if character in (_MARK, "\0"):
            return
        if character in _WHITE:
            self._space = self._space or bool(target.text)
            self._begins_line = character == "\n"
            return
        if not target.left:
            return
        target.left -= 1
        if self._space:
            if not target.left:
                return
            target.text += " "
            self._space = False
            target.left -= 1
        target.text += character
