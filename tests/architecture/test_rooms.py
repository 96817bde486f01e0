"""The shape of the code: rooms of a readable size, honest `__all__`, a docstring each, names from the domain."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import drupe

ROOT = Path(__file__).parents[2]
MODULES = sorted([*ROOT.glob("kernel/drupe/**/*.py"), *ROOT.glob("plugins/*/drupe_*/**/*.py")])
FRONT_DOORS = set(ROOT.glob("plugins/*/drupe_*/__init__.py"))
VAGUE = {"base", "common", "core", "helper", "helpers", "misc", "stuff", "tools", "util", "utils"}
MAX_LINES = 450


def name(path: Path) -> str:
    return str(path.relative_to(ROOT))


def exported(tree: ast.Module) -> list[str] | None:
    """The literal `__all__` of a module, or None where there is none or it is computed."""
    for node in tree.body:
        if isinstance(node, ast.Assign) and any(isinstance(target, ast.Name) and target.id == "__all__" for target in node.targets):
            return (
                [entry.value for entry in node.value.elts]
                if isinstance(node.value, ast.List) and all(isinstance(e, ast.Constant) for e in node.value.elts)
                else []
            )
    return None


def constants_first(public: str) -> tuple[int, str]:
    """The order that isort has: constants, classes, functions."""
    return (0 if public.isupper() else 1 if public[0].isupper() else 2, public)


def defined(tree: ast.Module) -> set[str]:
    return {
        node.name
        for node in tree.body
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) and not node.name.startswith("_")
    }


@pytest.mark.parametrize("path", MODULES, ids=name)
def test_a_room_can_be_read_in_one_sitting_and_says_what_it_is_for(path: Path) -> None:
    text = path.read_text()
    assert len(text.splitlines()) <= MAX_LINES
    assert ast.get_docstring(ast.parse(text)), "the module has no docstring"
    assert path.stem not in VAGUE
    assert path.parent.name not in VAGUE


@pytest.mark.parametrize("path", [path for path in MODULES if path.name != "__main__.py" and path not in FRONT_DOORS], ids=name)
def test_all_names_what_is_public_and_nothing_else(path: Path) -> None:
    tree = ast.parse(path.read_text())
    names, public = exported(tree), defined(tree)
    if names is None:
        assert not public, f"__all__ is missing; public are {sorted(public)}"
        return
    if path.name == "__init__.py" and not names:
        return  # a porch computes its names from a table; the test below asks for each
    assert names in (sorted(names), sorted(names, key=constants_first))
    assert public <= set(names)
    bound = {alias.asname or alias.name for node in ast.walk(tree) if isinstance(node, ast.Import | ast.ImportFrom) for alias in node.names}
    bound |= {found.id for found in ast.walk(tree) if isinstance(found, ast.Name) and isinstance(found.ctx, ast.Store)}
    assert set(names) <= public | bound, "__all__ names what is not there"


@pytest.mark.parametrize("public", sorted(drupe.__all__))
def test_a_name_on_the_porch_leads_somewhere(public: str) -> None:
    assert getattr(drupe, public) is not None


def test_type_checkers_see_the_same_porch() -> None:
    for porch in (drupe, __import__("drupe.extend").extend):
        stub = ast.parse(Path(porch.__file__).with_suffix(".pyi").read_text())
        seen = {alias.asname or alias.name for node in stub.body if isinstance(node, ast.ImportFrom) for alias in node.names}
        seen |= {node.target.id for node in stub.body if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name)}
        assert set(porch.__all__) <= seen | {"__all__"}
