"""The command line and the variables that a program was started with, without what is secret in them.

A value is secret when its option's name says so (`--api-key`, `db.password=`), when it is in an address, or when it has the shape of a
well-known kind of token. What has neither name nor shape cannot be known: pass secrets by the environment, which is not kept.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence

from drupe.settings.secrets import HIDDEN, is_secret
from drupe.uris import redact

__all__ = ["VARIABLES", "command_line", "kept_variables", "without_secrets"]

ARGUMENT_MAX, ARGUMENTS_MAX = 500, 200
LINE_MAX = 2000
VARIABLES = (
    *("CUDA_VISIBLE_DEVICES", "NVIDIA_VISIBLE_DEVICES", "HIP_VISIBLE_DEVICES", "ROCR_VISIBLE_DEVICES", "TPU_VISIBLE_CHIPS"),
    *("WORLD_SIZE", "RANK", "LOCAL_RANK", "LOCAL_WORLD_SIZE", "NODE_RANK", "GROUP_RANK", "MASTER_ADDR", "MASTER_PORT"),
    *("OMPI_COMM_WORLD_RANK", "OMPI_COMM_WORLD_SIZE", "PMI_RANK", "PMI_SIZE"),
    *("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "CUBLAS_WORKSPACE_CONFIG", "PYTHONHASHSEED", "XLA_FLAGS"),
    *("SLURM_JOB_ID", "SLURM_JOB_NAME", "SLURM_JOB_PARTITION", "SLURM_ARRAY_JOB_ID", "SLURM_ARRAY_TASK_ID", "SLURM_NNODES"),
    *("SLURM_NTASKS", "SLURM_PROCID", "SLURM_LOCALID", "SLURM_JOB_NODELIST", "PBS_JOBID", "LSB_JOBID", "JOB_ID"),
)
"""Variables that say on what and as which part of a group the program runs; no others are kept."""

_NAMED = re.compile(r"(?P<name>-{0,2}[A-Za-z_][\w.\-/]*)(?P<mark>[=:])(?P<value>.+)", re.DOTALL)
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
# All repetitions are bounded, so that no line takes long, whatever it holds.
_SHAPES = re.compile(
    r"\b(?:gh[pousr]_[A-Za-z0-9]{20,200}|github_pat_\w{20,200}|glpat-[\w\-]{16,200}|hf_[A-Za-z0-9]{20,200}|sk-[\w\-]{16,200}"
    r"|xox[abprs]-[\w\-]{10,200}|(?:AKIA|ASIA)[A-Z0-9]{16}|AIza[\w\-]{30,200}|dapi[a-f0-9]{32}|pypi-[\w\-]{20,500}"
    r"|eyJ[\w\-]{8,500}\.eyJ[\w\-]{8,2000}\.[\w\-]{0,2000})"
)
_ASSIGNED = re.compile(
    r"""(?<![\w.])(?P<name>-{0,2}[A-Za-z_][\w.\-]{0,80}+)"""
    r"""(?P<mark>["']?[ \t]{0,8}(?::[ \t]{0,8}str[ \t]{0,8})?[:=][ \t]{0,8}[fbr]{0,2})"""
    r"""(?P<value>"[^"\n]{1,500}+"|'[^'\n]{1,500}+'|[^\s"'(){}\[\],;]{8,500}+(?=[ \t]{0,8}$))""",
    re.MULTILINE,
)
_HINT = re.compile(r"pass|pwd|secret|token|credential|auth|key|sas|connection|dsn", re.IGNORECASE)
_KEY_BEGINS = re.compile(r"-----BEGIN [A-Z ]{0,40}PRIVATE KEY-----(?=\\n|\s*\n)")
_KEY_ENDS = re.compile(r"-----END [A-Z ]{0,40}PRIVATE KEY-----")


def command_line(arguments: Sequence[str]) -> list[str]:
    """The arguments as they may be kept: secrets are `***`, the interpreter is its name, very long ones are cut."""
    kept: list[str] = []
    secret_name = ""
    for place, argument in enumerate(arguments[:ARGUMENTS_MAX]):
        if secret_name and not argument.startswith("--"):
            kept.append(HIDDEN if _is_secret(secret_name, argument) else argument)
            secret_name = ""
            continue
        secret_name = argument if argument.startswith("-") and "=" not in argument and _is_secret(argument) else ""
        shown = os.path.basename(argument) if place == 0 else _shown(argument)
        kept.append(shown if len(shown) <= ARGUMENT_MAX else f"{shown[:ARGUMENT_MAX]}… ({len(argument)} characters)")
    if len(arguments) > ARGUMENTS_MAX:
        kept.append(f"… ({len(arguments)} arguments)")
    return kept


def kept_variables(environ: Mapping[str, str]) -> dict[str, str]:
    """Those of VARIABLES that are set."""
    return {name: _SHAPES.sub(HIDDEN, redact(environ[name])) for name in VARIABLES if environ.get(name)}


def without_secrets(text: str) -> str:
    """A text such as a diff with what is secret in it replaced: addresses, well-known tokens, private keys, texts assigned to secret names.

    Lines of more than LINE_MAX characters, which nobody wrote by hand, are cut. Works line by line, so that other threads get their turn.
    """
    return "".join(_line(line) for line in _without_keys(text).splitlines(keepends=True))


def _line(line: str) -> str:
    if len(line) > LINE_MAX:
        line = f"{line[:LINE_MAX]}… ({len(line)} characters)" + ("\n" if line.endswith("\n") else "")
    line = _SHAPES.sub(HIDDEN, redact(line))
    return _ASSIGNED.sub(_assigned, line) if _HINT.search(line) else line


def _without_keys(text: str) -> str:
    """`text` without what stands between the lines around private keys; one that does not end hides the rest."""
    kept, place = [], 0
    while begin := _KEY_BEGINS.search(text, place):
        end = _KEY_ENDS.search(text, begin.end())
        kept += [text[place : begin.end()], f" {HIDDEN} "]
        place = end.start() if end else len(text)
    return "".join([*kept, text[place:]])


def _assigned(found: re.Match[str]) -> str:
    value = found["value"]
    quote = value[0] if value[0] in "\"'" else ""
    is_literal = quote or any(letter.isdigit() for letter in value)  # `token = other_name` is code
    if not (is_literal and _is_secret(found["name"], value)):
        return found[0]
    return f"{found['name']}{found['mark']}{quote}{HIDDEN}{quote}"


def _shown(argument: str) -> str:
    named = _NAMED.fullmatch(argument)
    if named is not None and _is_secret(named["name"], named["value"]) and not named["value"].startswith("//"):
        return f"{named['name']}{named['mark']}{HIDDEN}"
    return without_secrets(argument)


def _is_secret(name: str, value: str = "") -> bool:
    """True when the name says so. A number of tokens, as language models have it, is none."""
    plain = _CAMEL.sub("_", name.lstrip("-")).replace("-", "_").replace("/", ".")
    return is_secret(plain) and not (plain.lower().endswith("tokens") and value.strip("\"'").replace(".", "").isdecimal())
