"""The three files that say what a model needs to run: requirements.txt, conda.yaml, python_env.yaml (and constraints.txt).

Requirements come from the flavor, pinned to what is installed, unless the user gives their own. Nothing is imported or downloaded to
find them, and no user name or password of a package index gets into them.
"""

from __future__ import annotations

import platform
import re
import warnings
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from attrs import frozen

from drupe.errors import InvalidValue
from drupe.models.pinning import installed_release
from drupe.models.yaml_text import read_yaml, write_yaml
from drupe.uris import redact_options

__all__ = [
    "CONDA_FILE",
    "CONSTRAINTS_FILE",
    "LOCK_FILE",
    "PYTHON_ENV_FILE",
    "REQUIREMENTS_FILE",
    "Requirements",
    "choose_requirements",
]

REQUIREMENTS_FILE = "requirements.txt"
CONSTRAINTS_FILE = "constraints.txt"
LOCK_FILE = "requirements.lock"
CONDA_FILE = "conda.yaml"
PYTHON_ENV_FILE = "python_env.yaml"

_LOGIN = re.compile(r"(?P<scheme>[A-Za-z][A-Za-z0-9+.-]*://)(?P<login>[^/\s]+)@")
_PLACEHOLDER = re.compile(r"(\$\{\w+\})(:\$\{\w+\})?|\w*:\$\{\w+\}")
_PROJECT = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_RELEASES = r"(?:[<>=!~]=|===|<|>)\s*[\w.*+!-]+"
_BY_NAME = re.compile(
    rf"{_PROJECT.pattern}\s*(?:\[[^\]]*\]\s*)?(?:@.+|\(?\s*(?:{_RELEASES}(?:\s*,\s*{_RELEASES})*\s*,?)?\s*\)?\s*(?:;.+)?(?:\s--.+)?)"
)
"""A requirement as PEP 508 has it, with what pip takes beyond it; markers and hashes are not looked into."""


@frozen
class Requirements:
    """Lines of requirements.txt and constraints.txt; `conda` is the user's own conda environment, if one was given."""

    lines: tuple[str, ...]
    constraints: tuple[str, ...] = ()
    conda: Mapping[str, Any] | None = None

    def write(self, folder: Path) -> None:
        """Write the environment files into `folder`."""
        lines = [*self.lines, *([f"-c {CONSTRAINTS_FILE}"] if self.constraints else [])]
        (folder / REQUIREMENTS_FILE).write_text("\n".join(lines), encoding="utf-8")  # MLflow ends it without a line break, too
        if self.constraints:
            (folder / CONSTRAINTS_FILE).write_text("\n".join(self.constraints), encoding="utf-8")
        python = platform.python_version()
        pip = installed_release("pip")
        conda = self.conda or {
            "channels": ["conda-forge"],
            "dependencies": [f"python={python}", f"pip<={pip}" if pip else "pip", {"pip": lines}],
            "name": "mlflow-env",
        }
        write_yaml(folder / CONDA_FILE, dict(conda))
        tools = [
            f"{name}=={installed_release(name)}" if installed_release(name) and name != "wheel" else name
            for name in ("pip", "setuptools", "wheel")
        ]
        write_yaml(
            folder / PYTHON_ENV_FILE,
            {"python": python, "build_dependencies": tools, "dependencies": [f"-r {REQUIREMENTS_FILE}"]},
            sort_keys=False,
        )


def choose_requirements(
    found: Sequence[str],
    *,
    given: str | Path | Iterable[str] | None = None,
    extra: str | Path | Iterable[str] | None = None,
    conda: str | Path | Mapping[str, Any] | None = None,
) -> Requirements:
    """The flavor's requirements (`found`), or the user's: `given` replaces them, `extra` adds to them, `conda` is a whole environment.

    `given` and `extra` are lists of lines, or the path of a requirements file; `-r FILE` and `-c FILE` lines are read in. Raises
    InvalidValue when more than one is given, a file cannot be read, or a line is none that pip takes.
    """
    if sum(part is not None for part in (given, extra, conda)) > 1:
        raise InvalidValue("give one of pip_requirements, extra_pip_requirements and conda_env")
    if conda is not None:
        return _from_conda(conda)
    constraints: list[str] = []
    lines = _lines(given if given is not None else extra if extra is not None else (), constraints)
    if given is None:
        named = {_project(line) for line in lines} - {None}
        lines = sorted({line for line in found if _project(line) not in named}, key=str.lower) + lines
    return Requirements(_clean(lines), _clean(constraints))


def _project(line: str) -> str | None:
    match = _PROJECT.match(line)
    return re.sub(r"[-_.]+", "-", match[0]).lower() if match else None


def _lines(given: str | Path | Iterable[str], constraints: list[str], base: Path | None = None, depth: int = 0) -> list[str]:
    if depth > 10:
        raise InvalidValue("requirements files include each other")
    if isinstance(given, str | Path):
        file = Path(given) if base is None else base / given
        try:
            text = file.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as fault:
            raise InvalidValue(f"the requirements file {str(given)!r} cannot be read: {fault}") from fault
        given, base = text.replace("\\\n", " ").splitlines(), file.parent
    lines: list[str] = []
    for line in given:
        if not isinstance(line, str):
            raise InvalidValue(f"requirements are text, such as 'pandas>=2', not {line!r}")
        line = re.sub(r"(^|\s)#.*$", "", line).strip()
        option = re.match(r"(-r|--requirement|-c|--constraint)(?:\s+|=)(?P<file>.+)$", line)
        if option is None:
            lines += [_checked(line)] if line else []
        elif option[1] in ("-c", "--constraint"):
            constraints += _lines(option["file"], [], base, depth + 1)
        else:
            lines += _lines(option["file"], constraints, base, depth + 1)
    return lines


def _checked(line: str) -> str:
    """The line itself; an environment that pip cannot build would be noticed far from here, by whoever loads the model."""
    is_place = line.startswith(("-", ".", "$")) or "/" in line or "\\" in line
    if not is_place and not _BY_NAME.fullmatch(line):
        raise InvalidValue(f"{line[:200]!r} is no requirement; write it as pip takes it, such as 'pandas>=2,<3' or 'torch==2.9.1+cpu'")
    return line


def _clean(lines: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(_without_logins(line) for line in lines))


def _without_logins(entry: Any) -> Any:
    return redact_options(_LOGIN.sub(_without_login, entry)) if isinstance(entry, str) else entry


def _without_login(match: re.Match[str]) -> str:
    if _PLACEHOLDER.fullmatch(unquote(match["login"])):
        return match[0]  # pip fills in ${NAME} from the environment; nothing is given away
    user, colon, _ = match["login"].partition(":")
    if match["scheme"].lower().endswith("ssh://"):
        if not colon:
            return match[0]  # git@host: whom to be there, no secret
        kept = f"{match['scheme']}{user}@"
    else:
        kept = match["scheme"]
    warnings.warn(
        "a user or password in a requirement was left out of the model's environment files; write it as ${NAME}, which pip reads from the "
        "environment",
        stacklevel=2,
    )
    return kept


def _from_conda(given: str | Path | Mapping[str, Any]) -> Requirements:
    conda = read_yaml(Path(given)) if isinstance(given, str | Path) else given
    if not isinstance(conda, Mapping) or not isinstance(conda.get("dependencies"), list):
        raise InvalidValue("conda_env needs a map with a list of dependencies, or the path of such a YAML file")
    constraints: list[str] = []
    pip = [line for entry in conda["dependencies"] if isinstance(entry, Mapping) for line in entry.get("pip") or ()]
    lines = _clean(_lines(pip, constraints))
    dependencies = [
        {"pip": list(_clean(entry["pip"] or ()))} if isinstance(entry, Mapping) and "pip" in entry else _without_logins(entry)
        for entry in conda["dependencies"]
    ]
    channels = {"channels": [_without_logins(entry) for entry in conda["channels"]]} if isinstance(conda.get("channels"), list) else {}
    return Requirements(lines, _clean(constraints), {**conda, **channels, "dependencies": dependencies})
