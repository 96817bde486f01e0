"""What starting costs, as things that can be counted; times are in benchmarks/startup.py."""

from __future__ import annotations

import gc
import re
from importlib.metadata import PackageNotFoundError, distribution
from typing import Any

from drupe.lazy import load

HEAVY = (
    "attr",
    "attrs",
    "cattrs",
    "rich",
    "yaml",
    "tomlkit",
    "sqlalchemy",
    "numpy",
    "pandas",
    "sklearn",
    "logging",
    "asyncio",
    "drupe.client",
)
ROOMS = ("entities", "search", "tracking", "registry", "models", "artifacts", "testing", "uris", "extend.artifact_repo", "extend.flavor")


def test_importing_drupe_imports_nothing_but_the_porch(house: Any) -> None:
    done = house.run(
        "-S",
        "-c",
        "import sys; sys.path.append(sys.argv[1]); before = set(sys.modules)\nimport drupe\nprint(*sorted(set(sys.modules) - before))",
        _kernel(),
    )
    new = set(done.out.split())
    assert "drupe" in new, done.err
    assert not {name for name in new if name.startswith("drupe.")}
    assert len(new) <= 8, new
    assert not new & {"typing", "re", "enum", "collections", "functools"}


def test_help_imports_neither_commands_nor_heavy_libraries_nor_implementations(house: Any) -> None:
    for number in range(25):
        house.install(f"extra-{number:02}")
    done = house.run("-c", "import sys\nfrom drupe.cli.main import main\nmain(['--help'])\nprint(*sys.modules)")
    assert done.code == 0, done.err
    loaded = done.out.splitlines()[-1].split()
    assert "acme_extra_24" in loaded
    assert not {name for name in loaded if name.startswith("acme_") and "." in name}
    assert {name for name in loaded if name.startswith("drupe.cli.")} == {"drupe.cli.main", "drupe.cli.lazy_group"}
    assert not {name for name in loaded if name in HEAVY or name.startswith(tuple(f"drupe.{room}" for room in ROOMS))}


def test_a_built_in_command_does_not_load_plugins_to_be_found(house: Any) -> None:
    house.install("loud", "print('imported')")
    done = house.drupe("config", "path")
    assert done.code == 0
    assert "imported" not in done.err


def test_the_first_metric_imports_no_library_that_it_does_without(house: Any) -> None:
    done = house.run("-c", "import sys, drupe\nwith drupe.start_run(): drupe.log_metric('loss', 0.5)\nprint(*sys.modules)")
    assert done.code == 0, done.err
    loaded = set(done.out.split())
    assert "sqlalchemy" in loaded
    assert not loaded & {"click", "numpy", "pandas", "requests", "rich", "sklearn", "tomlkit", "yaml"}
    assert not {name for name in loaded if name.startswith(("drupe.notebook", "drupe.models.card"))}


def test_loading_leaves_the_garbage_collector_as_it_was() -> None:
    assert gc.isenabled()
    load("drupe.lazy:load")
    assert gc.isenabled()
    gc.disable()
    try:
        load("drupe.lazy:load")
        assert not gc.isenabled()
    finally:
        gc.enable()


def test_the_kernel_installs_at_most_fifteen_third_party_distributions() -> None:
    found: set[str] = set()
    waiting = ["drupe-kernel"]
    while waiting:
        name = waiting.pop()
        try:
            requires = distribution(name).requires or []
        except PackageNotFoundError:
            continue
        for requirement in requires:
            needed, _, marker = requirement.partition(";")
            other = re.sub(r"[-_.]+", "-", re.split(r"[\s<>=!~\[(]", needed.strip())[0]).lower()
            if "extra ==" not in marker and other not in found:
                found.add(other)
                waiting.append(other)
    assert {"pluggy", "attrs", "click"} <= found
    assert len(found) <= 15, sorted(found)


def _kernel() -> str:
    import drupe

    return str(drupe.__path__[0]).rpartition("/")[0]
