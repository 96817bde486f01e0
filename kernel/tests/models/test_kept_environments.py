"""Environments that are kept: made once, by one process at a time, never half made, listed and pruned. No tool is needed to see that."""

from __future__ import annotations

import json
import multiprocessing
import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from drupe.errors import EnvironmentUnusable
from drupe.models.environments.kept import MARK, kept_environments, prune_environments, used_environment
from drupe.models.environments.own import Own, own_distributions, own_entries
from drupe.models.mlmodel import Model

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


def test_links_to_nothing_and_pipes_in_a_folder_of_ours_are_named_and_left_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    source, installed = tmp_path / "source", tmp_path / "installed"
    about = installed / "drupe_x-1.dist-info"
    about.mkdir(parents=True)
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: drupe-x\nVersion: 1\n")
    (about / "direct_url.json").write_text(json.dumps({"url": source.as_uri()}))
    (source / "drupe_x").mkdir(parents=True)
    (source / "pyproject.toml").touch()
    monkeypatch.syspath_prepend(str(installed))

    def digest() -> str | None:
        return {own.name: own.digest for own in own_distributions(Model({"sklearn": {}}), also=["drupe-x"])}["drupe-x"]

    before = digest()
    assert caplog.messages == []
    (source / "drupe_x" / "gone.py").symlink_to(tmp_path / "nowhere.py")
    os.mkfifo(source / "pipe")
    assert digest() == before
    assert sorted(caplog.messages) == [
        f"{source}/drupe_x/gone.py is a link to nothing, so it is left out of what says whether this folder has changed; building a wheel of it may fail",
        f"{source}/pipe is no file, so it is left out of what says whether this folder has changed; building a wheel of it may fail",
    ]


def test_a_wheel_that_cannot_be_built_leaves_nothing_behind(tmp_path: Path) -> None:
    def fail(source: Path, target: Path) -> Path:
        (target / "half.whl").touch()
        raise EnvironmentUnusable("no compiler")

    source, wheels = tmp_path / "source", tmp_path / "wheels"
    source.mkdir()
    with pytest.raises(EnvironmentUnusable, match="no compiler"):
        own_entries([Own("drupe-x", "1", source, "digest")], wheels, fail)
    assert list(wheels.iterdir()) == []
