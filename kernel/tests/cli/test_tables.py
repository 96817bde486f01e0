"""Tables that fit: what gives way in a narrow terminal, and that nothing does without one."""

from __future__ import annotations

import pytest

from drupe.cli.tables import Cell, Heading, card, draw

HEADINGS = [Heading("ID", keep=True), Heading("NAME"), Heading("STARTED", keep=True), Heading("loss", right=True), Heading("note", rank=2)]
ROW = [
    Cell("ab12cd34"),
    Cell("a name that is rather long for a table"),
    Cell("2026-01-01 10:00:00 (3 min ago)", "3 min ago"),
    Cell("0.5"),
    Cell("words"),
]


def lines_of(capsys: pytest.CaptureFixture[str]) -> list[str]:
    return capsys.readouterr().out.splitlines()


def test_without_a_terminal_nothing_is_cut(capsys: pytest.CaptureFixture[str]) -> None:
    assert draw(HEADINGS, [ROW]) == []
    lines = lines_of(capsys)
    assert lines[0].split() == ["ID", "NAME", "STARTED", "loss", "note"]
    assert set(lines[1]) == {"─"}
    assert lines[2].split("  ") == ["ab12cd34", ROW[1].text, ROW[2].text, " 0.5", "words"]


def test_short_forms_come_before_cutting(capsys: pytest.CaptureFixture[str]) -> None:
    assert draw(HEADINGS, [ROW], width=75) == []
    line = lines_of(capsys)[2]
    assert "3 min ago" in line
    assert "2026" not in line
    assert ROW[1].text in line


def test_long_texts_are_cut_before_columns_are_left_out(capsys: pytest.CaptureFixture[str]) -> None:
    assert draw(HEADINGS, [ROW], width=60) == []
    line = lines_of(capsys)[2]
    assert "…" in line
    assert len(line) <= 60


def test_columns_of_high_rank_go_first_and_are_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert draw(HEADINGS, [ROW], width=46) == ["note"]
    assert draw(HEADINGS, [ROW], width=40) == ["loss", "note"]
    assert all(len(line) <= 46 for line in lines_of(capsys))


def test_columns_to_keep_are_never_cut(capsys: pytest.CaptureFixture[str]) -> None:
    draw(HEADINGS, [ROW], width=10)
    assert lines_of(capsys)[2].split() == ["ab12cd34", "3", "min", "ago"]


def test_signs_that_take_two_columns_are_counted_so(capsys: pytest.CaptureFixture[str]) -> None:
    headings, rows = [Heading("NAME"), Heading("准确率", right=True)], [[Cell("日本語"), Cell("0.5")], [Cell("abc"), Cell("0.25")]]
    assert draw(headings, rows, width=80) == []
    assert lines_of(capsys) == ["NAME    准确率", "──────────────", "日本語     0.5", "abc       0.25"]


def test_wide_signs_are_cut_to_the_columns_there_are(capsys: pytest.CaptureFixture[str]) -> None:
    draw([Heading("NAME"), Heading("loss", right=True)], [[Cell("🍑" * 30), Cell("0.5")]], width=25)
    assert lines_of(capsys)[2] == "🍑" * 9 + "…   0.5"


def test_numbers_stand_at_the_right(capsys: pytest.CaptureFixture[str]) -> None:
    draw([Heading("loss", right=True)], [[Cell("0.123456")], [Cell("7")]])
    assert lines_of(capsys)[3] == "       7"


def test_brackets_in_values_are_no_markup(capsys: pytest.CaptureFixture[str]) -> None:
    draw([Heading("NAME")], [[Cell("[bold]x[/bold]")]])
    assert lines_of(capsys)[2] == "[bold]x[/bold]"


def test_colour_is_for_terminals_that_want_it(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    cells = [[Cell("x", style="red")]]
    draw([Heading("NAME")], cells)
    assert "\x1b" not in capsys.readouterr().out
    monkeypatch.setenv("FORCE_COLOR", "1")
    draw([Heading("NAME")], cells)
    assert "\x1b[31m" in capsys.readouterr().out
    monkeypatch.setenv("NO_COLOR", "1")
    draw([Heading("NAME")], cells)
    assert "\x1b" not in capsys.readouterr().out


def test_a_card_leaves_out_what_is_empty_and_wraps_what_is_long(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "30")
    card([("name", "x"), ("nothing", None), ("blank", ""), ("path", "/" * 40), ("evil", "a\x1b[2Jb")])
    lines = lines_of(capsys)
    assert [line[:4].strip() for line in lines] == ["name", "path", "", "evil"]
    assert max(map(len, lines)) <= 30
    assert lines[3] == "evil  a [2Jb"
