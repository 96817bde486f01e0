"""Headers of safetensors files, good, damaged and hostile, as the viewer's own code reads them in Node: one process for all of them."""

from __future__ import annotations

import base64
import json
import shutil
import struct
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from drupe_viewer_safetensors import extension

HERE = Path(__file__).parent
HEADER = Path(extension.__file__).parent / "ui/header.js"
F32 = {"dtype": "F32", "shape": [2, 3], "data_offsets": [0, 24]}


def file(form: Any, data_bytes: int | None, *, length: int | None = None, text: bytes | None = None) -> dict[str, Any]:
    """A file that begins with this header, and how long it is in all."""
    text = json.dumps(form).encode() if text is None else text
    length = len(text) if length is None else length
    return {
        "head": base64.b64encode(struct.pack("<Q", length) + text).decode(),
        "size": None if data_bytes is None else 8 + len(text) + data_bytes,
    }


def other(**changes: Any) -> Mapping[str, Any]:
    return {"w": F32 | changes}


FILES: dict[str, dict[str, Any]] = {
    "good": file({"__metadata__": {"format": "pt"}, "w": F32, "b": {"dtype": "F16", "shape": [], "data_offsets": [24, 26]}}, 26),
    "long": file({f"layer.{n}": {"dtype": "U8", "shape": [1], "data_offsets": [n, n + 1]} for n in range(3000)}, 3000),
    "of unknown size": file({"w": F32}, None),
    "of 4 bits": file({"w": {"dtype": "F4", "shape": [3, 2], "data_offsets": [0, 3]}}, 3),
    "of a new type": file({"w": {"dtype": "F2", "shape": [3], "data_offsets": [0, 1]}}, 1),
    "empty tensor": file({"w": {"dtype": "F32", "shape": [0, 7], "data_offsets": [0, 0]}}, 0),
    "html": file({"<img src=x>": F32, "__metadata__": {"a": 1}}, 24),
    "proto": file(None, 24, text=b'{"__proto__": {"dtype": "F32", "shape": [6], "data_offsets": [0, 24]}}'),
    "short": {"head": base64.b64encode(b"abc").decode(), "size": 3},
    "nothing": {"head": "", "size": 0},
    "huge length": file({}, 0, length=2**63 + 5),
    "huge length, unknown size": file({}, None, length=2**40),
    "cut": file({"w": F32}, None, length=500),
    "no JSON": file(None, 0, text=b"{" * 50),
    "no UTF-8": file(None, 0, text=b'{"\xff": 1}'),
    "a list": file([F32], 24),
    "no object": file({"w": 7}, 24),
    "no dtype": file(other(dtype=None), 24),
    "negative shape": file(other(shape=[-2, -3]), 24),
    "absurd shape": file(other(shape=[2**40, 2**40]), 24),
    "shape is text": file(other(shape="23"), 24),
    "offsets backwards": file(other(data_offsets=[24, 0]), 24),
    "offsets as text": file(other(data_offsets=["0", "24"]), 24),
    "three offsets": file(other(data_offsets=[0, 24, 48]), 24),
    "wrong size": file(other(data_offsets=[0, 20]), 20),
    "a hole": file(other(data_offsets=[8, 32]), 32),
    "behind the end": file({"w": F32}, 20),
    "overlap": file({"w": F32, "v": {**F32, "data_offsets": [12, 36]}}, 36),
    "many faults": file({f"t{n}": 0 for n in range(9)}, 0),
}


@pytest.fixture(scope="module")
def told() -> dict[str, Any]:
    node = shutil.which("node")
    if node is None:
        pytest.skip("Node is not installed")
    command = [node, "--input-type=module", "-e", f"process.argv[2] = {json.dumps(HEADER.as_uri())};\n{(HERE / 'headers.js').read_text()}"]

    done = subprocess.run(command, input=json.dumps(list(FILES.values())), capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return dict(zip(FILES, json.loads(done.stdout), strict=True))


def test_a_good_header_is_read_by_one_request(told: Any) -> None:
    found = told["good"]
    assert found["asked"] == [[0, 65536]]
    assert found["header"]["tensors"] == [
        {"name": "w", "dtype": "F32", "shape": [2, 3], "parameters": 6, "bytes": 24, "start": 0},
        {"name": "b", "dtype": "F16", "shape": [], "parameters": 1, "bytes": 2, "start": 24},
    ]
    assert (found["header"]["metadata"], found["header"]["faults"]) == ([["format", "pt"]], [])


def test_a_long_header_needs_a_second_request_and_the_data_none(told: Any) -> None:
    found = told["long"]
    end = 8 + found["header"]["headerBytes"]
    assert (found["asked"], len(found["header"]["tensors"]), found["header"]["faults"]) == ([[0, 65536], [8, end]], 3000, [])


@pytest.mark.parametrize("name", ["of unknown size", "of 4 bits", "of a new type", "empty tensor", "html", "proto"])
def test_odd_headers_that_are_right_have_no_faults(told: Any, name: str) -> None:
    assert (len(told[name]["header"]["tensors"]), told[name]["header"]["faults"]) == (1, [])


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("short", "this one has 3"),
        ("nothing", "this one has 0"),
        ("huge length", "has 9223372036854775813 bytes, but only 2 follow"),
        ("huge length, unknown size", "up to 32000000 are read here"),
        ("cut", "of 500 bytes. The file was cut"),
        ("no JSON", "is no JSON"),
        ("no UTF-8", "no text in UTF-8"),
        ("a list", "no JSON object that names tensors"),
    ],
)
def test_a_file_without_a_header_is_refused_in_words(told: Any, name: str, words: str) -> None:
    assert words in told[name]["refused"]


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("no object", "w: is no object with dtype, shape and data_offsets"),
        ("no dtype", "w: has no dtype"),
        ("negative shape", "w: has no shape of whole numbers"),
        ("absurd shape", "w: has a shape of more numbers than there can be"),
        ("shape is text", "w: has no shape of whole numbers"),
        ("offsets backwards", "w: has no data_offsets from a start to an end"),
        ("offsets as text", "w: has no data_offsets from a start to an end"),
        ("three offsets", "w: has no data_offsets from a start to an end"),
        ("wrong size", "w: 6 numbers of F32 need 24 bytes, and it has 20"),
        ("a hole", "w: begins at byte 8 of the data, and nothing lies in the 8 bytes before it"),
        ("behind the end", "the tensors end at byte 24 of the data, and the file has 20"),
        ("overlap", "v: begins at byte 12 of the data, inside of another tensor"),
        ("many faults", "… and 4 more"),
    ],
)
def test_what_does_not_fit_is_told_beside_what_can_be_shown(told: Any, name: str, words: str) -> None:
    assert words in told[name]["header"]["faults"]
