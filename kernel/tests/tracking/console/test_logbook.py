"""The files of a console log: rotated, bounded, and no fault of the disk gets through."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from drupe.tracking.console.logbook import Logbook
from drupe.tracking.console.parts import part_name, prefix, sequence_of, split_line

NOON = 1_700_000_000_000


def test_parts_are_rotated_and_the_middle_gives_way(tmp_path: Path) -> None:
    folder = tmp_path / "logs"
    book = Logbook(str(folder), "console", max_bytes=4000, part_bytes=1000)
    for n in range(100):
        book.write(NOON, "stdout", [b"%090d" % n])  # 125 bytes with what stands before it: eight in a part
    book.close()
    names = sorted(path.name for path in folder.iterdir())
    assert names == ["console.0001.log", "console.0011.log", "console.0012.log", "console.0013.log"]
    assert [path.stat().st_size for path in sorted(folder.iterdir())] == [1000, 1000, 1000, 500]


def test_lines_have_the_form_of_container_logs(tmp_path: Path) -> None:
    book = Logbook(str(tmp_path), "console", max_bytes=10**6)
    book.write(NOON, "stdout", [b"one", b""])
    book.write(NOON + 1, "stderr", [b"piece"], is_whole=False)
    book.write(NOON + 2, "stdout", [])
    book.close()
    assert (tmp_path / "console.0001.log").read_text() == (
        "2023-11-14T22:13:20.000Z stdout F one\n2023-11-14T22:13:20.000Z stdout F \n2023-11-14T22:13:20.001Z stderr P piece\n"
    )


def test_what_a_full_disk_did_not_take_is_counted_and_said_later(tmp_path: Path) -> None:
    folder = tmp_path / "logs"
    folder.write_text("a file in the place of the folder")
    book = Logbook(str(folder), "console", max_bytes=10**6)
    book.write(NOON, "stdout", [b"12345", b"678"])
    book.write(NOON, "stdout", [b"90"])
    folder.unlink()
    book.write(NOON + 1000, "stdout", [b"again"])
    book.close()
    lines = (folder / "console.0001.log").read_text().splitlines()
    assert [split_line(line)[3] for line in lines] == ["[drupe: 10 bytes could not be kept]", "again"]  # type: ignore[index]


def test_nothing_is_lost_where_somebody_removes_the_folder_before_the_first_part_is_in_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    makedirs = os.makedirs

    def make_and_lose_the_turn(folder: str, **options: Any) -> None:
        makedirs(folder, **options)
        monkeypatch.undo()
        os.rmdir(folder)  # as who looks for what dead processes have left does with what is empty

    monkeypatch.setattr(os, "makedirs", make_and_lose_the_turn)
    book = Logbook(str(tmp_path / "logs"), "console", max_bytes=10**6)
    book.write(NOON, "stdout", [b"first"])
    book.close()
    assert (tmp_path / "logs/console.0001.log").read_text().endswith(" first\n")


def test_half_a_line_is_taken_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    book = Logbook(str(tmp_path), "console", max_bytes=10**6)
    book.write(NOON, "stdout", [b"first"])
    whole = (tmp_path / "console.0001.log").read_bytes()
    write = os.write

    def short(descriptor: int, block: bytes) -> int:
        if len(block) > 10:
            return write(descriptor, bytes(block)[:10])
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "write", short)
        book.write(NOON, "stdout", [b"1234567890" * 3])
    book.close()
    assert (tmp_path / "console.0001.log").read_bytes() == whole


@pytest.mark.parametrize("sequence", ["console", "console-20261126T140322-17"])
def test_names_of_parts_can_be_read_back(sequence: str) -> None:
    assert sequence_of(part_name(sequence, 12)) == (sequence, 12)
    assert sequence_of(part_name(sequence, 12345)) == (sequence, 12345)
    assert sequence_of("notes.log") is None


def test_lines_can_be_read_back() -> None:
    assert split_line(prefix(NOON, "terminal", is_whole=False) + " F x") == ("2023-11-14T22:13:20.000Z", "terminal", False, " F x")
    assert split_line("anything else") is None
