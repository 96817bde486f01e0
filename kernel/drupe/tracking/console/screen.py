"""What a terminal would show of the bytes that a program prints, line by line, without acting one out in full.

A carriage return starts the line anew, so that of a progress bar only the last state stays; colours and other escape sequences are left
out. Where a program moves the cursor up to redraw lines (several bars at once), what it redraws above the lowest line is not repeated.
Credentials in addresses are hidden as `drupe.uris.redact` does. Nothing beyond the standard library is imported here: the witness uses it.
"""

from __future__ import annotations

import re

__all__ = ["LINE_MAX", "Screen"]

LINE_MAX = 64 * 1024
"""A longer line is kept in pieces, so that memory stays bounded."""

_SPECIAL = re.compile(rb"[\r\x08\x1b]")
_TOKEN = re.compile(
    rb"(?P<text>[^\r\n\x08\x1b]+)|(?P<back>\x08+)|(?P<return>\r+)|(?P<newline>\n)"
    rb"|\x1b\[(?P<amount>[\d;]*)(?P<move>[ABEFK])"
    rb"|\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[ -/]*[0-Z\\^-~])"
    rb"|\x1b",
)
_UNFINISHED = re.compile(rb"\x1b(?:\[[0-?]*[ -/]*|\][^\x07\x1b]{0,4096}\x1b?|[ -/]*)?\Z")
_USER_INFO = re.compile(rb"(?<=://)[^/\s?#]*@")
_SECRET_OPTION = re.compile(
    rb"([?&][^=&\s]*(?:password|passwd|pwd|secret|token|access_key|api_key)[^=&\s]*=)(?!\$\{)[^&\s]*", re.IGNORECASE
)


class Screen:
    """One stream of output; `feed` it what was printed and take the lines that are finished."""

    def __init__(self) -> None:
        self._line = b""  # the lowest line, as far as it was printed
        self._up = 0  # how many lines above it the cursor is
        self._starts_over = False  # the next text replaces the line
        self._escape = b""  # the start of an escape sequence

    def feed(self, printed: bytes) -> list[bytes]:
        """The lines that end in `printed`, without their line feed."""
        if self._up or self._starts_over or self._escape or _SPECIAL.search(printed):
            lines = self._act(printed)
        else:
            *lines, self._line = (self._line + printed).split(b"\n")
        return [_redacted(line) for line in lines]

    def overlong(self) -> bytes:
        """The unfinished line if it is longer than `LINE_MAX`, which then counts as told; else nothing."""
        if len(self._line) <= LINE_MAX:
            return b""
        return self.rest()

    def rest(self) -> bytes:
        """The unfinished line, which then counts as told."""
        line, self._line, self._starts_over = self._line, b"", False
        return _redacted(line)

    def _act(self, printed: bytes) -> list[bytes]:
        printed = self._escape + printed
        cut = _UNFINISHED.search(printed)
        self._escape = cut[0] if cut else b""
        finished: list[bytes] = []
        for token in _TOKEN.finditer(printed, 0, len(printed) - len(self._escape)):
            kind = token.lastgroup
            if kind == "newline":
                self._feed_line(finished)
            elif kind == "move":
                self._move(token["move"], token["amount"])
            elif self._up:
                continue  # it redraws what was told before
            elif kind == "text":
                self._line = token[0] if self._starts_over else self._line + token[0]
                self._starts_over = False
            elif kind == "return":
                self._starts_over = True
            elif kind == "back":
                self._line = self._line[: -len(token[0])]
        return finished

    def _feed_line(self, finished: list[bytes]) -> None:
        if self._up:
            self._up -= 1
            self._starts_over = True
        else:
            finished.append(self._line)
            self._line, self._starts_over = b"", False

    def _move(self, direction: bytes, amount: bytes) -> None:
        lines = int(amount) if amount.isdigit() else 1
        if direction in b"AF":
            self._up = min(self._up + lines, 1000)
        elif direction in b"BE":
            self._up = max(0, self._up - lines)
        elif amount in (b"1", b"2") and not self._up:  # K: erase the line
            self._line = b""


def _redacted(line: bytes) -> bytes:
    if b"://" not in line:
        return line
    return _SECRET_OPTION.sub(rb"\1***", _USER_INFO.sub(b"***@", line))
