"""Decides whether an exported program (`model.pt2`) is data alone, before torch opens it.

torch unpickles parts of such a file, and makes Python code of others: names of inputs, conditions on sizes, formulas of sizes, targets of
calls. So each of these is compared with what an export of tensors writes, and anything else is a reason not to load. Nothing is unpickled,
evaluated or imported here.
"""

from __future__ import annotations

import ast
import io
import json
import keyword
import pickletools
import re
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

__all__ = ["reason_to_distrust"]

_MOST_JSON_BYTES = 256 << 20
_MOST_SAMPLE_BYTES = 1 << 30
_WORDS = {"version", "archive_format", "archive_version", "byteorder", "serialization_id", ".format_version", ".storage_alignment"}
_RAW = re.compile(r"data/(weights/weight|constants/tensor)_\d+")
_PAYLOADS = re.compile(r"data/(weights|constants)/[\w.-]+_config\.json")
_PROGRAM = re.compile(r"models/[\w.-]+\.json")
_SAMPLES = re.compile(r"data/sample_inputs/[\w.-]+\.pt")

_PICKLED = re.compile(
    r"collections OrderedDict|torch\._utils _rebuild_(tensor_v2|parameter)|torch\.storage UntypedStorage"
    r"|torch (\w+Storage|Size|device|b?float\w*|u?int\w*|bool|half|double|long)"
)
"""What a pickled tensor is made of. A pickle can only call what it names."""

_TARGET = re.compile(
    r"torch\.ops\.(aten|prims|prim|quantized_decomposed|higher_order|_c10d_functional|torchvision)\.\w+(\.\w+)?"
    r"|_operator\.\w+|math\.\w+|torch\.(sym_\w+|_sym_\w+)|torch\._check\w*"
)
_WRITES_OR_CALLS = re.compile(r"torch\.ops\.aten\.(from_file|save|__?\w*file\w*)(\.|$)|_operator\.(methodcaller|attrgetter|call)")
_FORMULA = re.compile(r"[\w\s(),=+*/%<>.'-]*")
_FORMULA_WORDS = {
    *("Symbol", "Integer", "Float", "Rational", "Add", "Mul", "Pow", "Mod", "Max", "Min", "Abs", "Eq", "Ne", "Lt", "Le", "Gt", "Ge", "And"),
    *("Or", "Not", "Piecewise", "ExprCondPair", "Equality", "Unequality", "StrictLessThan", "StrictGreaterThan", "LessThan"),
    *("GreaterThan", "FloorDiv", "ModularIndexing", "PythonMod", "CleanDiv", "CeilDiv", "CeilToInt", "FloorToInt", "TruncToInt"),
    *("TruncToFloat", "RoundToInt", "RoundDecimal", "IntTrueDiv", "FloatTrueDiv", "ToFloat", "Identity", "FloatPow", "PowByNatural"),
    *("Where", "LShift", "RShift", "IntInfinity", "NegativeIntInfinity", "positive", "integer", "negative", "nonnegative", "real", "true"),
    *(
        "finite",
        "infinite",
        "zero",
        "nonzero",
        "commutative",
        "extended_real",
        "precision",
        "True",
        "False",
        "oo",
        "int_oo",
        "evaluate",
        "false",
    ),
}
_SYMBOL = re.compile(r"'?[a-z]+_?\d+'?|\d+[a-z]?\d*|'-?[\d.]+(e[+-]?\d+)?'|[\d.]+")
_GUARD_NODES = (
    *(ast.Expression, ast.Compare, ast.BoolOp, ast.And, ast.Or, ast.Not, ast.UnaryOp, ast.USub, ast.BinOp, ast.Add, ast.Sub, ast.Mult),
    *(ast.FloorDiv, ast.Div, ast.Mod, ast.Pow, ast.Eq, ast.NotEq, ast.Lt, ast.LtE, ast.Gt, ast.GtE, ast.Constant, ast.Name, ast.Load),
    *(ast.Subscript, ast.Attribute, ast.Call, ast.Tuple, ast.Is, ast.IsNot, ast.In),
)
_GUARD_NAMES = {"L", "Max", "Min", "FloorDiv", "Mod", "PythonMod", "math", "max", "min", "Eq", "Ne", "True", "False", "None"}
_GUARD_ATTRIBUTES = {"size", "stride", "shape", "storage_offset", "isnan", "inf", "ndim", "dtype", "dim", "numel"}
_FREE = {"stack_trace", "as_string", "comment", "nn_module_stack", "torch_fn", "from_node", "source_fn_stack", "custom"}
_NAMES = {"name", "user_input_name", "graph_input_name"}
_PLAIN = re.compile(r"[\w.:+\- ]{0,400}")
_TREES = {"builtins.tuple", "builtins.list", "builtins.dict", "collections.OrderedDict", None}


def reason_to_distrust(file: Path) -> str | None:
    """Why loading this exported program might run code, in words that name the record; None when it holds tensors and a graph, no more.

    A file that is no readable archive, or has a record that cannot be read, is not loaded either.
    """
    try:
        with zipfile.ZipFile(file) as archive:
            return next(_reasons(archive), None)
    except (zipfile.BadZipFile, zlib.error, OSError, EOFError, NotImplementedError, RuntimeError):
        return "it is no readable archive"


def _reasons(archive: zipfile.ZipFile) -> Iterator[str]:
    records = {info.filename.partition("/")[2]: info for info in archive.infolist() if not info.is_dir()}
    if len(records) < len([info for info in archive.infolist() if not info.is_dir()]):
        yield "two of its records have one name"
    for name, info in records.items():
        if name.rpartition("/")[2] in _WORDS:
            if info.file_size > 100:
                yield f"its record {name!r} is longer than a word"
        elif _RAW.fullmatch(name):
            continue  # bytes of a tensor, if the payloads say so
        elif _SAMPLES.fullmatch(name):
            if info.file_size > _MOST_SAMPLE_BYTES:
                yield f"its record {name!r} is too large to look at"
            else:
                yield from (f"its sample inputs name {what}" for what in _named_by_pickles(archive.read(info)))
        elif _PAYLOADS.fullmatch(name) or _PROGRAM.fullmatch(name):
            yield from _json_reasons(archive, info, name)
        else:
            yield f"it holds {name!r}, which is no part of an export of tensors"


def _json_reasons(archive: zipfile.ZipFile, info: zipfile.ZipInfo, name: str) -> Iterator[str]:
    if info.file_size > _MOST_JSON_BYTES:
        yield f"its record {name!r} is too large to look at"
        return
    try:
        content = json.loads(archive.read(info))
        if _PROGRAM.fullmatch(name):
            yield from _program_reasons(content, "")
        else:
            yield from _payload_reasons(content)
    except (ValueError, TypeError, LookupError, RecursionError, AttributeError) as fault:  # it has another shape than an export's
        yield f"its record {name!r} cannot be read ({type(fault).__name__})"


def _payload_reasons(content: Any) -> Iterator[str]:
    for label, payload in content["config"].items():
        if payload.get("use_pickle") is not False:
            yield f"the tensor {label!r} is pickled"
        if not re.fullmatch(r"(weight|tensor)_\d+", str(payload.get("path_name"))):
            yield f"the tensor {label!r} lies in {payload.get('path_name')!r}"


def _named_by_pickles(content: bytes) -> Iterator[str]:
    """What the pickles of a saved tensor name beside tensors and their parts."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            found = [info for info in archive.infolist() if info.filename.endswith(".pkl")]
            if sum(info.file_size for info in found) > _MOST_SAMPLE_BYTES:
                yield "pickles that are too large to look at"
                return
            pickles = [archive.read(info) for info in found]
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError):
        yield "something unreadable"
        return
    if not pickles:
        yield "something unreadable"
    for pickled in pickles:
        try:
            for opcode, argument, _ in pickletools.genops(pickled):
                if opcode.name == "GLOBAL" and not _PICKLED.fullmatch(str(argument)):
                    yield str(argument).replace(" ", ".")
                elif opcode.name in ("STACK_GLOBAL", "INST", "EXT1", "EXT2", "EXT4"):
                    yield f"something that is put together while it is read ({opcode.name})"
        except ValueError:
            yield "something unreadable"


def _program_reasons(value: Any, key: str) -> Iterator[str]:
    """Every text of the program that could become code and does not look as an export writes it."""
    if isinstance(value, Mapping):
        for inner_key, inner in value.items():
            if not (_PLAIN.fullmatch(str(inner_key))):
                yield f"the key {inner_key!r:.80} is no plain name"
            elif inner_key == "guards_code":
                yield from (f"the condition {guard!r:.120} does more than compare sizes" for guard in inner or () if not _is_guard(guard))
            elif inner_key not in _FREE:
                yield from _program_reasons(inner, str(inner_key))
    elif isinstance(value, list):
        for inner in value:
            yield from _program_reasons(inner, key)
    elif isinstance(value, str) and not _is_harmless(value, key):
        yield f"{key} is {value!r:.120}"


def _is_harmless(text: str, key: str) -> bool:
    if key == "target":
        return bool(_TARGET.fullmatch(text)) and not _WRITES_OR_CALLS.match(text)
    if key == "expr_str":
        return bool(_FORMULA.fullmatch(text)) and all(
            word in _FORMULA_WORDS or _SYMBOL.fullmatch(word) for word in re.findall(r"'[^']*'|[\w.]+", text)
        )
    if key in _NAMES:
        return text == "" or (text.isidentifier() and not keyword.iskeyword(text))
    if key in ("in_spec", "out_spec"):
        return text == "" or _is_tree(json.loads(text))
    return bool(_PLAIN.fullmatch(text))


def _is_tree(value: Any) -> bool:
    """True for the description of tuples, lists and dicts of tensors, with plain names as keys."""
    if isinstance(value, Mapping):
        return value.get("type") in _TREES and all(_is_tree(inner) for key, inner in value.items() if key != "type")
    if isinstance(value, list):
        return all(_is_tree(inner) for inner in value)
    return not isinstance(value, str) or re.fullmatch(r"[\w.\[\]\", -]*", value) is not None


def _is_guard(guard: Any) -> bool:
    """True for a comparison of sizes, strides and numbers of the inputs."""
    try:
        tree = ast.parse(str(guard).strip(), mode="eval")
    except (SyntaxError, ValueError, RecursionError):
        return False
    for node in ast.walk(tree):
        if not isinstance(node, _GUARD_NODES):
            return False
        if isinstance(node, ast.Name) and node.id not in _GUARD_NAMES:
            return False
        if isinstance(node, ast.Attribute) and node.attr not in _GUARD_ATTRIBUTES:
            return False
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and not re.fullmatch(r"[\w.]*", node.value):
            return False
    return "\n" not in str(guard)
