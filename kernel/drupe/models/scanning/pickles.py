"""Reads a pickle as the list of instructions that it is, without doing what they say.

A pickle is a program: it imports names and calls them. One that takes nothing but names of a closed list, which make plain values whatever
they are given, can do no harm; every other one can. What cannot be followed to its end is taken for harmful.
"""

from __future__ import annotations

import pickletools
import re
from collections.abc import Iterator
from typing import IO, Any

from attrs import frozen

__all__ = ["Followed", "follow"]

_MOST_INSTRUCTIONS = 20_000_000
_MOST_NAMES = 200
_LONGEST_TEXT = 4096
_NAME = re.compile(r"\w[\w.\-]*")
_CALLS = frozenset({"REDUCE", "INST", "OBJ", "NEWOBJ", "NEWOBJ_EX", "BUILD"})
_EXTENSIONS = frozenset({"EXT1", "EXT2", "EXT4"})
_TEXTS = frozenset({"SHORT_BINUNICODE", "BINUNICODE", "BINUNICODE8", "UNICODE", "STRING", "BINSTRING", "SHORT_BINSTRING"})
_PUTS = frozenset({"MEMOIZE", "PUT", "BINPUT", "LONG_BINPUT"})
_GETS = frozenset({"GET", "BINGET", "LONG_BINGET"})
_LENGTHS = {-2: 1, -3: 4, -4: 4, -5: 8}
"""Of the number before a payload, by what pickletools calls the size of such an argument; -1 is a line."""
_OPCODES: dict[int, Any] = {ord(opcode.code): opcode for opcode in pickletools.opcodes}

_BUILTINS = (
    "bool",
    "bytearray",
    "bytes",
    "complex",
    "dict",
    "float",
    "frozenset",
    "int",
    "list",
    "object",
    "range",
    "set",
    "slice",
    "str",
    "tuple",
)
_HARMLESS = frozenset(
    [
        *(f"{module}.{name}" for module in ("builtins", "__builtin__") for name in _BUILTINS),
        *(f"{module}._reconstructor" for module in ("copyreg", "copy_reg")),
        *(f"collections.{name}" for name in ("OrderedDict", "defaultdict", "deque")),
        *(f"datetime.{name}" for name in ("date", "datetime", "time", "timedelta", "timezone")),
        "_codecs.encode",
        *(f"numpy.{name}" for name in ("dtype", "ndarray")),
        *(f"numpy.{core}.multiarray.{name}" for core in ("core", "_core") for name in ("_reconstruct", "scalar")),
        *(f"numpy.{core}.numeric._frombuffer" for core in ("core", "_core")),
        *(f"torch._utils.{name}" for name in ("_rebuild_parameter", "_rebuild_tensor", "_rebuild_tensor_v2")),
        *(f"torch.{name}" for name in ("Size", "device", "storage.TypedStorage", "storage.UntypedStorage")),
        *(f"torch.{kind}Storage" for kind in ("BFloat16", "Bool", "Byte", "Char", "Double", "Float", "Half", "Int", "Long", "Short")),
        *(f"torch.{kind}" for kind in ("bfloat16", "bool", "float16", "float32", "float64", "int16", "int32", "int64", "int8", "uint8")),
    ]
)
"""Names that make plain values of whatever they are given. torch's own list for `weights_only` has these too."""


@frozen
class Followed:
    """`names` are imported, `calls` called; `is_whole` says that nothing followed the pickle and all of it could be read."""

    is_pickle: bool
    names: tuple[str, ...] = ()
    calls: tuple[str, ...] = ()
    is_whole: bool = True

    @property
    def is_harmless(self) -> bool:
        """True when nothing but plain values can come of it."""
        return self.is_whole and _HARMLESS.issuperset(self.names)


class _NoPickle(Exception):
    """What is read is no instruction of a pickle."""


def follow(stream: IO[bytes], *, head: bytes = b"") -> Followed:
    """Follow the pickle at the beginning of `stream` (and those behind it); `is_pickle` is False for what none can be.

    `head` is the first two bytes, read already. Bytes that merely happen to be instructions count as a pickle once they would call something.
    """
    reader = _Reader(stream, head)
    names: dict[str, None] = {}
    calls: dict[str, None] = {}
    has_acted = is_marked = False
    reached_end = False
    try:
        while not reader.is_at_end():
            reached_end = False
            for kind, name in _one_pickle(reader):
                if kind == "PROTO":
                    is_marked = True
                elif kind == "STOP":
                    reached_end = True
                elif kind == "import":
                    names[name] = None
                elif names:  # what is called was imported
                    has_acted = True
                    calls[name] = None
                if len(names) > _MOST_NAMES:
                    return Followed(True, tuple(names), tuple(calls), is_whole=False)
    except _NoPickle:
        reached_end = False
    if not has_acted and not is_marked and not (names and reached_end):
        return Followed(False)
    return Followed(True, tuple(names), tuple(name for name in calls if name), is_whole=reached_end)


def _one_pickle(reader: _Reader) -> Iterator[tuple[str, str]]:
    """Pairs ("import", name), ("call", name or nothing when it is not known), ("PROTO", ""), ("STOP", "") as they come."""
    memo: dict[int, str | None] = {}
    before: list[str | None] = []  # what the instructions just before have put on the stack, as far as they are texts
    last, is_first = "", True
    for code, argument in reader.instructions():
        if code == "PERSID" and is_first:
            raise _NoPickle  # what every zip file looks like; unpicklers that take such names have none that are lines of text
        is_first = False
        if code == "PROTO":
            if not 0 <= argument <= 5:
                raise _NoPickle
            yield "PROTO", ""
        elif code == "STOP":
            yield "STOP", ""
            return
        elif code in ("GLOBAL", "INST"):
            last = _checked(*str(argument).rsplit(" ", 1))
            yield "import", last
            if code == "INST":
                yield "call", last
            before.clear()
        elif code == "STACK_GLOBAL":
            module_or_none, name_or_none = before[-2:] if len(before) >= 2 else (None, None)
            # names that are put together in another way than every pickler does cannot be told, and are not on any list
            last = f"{module_or_none}.{name_or_none}" if module_or_none and name_or_none else "(a name that is made while loading)"
            yield "import", last
            before.clear()
        elif code in _EXTENSIONS:
            last = f"(number {argument} of copyreg's extensions)"
            yield "import", last
            before.clear()
        elif code in _CALLS:
            yield "call", last
            before.clear()
        elif code in _TEXTS:
            before.append(argument if isinstance(argument, str) else None)
        elif code in _PUTS:
            memo[len(memo) if code == "MEMOIZE" else int(argument)] = before[-1] if before else None
        elif code in _GETS:
            before.append(memo.get(int(argument)))
        elif code != "FRAME":
            before.clear()


def _checked(module: str, name: str) -> str:
    if not (_NAME.fullmatch(module) and _NAME.fullmatch(name)):
        raise _NoPickle  # importing it fails, so that nothing behind it is reached
    return f"{module}.{name}"


class _Reader:
    """Instruction by instruction. Arguments are read more leniently than any unpickler does, so that nothing that one takes is missed."""

    def __init__(self, stream: IO[bytes], head: bytes) -> None:
        self._stream, self._ahead = stream, head
        self._left = _MOST_INSTRUCTIONS

    def is_at_end(self) -> bool:
        if not self._ahead:
            self._ahead = self._stream.read(1)
        return not self._ahead

    def instructions(self) -> Iterator[tuple[str, Any]]:
        while True:
            self._left -= 1
            opcode = _OPCODES.get(self._exactly(1)[0])
            if opcode is None or self._left < 0:
                raise _NoPickle
            yield opcode.name, self._argument(opcode.name, opcode.arg)

    def _argument(self, code: str, argument: Any) -> Any:
        if argument is None:
            return None
        if code in ("GLOBAL", "INST"):
            return f"{self._line().decode(errors='replace')} {self._line().decode(errors='replace')}"
        if argument.n == -1:
            return self._of_line(code, self._line())
        if argument.n >= 0:
            return int.from_bytes(self._exactly(argument.n), "little")
        count = int.from_bytes(self._exactly(_LENGTHS[argument.n]), "little")
        if code not in _TEXTS or count > _LONGEST_TEXT:
            return self._pass_over(count)
        content = self._exactly(count)
        return content.decode("utf-8", "surrogatepass") if _is_text(content) else None

    @staticmethod
    def _of_line(code: str, line: bytes) -> Any:
        if code in ("GET", "PUT"):
            try:
                return int(line)
            except ValueError as fault:
                raise _NoPickle from fault
        if code == "STRING":
            line = line.strip()[1:-1]
        return line.decode() if code in _TEXTS and len(line) <= _LONGEST_TEXT and line.isascii() and b"\\" not in line else None

    def _line(self) -> bytes:
        line, self._ahead = self._ahead, b""
        if b"\n" in line:
            line, _, self._ahead = line.partition(b"\n")
            return line
        line += self._stream.readline()
        if not line.endswith(b"\n"):
            raise _NoPickle
        return line[:-1]

    def _exactly(self, count: int) -> bytes:
        content, self._ahead = self._ahead[:count], self._ahead[count:]
        if len(content) < count:
            content += self._stream.read(count - len(content))
        if len(content) < count:
            raise _NoPickle
        return content

    def _pass_over(self, count: int) -> None:
        while count > 0:
            count -= len(self._exactly(min(count, 2**20)))


def _is_text(content: bytes) -> bool:
    try:
        content.decode("utf-8", "surrogatepass")
    except UnicodeDecodeError:
        return False
    return True
