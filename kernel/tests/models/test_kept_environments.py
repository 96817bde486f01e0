"""Environments that are kept: made once, by one process at a time, never half made, listed and pruned. No tool is needed to see that."""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from drupe.errors import EnvironmentUnusable
from drupe.models.environments.kept import MARK, kept_environments, prune_environments, used_environment
from drupe.models.environments.own import Own, own_entries

ABOUT = {"manager": "uv", "python": "3.11.7", "requirements": ["numpy==2.4.6"], "locked": False}


def use(root: Path, make: Callable[[Path], None], key: str = "fruit", tell: Callable[[str], None] = print) -> tuple[Path, bool]:
    with used_environment(key, ABOUT, make, tell=tell, root=root) as (folder, is_new):
        assert (folder / "content").read_text() == "whole"
        return folder, is_new


def make(folder: Path) -> None:
    folder.mkdir()
    (folder / "content").write_text("whole")


def test_an_environment_is_made_once_and_found_again(workspace: Path) -> None:
    made = []

    def counted(folder: Path) -> None:
        made.append(folder.name)
        make(folder)

    assert use(workspace, counted) == (workspace / "fruit", True)
    assert use(workspace, counted) == (workspace / "fruit", False)
    assert len(made) == 1
    assert made[0] != "fruit"  # under another name


def test_what_fails_leaves_nothing_behind_and_can_be_tried_again(workspace: Path) -> None:
    def fail(folder: Path) -> None:
        make(folder)
        raise OSError("the disk is full")

    with pytest.raises(OSError, match="the disk is full"):
        use(workspace, fail)
    assert [entry.name for entry in workspace.iterdir()] == ["locks"]
    assert use(workspace, make) == (workspace / "fruit", True)


def test_an_environment_without_its_mark_does_not_count(workspace: Path) -> None:
    use(workspace, make)
    (workspace / "fruit" / MARK).unlink()
    (workspace / "fruit" / "content").write_text("half")
    assert kept_environments(workspace) == []
    assert use(workspace, make) == (workspace / "fruit", True)


def _killed_while_making(root: Path, has_begun: Any) -> None:
    def never_ends(folder: Path) -> None:
        make(folder)
        has_begun.set()
        signal.pause()

    use(root, never_ends)


def test_a_maker_that_was_killed_leaves_what_the_next_one_clears(workspace: Path) -> None:
    forked = multiprocessing.get_context("fork")
    has_begun = forked.Event()
    maker = forked.Process(target=_killed_while_making, args=(workspace, has_begun))
    maker.start()
    assert has_begun.wait(30)
    os.kill(maker.pid or 0, signal.SIGKILL)
    maker.join()
    assert len(list(workspace.glob(".draft-*"))) == 1
    assert use(workspace, make) == (workspace / "fruit", True)
    assert list(workspace.glob(".draft-*")) == []


def _makes_slowly(root: Path, has_begun: Any, may_end: Any) -> None:
    def slowly(folder: Path) -> None:
        has_begun.set()
        may_end.wait(30)
        make(folder)

    use(root, slowly)


def test_a_second_one_says_that_it_waits_and_then_uses_what_the_first_made(workspace: Path) -> None:
    forked = multiprocessing.get_context("fork")
    has_begun, may_end = forked.Event(), forked.Event()
    maker = forked.Process(target=_makes_slowly, args=(workspace, has_begun, may_end))
    maker.start()
    assert has_begun.wait(30)
    told: list[str] = []

    def tell(line: str) -> None:
        told.append(line)
        may_end.set()

    assert use(workspace, make, tell=tell) == (workspace / "fruit", False)
    maker.join()
    assert told == ["another process is at work on this environment; waiting for it"]


def test_the_list_shows_what_was_used_last_first(workspace: Path) -> None:
    use(workspace, make, "apple")
    use(workspace, make, "pear")
    os.utime(workspace / "pear" / MARK, (1, 1))
    first, second = kept_environments(workspace)
    assert (first.key, second.key, second.used_at.year) == ("apple", "pear", 1970)
    assert (first.about["python"], first.size_bytes) == ("3.11.7", 5)


def test_pruning_takes_what_is_unwanted_and_what_is_half_made_but_nothing_in_use(workspace: Path) -> None:
    use(workspace, make, "apple")
    use(workspace, make, "pear")
    (workspace / ".draft-plum-00").mkdir()
    (workspace / "unmarked").mkdir()
    with used_environment("apple", ABOUT, make, tell=print, root=workspace):
        removed, in_use = prune_environments(lambda one: True, workspace)
    assert [one.key for one in removed] == ["pear"]
    assert [one.key for one in in_use] == ["apple"]
    assert sorted(entry.name for entry in workspace.iterdir()) == ["apple", "locks"]


def test_a_wheel_that_cannot_be_built_leaves_nothing_behind(tmp_path: Path) -> None:
    def fail(source: Path, target: Path) -> Path:
        (target / "half.whl").touch()
        raise EnvironmentUnusable("no compiler")

    source, wheels = tmp_path / "source", tmp_path / "wheels"
    source.mkdir()
    with pytest.raises(EnvironmentUnusable, match="no compiler"):
        own_entries([Own("drupe-x", "1", source, "digest")], wheels, fail)
    assert list(wheels.iterdir()) == []
