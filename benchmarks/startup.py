"""What starting costs over the bare interpreter: `import drupe`, `drupe --help`, and the same with 25 more plugins installed.

    python benchmarks/startup.py [--rounds 11] [--no-peers] [--write]

MLflow, its peer, stands in environments of its own (see peers). Subjects are run in turn, round after round, so that a busy machine slows all of them alike; differences of medians are what is quoted.
The plugins are real distributions in a throw-away virtual environment. Nothing here is a test: tests/plugins/test_startup.py counts imports.
"""

from __future__ import annotations

import argparse
import os
import site
import statistics
import subprocess
import sys
import tempfile
import time
import venv
from pathlib import Path

from peers import MLFLOW, MLFLOW_2, distributions, install
from report import PAGE, ROOT, about, commit, put, table, today, verdict

PLUGINS = 25
MARKS = "<!-- startup: made by benchmarks/startup.py -->", "<!-- end of startup -->"
BARE = "bare interpreter"
TARGETS_MS = {"import drupe": 5.0, "drupe --help": 100.0, "25 plugins": 15.0}
FRONT_DOOR = '''"""acme-{number}: an artifact repository and a flavor that nobody needs."""

from drupe.extend import Offer, hookimpl

DRUPE_API = "1.0"


@hookimpl
def drupe_artifact_repos() -> list[Offer]:
    return [Offer("acme{number}", load="acme_{number}.repo:Repo", help="files at Acme", settings="acme_{number}.settings:Settings")]


@hookimpl
def drupe_model_flavors() -> list[Offer]:
    return [Offer("acme{number}", load="acme_{number}.flavor:Flavor", help="models of Acme", handles=("acme.Model{number}",))]
'''


def environment(folder: Path, plugins: int) -> Path:
    """A virtual environment that sees this repository's packages and so many plugins; returns its Python."""
    venv.create(folder, symlinks=True, with_pip=False)
    packages = folder / "lib" / f"python{sys.version_info.major}.{sys.version_info.minor}" / "site-packages"
    here = next(path for path in site.getsitepackages() if Path(path, "pluggy").is_dir())
    (packages / "repository.pth").write_text(f"import site; site.addsitedir({here!r})\n")
    for number in range(plugins):
        (packages / f"acme_{number}").mkdir()
        (packages / f"acme_{number}" / "__init__.py").write_text(FRONT_DOOR.format(number=number))
        metadata = packages / f"acme_{number}-1.0.dist-info"
        metadata.mkdir()
        (metadata / "METADATA").write_text(f"Metadata-Version: 2.1\nName: acme-{number}\nVersion: 1.0\n")
        (metadata / "entry_points.txt").write_text(f"[drupe.plugins]\nacme-{number} = acme_{number}\n")
    return folder / "bin" / "python"


def measure(subjects: dict[str, list[str]], rounds: int, folder: Path) -> dict[str, list[tuple[float, float]]]:
    """Milliseconds on the clock and of processor time of each run, after one round that fills the caches."""
    environ = {key: value for key, value in os.environ.items() if not key.startswith(("DRUPE_", "MLFLOW_", "PYTHON"))}
    times: dict[str, list[tuple[float, float]]] = {name: [] for name in subjects}
    for turn in range(rounds + 1):
        for name, command in subjects.items():
            subprocess.run(
                subjects[BARE], check=True, cwd=folder, env=environ
            )  # whoever comes after a large program would pay for its caches
            start = time.perf_counter()
            process = subprocess.Popen(command, stdout=subprocess.DEVNULL, cwd=folder, env=environ)
            _, status, used = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
            if process.returncode:
                raise SystemExit(f"{' '.join(command)} failed")
            if turn:
                times[name].append(((time.perf_counter() - start) * 1000, (used.ru_utime + used.ru_stime) * 1000))
    return times


def verdicts(wall: dict[str, float], needed: int) -> list[tuple[str, str, str, str]]:
    """(what, target, measured, verdict) of every target."""
    full_help = "drupe --help, 25 more plugins"
    rows = []
    for target, subject, base in (
        ("import drupe", "import drupe", BARE),
        ("drupe --help", full_help, BARE),
        ("25 plugins", full_help, "drupe --help"),
    ):
        limit, difference = TARGETS_MS[target], wall[subject] - wall[base]
        over = "drupe --help" if base != BARE else "the bare interpreter"
        rows.append((f"`{subject}` over {over}", f"{limit:.0f} ms", f"{difference:.1f} ms", verdict(difference, limit)))
    rows.append(("distributions that the kernel needs", "15", str(needed), verdict(needed, 15)))
    return rows


def page(head: str, wall: dict[str, float], cpu: dict[str, float], needed: dict[str, int]) -> str:
    """The tables as Markdown."""
    over = {subject: (wall[subject] - wall[BARE], cpu[subject] - cpu[BARE]) for subject in wall}
    times = [
        (subject, f"{wall[subject]:.1f}", f"{over[subject][0]:+.1f}", f"{cpu[subject]:.1f}", f"{over[subject][1]:+.1f}") for subject in wall
    ]
    lines = [head, "", *table(("subject", "clock, ms", "over bare", "processor, ms", "over bare"), times)]
    lines += ["", *table(("target", "limit", "measured", ""), verdicts(wall, needed["drupe-kernel"]))]
    lines += ["", *table(("what is installed", "third-party distributions"), [(name, str(count)) for name, count in needed.items()])]
    return "\n".join(lines)


def main() -> None:
    """Measure, print the tables, and with --write put them into the documentation."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=11)
    parser.add_argument("--no-peers", action="store_true", help="leave MLflow out, which takes minutes to install and measure")
    parser.add_argument("--write", action="store_true", help=f"put the tables into {PAGE.relative_to(ROOT)}")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        bare, full = str(environment(folder / "bare", 0)), str(environment(folder / "full", PLUGINS))
        subjects = {
            BARE: [bare, "-c", "pass"],
            "import drupe": [bare, "-c", "import drupe"],
            "click, for comparison": [bare, "-c", "import click"],
            "drupe --help": [bare, "-m", "drupe", "--help"],
            "drupe --help, 25 more plugins": [full, "-m", "drupe", "--help"],
        }
        needed = {"drupe-kernel": distributions(bare, "drupe-kernel"), "drupe": distributions(bare, "drupe")}
        for peer, python in ({} if given.no_peers else install([MLFLOW, MLFLOW_2])).items():
            subjects[f"import {peer.name}"] = [str(python), "-c", "import mlflow"]
            subjects[f"{peer.name} --help"] = [str(python), "-m", "mlflow", "--help"]
            needed[peer.name] = distributions(python, "mlflow")
        times = measure(subjects, given.rounds, folder)
    wall = {subject: statistics.median(run[0] for run in runs) for subject, runs in times.items()}
    cpu = {subject: statistics.median(run[1] for run in runs) for subject, runs in times.items()}
    text = page(
        about([today()], [commit()], f"medians of {given.rounds} rounds: `python benchmarks/startup.py --rounds {given.rounds} --write`"),
        wall,
        cpu,
        needed,
    )
    print(text)
    if given.write:
        put(text, MARKS)


if __name__ == "__main__":
    main()
