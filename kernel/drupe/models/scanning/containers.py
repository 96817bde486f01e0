"""Archives and compressed files: what is in them, looked at member by member with bounds, and tricks of their own.

Also the formats that are archives underneath: skops, Keras, torch, numpy. Nothing is written anywhere.
"""

from __future__ import annotations

import ast
import bz2
import gzip
import io
import json
import lzma
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import PurePosixPath
from typing import IO, TYPE_CHECKING, Any, cast

from drupe.models.scanning.findings import Budget, Finding

if TYPE_CHECKING:
    from drupe.models.scanning.files import Content

__all__ = ["container_findings"]

Inspect = Callable[..., Iterator[Finding]]

_MOST_RATIO = 500
_SMALL_BYTES = 2**20
_LARGEST_SCHEMA_BYTES = 64 * 2**20
_TOO_MUCH = "holds more than can be looked at"
_COMPRESSED: dict[bytes, Callable[[IO[bytes]], IO[bytes]]] = {
    b"\x1f\x8b": lambda stream: cast("IO[bytes]", gzip.GzipFile(fileobj=stream)),
    b"BZh": bz2.BZ2File,
    b"\xfd7zXZ\x00": lzma.LZMAFile,
    b"]\x00\x00": lzma.LZMAFile,
}
_CLOSED = {
    b"\x28\xb5\x2f\xfd": "zstandard",
    b"\x04\x22\x4d\x18": "lz4",
    b"7z\xbc\xaf\x27\x1c": "7-zip",
    b"Rar!": "RAR",
    b"\xff\x06\x00\x00sNaPpY": "snappy",
}
_SKOPS_MODULES = {"sklearn", "numpy", "scipy", "builtins"}
_SKOPS_BUILTINS = {
    "bool",
    "bytearray",
    "bytes",
    "complex",
    "dict",
    "float",
    "frozenset",
    "int",
    "list",
    "set",
    "slice",
    "str",
    "tuple",
    "NoneType",
    "type",
}
_KERAS_MODULES = ("keras", "tensorflow", "tf_keras", "builtins")


def container_findings(content: Content, head: bytes, budget: Budget, depth: int, inspect: Inspect) -> Iterator[Finding] | None:
    """What the inside of an archive could do; None when it is none. `inspect` looks at what is found in it."""
    for mark, name in _CLOSED.items():
        if head.startswith(mark):
            return iter([Finding(content.path, f"is compressed with {name}, which cannot be looked into here")])
    parts = []
    if head.startswith(b"\x93NUMPY"):
        parts.append(_in_numpy(content))
    if head.startswith(b"\x89HDF\r\n\x1a\n"):
        parts.append(_in_hdf5(content))
    if _is_zip(content):
        parts.append(_in_zip(content, budget, depth, inspect))
    if head[257:262] == b"ustar" or _is_old_tar(head):
        parts.append(_in_tar(content, budget, depth, inspect))
    for mark, opened in _COMPRESSED.items():
        if head.startswith(mark):
            parts.append(_in_compressed(content, opened, budget, depth, inspect))
    if _is_zlib(head):
        parts.append(_in_compressed(content, _unzlib, budget, depth, inspect))
    return (finding for part in parts for finding in part) if parts else None


# --- zip, and what is one underneath


def _is_zip(content: Content) -> bool:
    try:
        with content.open() as stream:
            return zipfile.is_zipfile(stream)
    except (OSError, ValueError):
        return False


def _in_zip(content: Content, budget: Budget, depth: int, inspect: Inspect) -> Iterator[Finding]:
    if depth >= budget.depth:
        yield Finding(content.path, f"is an archive within {depth} others, which is deeper than is looked at")
        return
    try:
        with content.open() as stream, zipfile.ZipFile(stream) as archive:
            yield from _of_members(content, archive, budget, depth, inspect)
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, zlib.error, lzma.LZMAError, EOFError, ValueError, OSError) as fault:
        yield Finding(content.path, f"is an archive that cannot be read: {fault}")


def _of_members(content: Content, archive: zipfile.ZipFile, budget: Budget, depth: int, inspect: Inspect) -> Iterator[Finding]:
    members = archive.infolist()
    names = [member.filename for member in members]
    if len(set(names)) < len(names):
        yield Finding(content.path, "has several members of one name, so that what is looked at need not be what is loaded")
    storages = _torch_storages(names)
    for member in members:
        path = f"{content.path}!{member.filename}"
        if member.is_dir():
            continue
        if _leads_out(member.filename):
            yield Finding(path, "would be unpacked outside of the folder")
        elif member.flag_bits & 1:
            yield Finding(path, "is encrypted, so it cannot be looked into")
        elif not budget.member() or not budget.take(member.file_size) or _swells(member):
            yield Finding(content.path, _TOO_MUCH)
            return
        elif member.filename in storages:
            continue
        elif member.filename == "schema.json" and member.file_size <= _LARGEST_SCHEMA_BYTES:
            yield from _in_skops(path, archive.read(member))
        elif member.filename in ("config.json", "metadata.json") and member.file_size <= _LARGEST_SCHEMA_BYTES:
            yield from _in_keras(path, archive.read(member))
        else:
            yield from inspect(_member(content, path, member), budget, depth=depth + 1)


def _swells(member: zipfile.ZipInfo) -> bool:
    return member.file_size > _SMALL_BYTES and member.file_size > _MOST_RATIO * max(member.compress_size, 1)


def _member(content: Content, path: str, member: zipfile.ZipInfo) -> Content:
    def opened() -> IO[bytes]:
        stream = content.open()
        archive = zipfile.ZipFile(stream)
        inner = archive.open(member)
        close = inner.close

        def close_all() -> None:
            close()
            archive.close()
            stream.close()

        inner.close = close_all  # type: ignore[method-assign]
        return inner

    return type(content)(path, member.file_size, opened)


def _torch_storages(names: list[str]) -> set[str]:
    """The members of a torch archive that are raw numbers: they are given to the tensors that `data.pkl` makes, and read as nothing else."""
    roots = {name.removesuffix("data.pkl") for name in names if name.endswith("/data.pkl") or name == "data.pkl"}
    found = set()
    for name in names:
        for root in roots:
            rest = name.removeprefix(root)
            if name.startswith(root) and (
                (rest.startswith("data/") and rest[5:].isdigit())
                or rest in ("byteorder", "version", ".format_version", ".storage_alignment")
            ):
                found.add(name)
    return found


def _in_skops(path: str, content: bytes) -> Iterator[Finding]:
    """The types that a skops file asks for. skops itself refuses those that it does not trust; here those that it cannot trust are told."""
    try:
        names = sorted(set(_skops_types(json.loads(content))))
    except (ValueError, RecursionError) as fault:
        yield Finding(path, f"cannot be read: {fault}")
        return
    beyond = tuple(name for name in names if not _is_of_skops(name))
    if beyond:
        yield Finding(path, f"asks for types that skops does not trust: {', '.join(beyond[:5])}", beyond, beyond)


def _skops_types(node: Any) -> Iterator[str]:
    waiting = [node]
    while waiting:
        one = waiting.pop()
        if isinstance(one, dict):
            if isinstance(one.get("__class__"), str):
                yield f"{one.get('__module__')}.{one['__class__']}"
            if isinstance(one.get("content"), dict) and isinstance(one["content"].get("module_path"), str):
                yield f"{one['content']['module_path']}.{one['content'].get('function')}"
            waiting.extend(one.values())
        elif isinstance(one, list):
            waiting.extend(one)


def _is_of_skops(name: str) -> bool:
    module, _, kind = name.rpartition(".")
    top = module.partition(".")[0]
    if top == "builtins":
        return kind in _SKOPS_BUILTINS
    return top in _SKOPS_MODULES or module == "collections"


def _in_keras(path: str, content: bytes) -> Iterator[Finding]:
    """Layers of a Keras model that hold Python code, or are looked up in modules of others."""
    try:
        waiting = [json.loads(content)]
    except (ValueError, RecursionError):
        yield Finding(path, "cannot be read as JSON")
        return
    found: dict[str, None] = {}
    while waiting:
        one = waiting.pop()
        if isinstance(one, dict):
            kind, module = one.get("class_name"), one.get("module")
            if kind == "Lambda" or kind == "__lambda__":
                found["Lambda"] = None
            elif isinstance(kind, str) and isinstance(module, str) and module.partition(".")[0] not in _KERAS_MODULES:
                found[f"{module}.{kind}"] = None
            waiting.extend(one.values())
        elif isinstance(one, list):
            waiting.extend(one)
    if "Lambda" in found:
        yield Finding(path, "has a Lambda layer, which is Python code", ("keras.layers.Lambda",), ("keras.layers.Lambda",))
    others = tuple(name for name in found if name != "Lambda")
    if others:
        yield Finding(path, f"is built of {', '.join(others[:5])}, which is not Keras' own", others, others)


# --- tar and compressed files


def _is_old_tar(head: bytes) -> bool:
    """A tar file without its mark: the first block has a checksum."""
    try:
        return (
            len(head) >= tarfile.BLOCKSIZE
            and any(head[:100])
            and bool(tarfile.TarInfo.frombuf(head[: tarfile.BLOCKSIZE], "utf-8", "surrogateescape"))
        )
    except tarfile.TarError:
        return False


def _in_tar(content: Content, budget: Budget, depth: int, inspect: Inspect) -> Iterator[Finding]:
    if depth >= budget.depth:
        yield Finding(content.path, f"is an archive within {depth} others, which is deeper than is looked at")
        return
    try:
        with content.open() as stream, tarfile.open(fileobj=stream, mode="r:") as archive:
            for member in archive:
                path = f"{content.path}!{member.name}"
                if _leads_out(member.name):
                    yield Finding(path, "would be unpacked outside of the folder")
                elif member.issym() or member.islnk():
                    yield Finding(path, f"is a link to {member.linkname[:100]}")
                elif not member.isfile():
                    if not member.isdir():
                        yield Finding(path, "is neither a file nor a folder")
                elif not budget.member() or not budget.take(member.size):
                    yield Finding(content.path, _TOO_MUCH)
                    return
                else:
                    inner = archive.extractfile(member)
                    payload = inner.read() if inner is not None else b""
                    yield from inspect(_held(content, path, payload), budget, depth=depth + 1)
    except (tarfile.TarError, OSError, ValueError, EOFError) as fault:
        yield Finding(content.path, f"is an archive that cannot be read: {fault}")


def _is_zlib(head: bytes) -> bool:
    if len(head) < 6 or head[0] & 15 != 8 or head[0] >> 4 > 7 or int.from_bytes(head[:2], "big") % 31:
        return False
    try:
        return bool(zlib.decompressobj().decompress(head, 64))
    except zlib.error:
        return False


def _unzlib(stream: IO[bytes]) -> IO[bytes]:
    return io.BufferedReader(_Inflated(stream))


class _Inflated(io.RawIOBase):
    def __init__(self, stream: IO[bytes]) -> None:
        self._stream, self._inflate = stream, zlib.decompressobj()

    def readable(self) -> bool:
        return True

    def readinto(self, target: Any) -> int:
        while not self._inflate.eof:
            waiting = self._inflate.unconsumed_tail or self._stream.read(65536)
            if not waiting:
                raise EOFError("the compressed data ends too early")
            made = self._inflate.decompress(waiting, len(target))
            if made:
                target[: len(made)] = made
                return len(made)
        return 0


def _in_compressed(
    content: Content, opened: Callable[[IO[bytes]], IO[bytes]], budget: Budget, depth: int, inspect: Inspect
) -> Iterator[Finding]:
    if depth >= budget.depth:
        yield Finding(content.path, f"is compressed {depth} times over, which is deeper than is looked at")
        return
    most = max(_SMALL_BYTES, min(budget.unpacked_bytes, content.size * _MOST_RATIO))
    try:
        with content.open() as stream, opened(stream) as plain:
            payload = plain.read(most + 1)
    except (OSError, EOFError, zlib.error, lzma.LZMAError, ValueError) as fault:
        yield Finding(content.path, f"is compressed and cannot be read: {fault}")
        return
    if len(payload) > most or not budget.take(len(payload)):
        yield Finding(content.path, _TOO_MUCH)
        return
    yield from inspect(
        _held(content, f"{content.path}!{PurePosixPath(content.path.rpartition('!')[2]).stem}", payload), budget, depth=depth + 1
    )


def _held(content: Content, path: str, payload: bytes) -> Content:
    return type(content)(path, len(payload), lambda: io.BytesIO(payload))


def _leads_out(name: str) -> bool:
    parts = name.replace("\\", "/").split("/")
    return name.startswith(("/", "\\")) or ".." in parts or (len(parts[0]) == 2 and parts[0][1] == ":")


# --- arrays


def _in_numpy(content: Content) -> Iterator[Finding]:
    """Arrays of objects are pickles; all others are numbers and texts."""
    with content.open() as stream:
        stream.read(6)
        major = stream.read(2)[:1]
        width = 2 if major == b"\x01" else 4
        header = stream.read(min(int.from_bytes(stream.read(width), "little"), 2**20))
    try:
        described = ast.literal_eval(header.decode("latin-1").strip())["descr"]
    except (SyntaxError, ValueError, KeyError, TypeError, RecursionError, MemoryError):
        yield Finding(content.path, "is an array whose header cannot be read")
        return
    if _has_objects(described):
        yield Finding(content.path, "is an array of objects, which are kept as a pickle", ("pickle",))


def _has_objects(described: Any) -> bool:
    if isinstance(described, str):
        return "O" in described
    if isinstance(described, list):  # fields: (name, type) or (name, type, shape)
        return any(_has_objects(field[1:] if isinstance(field, tuple) else field) for field in described)
    return isinstance(described, tuple) and any(_has_objects(part) for part in described)


def _in_hdf5(content: Content) -> Iterator[Finding]:
    """Old Keras files keep their configuration as JSON text inside; a Lambda layer in it is Python code."""
    tail = b""
    with content.open() as stream:
        for chunk in iter(lambda: stream.read(2**20), b""):
            if any(mark in tail + chunk for mark in (b'"class_name": "Lambda"', b'"class_name":"Lambda"', b"__lambda__")):
                yield Finding(content.path, "has a Lambda layer, which is Python code", ("keras.layers.Lambda",), ("keras.layers.Lambda",))
                return
            tail = chunk[-64:]
