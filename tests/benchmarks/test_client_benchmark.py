"""The client's benchmark runs, with tiny amounts and without peers: what it says has its shape. How fast anything is, no test asks."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"
PAGE = """
import json, sys
from pathlib import Path
from client_page import text
from client_plots import draw
kept = json.loads(Path(sys.argv[1]).read_text())
draw(kept, Path(sys.argv[2]))
print(text(kept))
"""
SOME = "log_metric,ingest,start_end,outage,kill,memory,chart,search_1k"


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("bench") / "client.json"
    command = [
        sys.executable,
        str(BENCHMARKS / "client.py"),
        "--rows",
        SOME,
        "--rounds",
        "1",
        "--points",
        "20",
        "--peers",
        "",
        "--kept",
        str(file),
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    return file


def figures(kept: Path, row: str) -> Any:
    told = json.loads(kept.read_text())[row]["found"]["drupe"]
    assert "fault" not in told
    return told["figures"]


def test_each_row_has_figures_of_drupe(kept: Path) -> None:
    assert all(figures(kept, row) for row in SOME.split(","))


def test_raw_limits_stand_beside_the_loop(kept: Path) -> None:
    found = json.loads(kept.read_text())["log_metric"]["found"]
    assert set(found) == {"drupe", "os.write", "mmap", "sqlite3"}
    assert all(0 < told["figures"]["p50_us"] <= told["figures"]["p99_us"] for told in found.values())


def test_nothing_is_lost_by_a_kill_or_an_outage(kept: Path) -> None:
    assert figures(kept, "kill")["kept_percent"] == 100
    assert (figures(kept, "outage")["lost"], figures(kept, "outage")["twice"], figures(kept, "outage")["raised"]) == (0, 0, 0)


def test_the_page_gives_a_verdict_on_every_target_and_a_reason_for_what_is_missed(kept: Path, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", PAGE, str(kept), str(tmp_path)], capture_output=True, text=True, cwd=BENCHMARKS, check=False
    )
    assert done.returncode == 0, done.stderr
    targets = done.stdout.partition("### Targets")[2].partition("###")[0]
    lines = [line for line in targets.splitlines() if "≤" in line or "≥" in line]
    assert len(lines) >= 15
    assert all(line.endswith(("| met |", "| MISSED |")) for line in lines)
    assert targets.count("| MISSED |") == targets.count("\n* **")
    assert sorted(file.name for file in tmp_path.iterdir()) == ["bench-ingest.png", "bench-log-metric.png"]
    assert all(file.stat().st_size < 100_000 for file in tmp_path.iterdir())


def test_an_unknown_row_is_named(tmp_path: Path) -> None:
    done = subprocess.run([sys.executable, str(BENCHMARKS / "client.py"), "--rows", "speed"], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "there is no speed" in done.stderr
