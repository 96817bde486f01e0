"""What starting costs over the bare interpreter: `import drupe`, `drupe --help`, and the same with 25 more plugins installed.

    python benchmarks/startup.py [--rounds 21]

Subjects are run in turn, round after round, so that a busy machine slows all of them alike; differences of medians are what is quoted.
The plugins are real distributions in a throw-away virtual environment. Nothing here is a test: tests/plugins/test_startup.py counts imports.
"""

from __future__ import annotations

import argparse
import os
import platform
import site
import statistics
import subprocess
import sys
import tempfile
import time
import venv
from pathlib import Path

PLUGINS = 25
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
            start = time.perf_counter()
            process = subprocess.Popen(command, stdout=subprocess.DEVNULL, cwd=folder, env=environ)
            _, status, used = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
            if process.returncode:
                raise SystemExit(f"{' '.join(command)} failed")
            if turn:
                times[name].append(((time.perf_counter() - start) * 1000, (used.ru_utime + used.ru_stime) * 1000))
    return times


def main() -> None:
    """Measure, print one line per subject, and say which targets are met."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=21)
    rounds = parser.parse_args().rounds
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        bare, full = str(environment(folder / "bare", 0)), str(environment(folder / "full", PLUGINS))
        subjects = {
            "bare interpreter": [bare, "-c", "pass"],
            "import drupe": [bare, "-c", "import drupe"],
            "click, for comparison": [bare, "-c", "import click"],
            "drupe --help": [bare, "-m", "drupe", "--help"],
            "drupe --help, 25 more plugins": [full, "-m", "drupe", "--help"],
        }
        times = measure(subjects, rounds, folder)
    wall = {subject: statistics.median(run[0] for run in runs) for subject, runs in times.items()}
    cpu = {subject: statistics.median(run[1] for run in runs) for subject, runs in times.items()}
    print(
        f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}, {time.strftime('%Y-%m-%d')}, medians of {rounds}"
    )
    print(f"{'':32} {'clock':>10} {'over bare':>10} {'processor':>10} {'over bare':>10}   (ms)")
    for subject in subjects:
        over = wall[subject] - wall["bare interpreter"], cpu[subject] - cpu["bare interpreter"]
        print(f"{subject:32} {wall[subject]:10.1f} {over[0]:+10.1f} {cpu[subject]:10.1f} {over[1]:+10.1f}")
    full_help = "drupe --help, 25 more plugins"
    pairs = {
        "import drupe": ("import drupe", "bare interpreter"),
        "drupe --help": (full_help, "bare interpreter"),
        "25 plugins": (full_help, "drupe --help"),
    }
    for target, (subject, base) in pairs.items():
        limit, difference = TARGETS_MS[target], wall[subject] - wall[base]
        verdict = "met" if difference <= limit else "MISSED"
        print(f"target {target}: {difference:.1f} ms of {limit:.0f} ms, {verdict}; {cpu[subject] - cpu[base]:.1f} ms of processor time")


if __name__ == "__main__":
    main()
