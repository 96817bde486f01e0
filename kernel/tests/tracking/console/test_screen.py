"""What stays of printed bytes, line by line; written out by hand from what a terminal shows."""

from __future__ import annotations

import pytest
from hypothesis import given, strategies as st

from drupe.tracking.console.screen import LINE_MAX, Screen
from drupe.uris import redact


def shown(*printed: bytes) -> list[bytes]:
    screen = Screen()
    lines = [line for chunk in printed for line in screen.feed(chunk)]
    rest = screen.rest()
    return [*lines, rest] if rest else lines


@pytest.mark.parametrize(
    ("printed", "lines"),
    [
        (b"one\ntwo\n", [b"one", b"two"]),
        (b"no end", [b"no end"]),
        (b"\n\n", [b"", b""]),
        (b"dos\r\nlines\r\n", [b"dos", b"lines"]),
        (b" 10%\r 20%\r 30%\ndone\n", [b" 30%", b"done"]),
        (b"\r 10%\r 20%", [b" 20%"]),
        (b" 99%\r", [b" 99%"]),
        (b"1/3\b\b\b2/3\b\b\b3/3\n", [b"3/3"]),
        (b"\x1b[31mred\x1b[0m and \x1b]0;title\x07plain\n", [b"red and plain"]),
        (b"12%\x1b[2K\r34%\n", [b"34%"]),
        (b"\x1b[?25l\x1b(Bhidden\x1b[?25h\n", [b"hidden"]),
        (b"a stray \x1b\n", [b"a stray "]),
    ],
)
def test_lines_are_kept_as_a_terminal_shows_them_in_the_end(printed: bytes, lines: list[bytes]) -> None:
    assert shown(printed) == lines


def test_two_bars_below_each_other_are_not_kept_once_for_every_redraw() -> None:
    # as tqdm draws a second bar: down, the bar, up again
    redraws = [b"\router %d%%" % n + b"\n\rinner %d%%\x1b[A" % n for n in range(100)]
    lines = shown(*redraws, b"\n\n", b"done\n")
    assert lines == [b"outer 0%", b"inner 99%", b"done"]


@given(
    st.lists(st.sampled_from([b"text", b"\r", b"\n", b"\x1b[A", b"\x1b[31m", b"\x08", b"\x1b[2K", b"\x1b]0;t\x07", b" "])),
    st.integers(1, 7),
)
def test_it_does_not_matter_how_output_is_cut_into_reads(pieces: list[bytes], size: int) -> None:
    printed = b"".join(pieces)
    cut = [printed[start : start + size] for start in range(0, len(printed), size)]
    assert shown(*cut) == shown(printed)


def test_a_line_without_end_is_taken_in_pieces() -> None:
    screen = Screen()
    screen.feed(b"x" * LINE_MAX)
    assert screen.overlong() == b""
    screen.feed(b"x")
    assert screen.overlong() == b"x" * (LINE_MAX + 1)
    assert screen.rest() == b""


@pytest.mark.parametrize(
    "text",
    [
        "postgresql://ada:pa@ss@db.example/x",
        "https://bucket.example/a?token=abc&page=2 and http://u@h",
        "curl https://h/?API_KEY=1&b=${TOKEN}",
        "no address: a@b.example token=abc",
        "see https://example.com/a?b=c",
    ],
)
def test_credentials_are_hidden_as_in_all_of_drupe(text: str) -> None:
    expected = redact(text) if "://" in text else text
    assert shown(f"{text}\n".encode()) == [expected.encode()]
