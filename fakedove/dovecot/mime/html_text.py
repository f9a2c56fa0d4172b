"""HTML as the text that Dovecot takes from it: tags, comments, scripts and styles gone."""

from __future__ import annotations

import re
from html.entities import name2codepoint

_WHITE = r" \t\r\n"
#: A tag's end is the first > outside quotes, in which a backslash escapes.
_TAG_REST = re.compile(
    r"""(?:[^>"']|"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')*+>""",
    re.DOTALL,
)
_COMMENT = re.compile(rf"!--.*?--[{_WHITE}]*>", re.DOTALL)
_HIDDEN = re.compile(rf"(script|style)[{_WHITE}>].*?</\1>", re.DOTALL | re.IGNORECASE)
_CDATA = re.compile(r"!\[CDATA\[(.*?)\]\]>", re.DOTALL | re.IGNORECASE)
_QUOTE = re.compile(rf"blockquote[{_WHITE}>]", re.IGNORECASE)
_QUOTE_END = re.compile(r"/blockquote>", re.IGNORECASE)
_ENTITY = re.compile(rf"([^{_WHITE};]{{0,9}});")
_UNCLOSED = re.compile(r"!--|!\[CDATA\[|(?:script|style)[ \t\r\n>]", re.IGNORECASE)
_SPECIAL = re.compile(r"[<&]")


def html_to_text(html: str, *, skip_quoted: bool) -> str:
    """Return the text of `html`; blockquotes are left out, or begin with `>`."""
    return _Reader(html, skip_quoted).read()


class _Reader:
    def __init__(self, html: str, skip_quoted: bool) -> None:
        self._html = html
        self._position = 0
        self._skip_quoted = skip_quoted
        self._quotes = 0
        self._newline = False
        self._out: list[str] = []

    def read(self) -> str:
        while (match := _SPECIAL.search(self._html, self._position)) is not None:
            self._write(self._html[self._position : match.start()])
            self._position = match.end()
            if match[0] == "<":
                if not self._read_tag():
                    return "".join(self._out)
            elif not self._hides and not self._read_entity():
                return "".join(self._out)
        self._write(self._html[self._position :])
        return "".join(self._out)

    @property
    def _hides(self) -> bool:
        return self._skip_quoted and self._quotes > 0

    def _write(self, text: str) -> None:
        if text and not self._hides:
            self._out.append(text)

    def _write_space(self) -> None:
        if self._out and not self._out[-1].endswith((" ", "\n")):
            self._out.append(" ")

    def _read_tag(self) -> bool:
        """Skip a tag; return False if the text ends in it."""
        html, start = self._html, self._position
        if match := _COMMENT.match(html, start):
            self._position = match.end()
            return True
        if match := _HIDDEN.match(html, start):
            self._position = match.end()
            self._write_space()
            return True
        if match := _CDATA.match(html, start):
            self._position = match.end()
            self._write(match[1])
            return True
        if _UNCLOSED.match(html, start):
            return False
        if _QUOTE.match(html, start):
            self._quotes += 1
        elif self._quotes and _QUOTE_END.match(html, start):
            self._quotes -= 1
            self._newline = not self._skip_quoted
        rest = _TAG_REST.match(html, start)
        if rest is None:
            return False
        self._position = rest.end()
        self._end_tag()
        return True

    def _end_tag(self) -> None:
        if self._quotes and not self._skip_quoted:
            self._out.append("\n>")
        elif self._newline:
            self._out.append("\n")
        self._newline = False
        self._write_space()

    def _read_entity(self) -> bool:
        """Write an entity's character; return False if the text ends in it."""
        match = _ENTITY.match(self._html, self._position)
        if match is None:
            # Neither `&` nor what follows is known to be an entity: only the `&` goes.
            rest = self._html[self._position : self._position + 10]
            return len(rest) == 10 or any(char in " \t\r\n" for char in rest)
        self._position = match.end()
        character = _character(match[1])
        if character is not None:
            self._out.append(character)
        return True


def _character(entity: str) -> str | None:
    if entity in _NAMES:
        return _NAMES[entity]
    number = re.fullmatch(r"#(?:x([0-9A-Fa-f]+)|([0-9]+))", entity, re.ASCII)
    if number is None:
        return None
    code = int(number[1], 16) if number[1] else int(number[2])
    return chr(code) if code <= 0x10FFFF and not 0xD800 <= code < 0xE000 else None


#: HTML 4's entities and the apostrophe; the angle brackets are those of mathematics.
_NAMES = {name: chr(code) for name, code in name2codepoint.items()} | {
    "apos": "'",
    "lang": "\u27e8",
    "rang": "\u27e9",
}
