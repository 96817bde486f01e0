"""Who may import whom: the contracts in the root pyproject.toml."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
RUN = "from importlinter.cli import lint_imports_command; lint_imports_command()"


def lint(*arguments: str) -> subprocess.CompletedProcess[str]:
    environ = {**os.environ, "NO_COLOR": "1", "COLUMNS": "200"}
    return subprocess.run(
        [sys.executable, "-c", RUN, "--no-cache", "--no-logo", *arguments],
        cwd=ROOT,
        env=environ,
        capture_output=True,
        text=True,
        check=False,
    )


def test_rooms_and_plugins_import_only_what_they_may() -> None:
    done = lint()
    assert done.returncode == 0, done.stdout + done.stderr
    assert "5 kept, 0 broken" in done.stdout


def test_the_check_sees_a_forbidden_import(tmp_path: Path) -> None:
    config = tmp_path / "contract.toml"
    config.write_text(
        '[tool.importlinter]\nroot_packages = ["drupe"]\ninclude_external_packages = true\n'
        '[[tool.importlinter.contracts]]\nname = "none"\ntype = "forbidden"\nsource_modules = ["drupe.loading"]\nforbidden_modules = ["pluggy"]\n'
    )
    done = lint("--config", str(config))
    assert done.returncode == 1
    assert "drupe.loading.loader -> pluggy" in done.stdout


def test_every_plugin_of_the_workspace_is_under_the_contracts() -> None:
    import tomllib

    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]
    packages = {path.parent.name for path in ROOT.glob("plugins/*/drupe_*/__init__.py")}
    assert set(contracts["root_packages"]) == {"drupe", *packages}
    for contract in contracts["contracts"]:
        if contract["id"].startswith("plugin"):
            assert set(contract.get("source_modules") or contract["modules"]) == packages
