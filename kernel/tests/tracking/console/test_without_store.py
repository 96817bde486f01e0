"""The console log of a run whose store is away: it waits beside the store, is readable all the same, and comes with `drupe sync`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import drupe
from drupe.cli.main import main
from drupe.tracking import address
from drupe.tracking.console.reading import ConsoleLine


def test_the_log_of_an_offline_run_is_shipped_with_it(
    program: Any, kept: Callable[..., list[ConsoleLine]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DRUPE_OFFLINE", "1")
    done = program.run("with drupe.start_run(run_name='night'):\n    drupe.log_metric('m', 1)\n    print('in the dark')\n")
    assert (done.returncode, done.stderr) == (0, b"")
    assert [line.text for line in kept()] == ["in the dark"]
    monkeypatch.delenv("DRUPE_OFFLINE")
    address.close_stores()
    assert main(["sync"]) == 0
    (run,) = drupe.search_runs(search_all_experiments=True, output_format="list")
    assert [info.path for info in drupe.list_artifacts("logs", run_id=run.info.run_id)] == ["logs/console.0001.log"]
    assert [line.text for line in kept()] == ["in the dark"]


def test_a_log_that_the_artifacts_do_not_take_waits_for_sync(program: Any, kept: Callable[..., list[ConsoleLine]], workspace: Path) -> None:
    (workspace / "drupe-artifacts").write_text("a file in the place of the folder")
    done = program.run("with drupe.start_run():\n    print('kept for later')\n")
    assert done.returncode == 0
    assert b"waits for `drupe sync`" in done.stderr
    assert [line.text for line in kept()] == ["kept for later"]
    (workspace / "drupe-artifacts").unlink()
    assert main(["sync"]) == 0
    (run,) = drupe.search_runs(output_format="list")
    assert run.info.status == "FINISHED"
    assert [info.path for info in drupe.list_artifacts("logs", run_id=run.info.run_id)] == ["logs/console.0001.log"]
    assert not (workspace / "drupe-journals").exists()


def test_a_folder_that_is_deleted_meanwhile_costs_the_log_and_nothing_else(program: Any) -> None:
    code = (
        "import shutil\n"
        "with drupe.start_run():\n"
        "    print('one', flush=True)\n"
        "    shutil.rmtree('drupe-journals')\n"
        "    print('two', flush=True)\n"
    )
    done = program.run(code)
    assert (done.returncode, done.stdout) == (0, b"one\ntwo\n")
    (run,) = drupe.search_runs(output_format="list")
    assert run.info.status == "FINISHED"
