"""What counts as harmless: texts, plain data, and pickles of plain values; nothing else does."""

from __future__ import annotations

import collections
import datetime
import gzip
import io
import os
import pickle
import pickletools
import tarfile
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from drupe.errors import InvalidModelFolder
from drupe.models.scanning import file_findings
from drupe.models.scanning.fields import check_places, field_findings
from drupe.models.scanning.files import Content
from drupe.models.scanning.findings import Budget
from drupe.models.scanning.pickles import follow


class Calls:
    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, ("x",)


PLAIN = {"a": np.arange(3), "b": collections.OrderedDict(x=1.5), "c": [datetime.date(2026, 1, 1), {1, 2}, b"x", None, np.float64(2)]}


@pytest.mark.parametrize("protocol", range(6))
def test_pickles_of_plain_values_are_harmless_and_others_name_what_they_call(protocol: int) -> None:
    assert follow(io.BytesIO(pickle.dumps(PLAIN, protocol))).is_harmless
    found = follow(io.BytesIO(pickle.dumps([PLAIN, Calls()], protocol)))
    assert not found.is_harmless
    assert "posix.mkdir" in found.calls or "nt.mkdir" in found.calls


def test_names_that_are_put_together_while_loading_are_on_no_list() -> None:
    # the module's name comes out of the memo of another instruction than the one that put it there
    program = b"\x80\x04\x8c\x08builtins\x94\x8c\x04dict\x940\x8c\x02os\x94\x85\x94h\x001h\x02\x8c\x06system\x93."
    assert not follow(io.BytesIO(program)).is_harmless


def test_long_texts_do_not_hide_what_follows() -> None:
    for text in (b"V" + b"x" * 100_000 + b"\n", b"F" + b"1" * 50_000 + b"\n", b"X\x00\x00\x02\x00" + b"y" * 0x20000):
        found = follow(io.BytesIO(text + b"0" + pickle.dumps(Calls(), 0)))
        assert found.calls, text[:5]


@pytest.mark.parametrize(
    "text",
    [
        "channels:\n- conda-forge\n",
        "click\nnumpy\nrequests\n",
        "cloudpickle==3.1\nnumpy==2.0\n",
        "README\nRun it.\n",
        "tree\nversion=v4\n",
        "(a, b)\n",
        "{}",
        "",
        "größe;farbe\n1;rot\n",
    ],
)
def test_ordinary_texts_are_no_pickles(text: str, tmp_path: Path) -> None:
    assert findings(tmp_path, text.encode()) == []


def findings(tmp_path: Path, content: bytes, name: str = "file.bin") -> list[str]:
    (tmp_path / name).write_bytes(content)
    return [finding.reason for finding in file_findings(Content.of_file(tmp_path / name, name), Budget())]


def archive(**members: bytes) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as made:
        for name, content in members.items():
            made.writestr(name.replace("__", "/"), content)
    return stream.getvalue()


def npy(array: Any) -> bytes:
    stream = io.BytesIO()
    np.save(stream, array, allow_pickle=True)
    return stream.getvalue()


def test_plain_data_is_harmless_whatever_it_lies_in(tmp_path: Path) -> None:
    weights = pickle.dumps(PLAIN, 2)
    records = np.zeros(2, dtype=[("Ozone", "f4"), ("y", "i4", (2,))])
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as made:
        member = tarfile.TarInfo("notes.txt")
        member.size = 5
        made.addfile(member, io.BytesIO(b"notes"))
    header = b'{"w":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}'
    for content in (
        npy(np.arange(4)),
        npy(records),
        gzip.compress(npy(np.arange(4))),
        archive(a=npy(np.arange(3)), b=b"text"),
        archive(archive__data=b"", archive__version=b"3\n", **{"archive__data.pkl": weights, "archive__data__0": bytes(range(256))}),
        stream.getvalue(),
        len(header).to_bytes(8, "little") + header + bytes(4),
        b"PAR1" + bytes(range(256)),
        b"\x89PNG\r\n\x1a\n" + bytes(64),
        weights,
    ):
        assert findings(tmp_path, content) == [], content[:20]


@pytest.mark.parametrize("level", [0, 1])
def test_optimised_pickles_are_read_too(level: int, tmp_path: Path) -> None:
    content = pickletools.optimize(pickle.dumps(Calls(), 4 if level else 0))
    assert "mkdir" in findings(tmp_path, content)[0]


def test_what_is_cut_off_or_unknown_is_not_harmless(tmp_path: Path) -> None:
    whole = pickle.dumps(PLAIN, 4)
    for content in (whole[:-10], whole + b"\xff\xff", bytes(range(1, 64)) * 3, gzip.compress(whole)[:-9], archive(a=b"x")[:-30]):
        assert findings(tmp_path, content), content[:10]


def test_keys_of_mlmodel_that_ask_for_code_are_named_once() -> None:
    flavors = {
        "sklearn": {"pickled_model": "m.pkl", "code": "code"},
        "python_function": {"code": "code", "loader_module": "mlflow.sklearn"},
    }
    assert [str(finding) for finding in field_findings(flavors)] == [
        "MLmodel flavors.sklearn.code has the modules in 'code' imported",
        "MLmodel flavors.sklearn.pickled_model has 'm.pkl' read as a pickle",
    ]


def test_all_places_that_lead_out_are_named_at_once() -> None:
    flavors = {"x": {"data": "a/../../b", "other": ["ok", "/abs"], "uri": "/free/of/choice", "model_code_path": "/home/a/script.py"}}
    with pytest.raises(InvalidModelFolder) as fault:
        check_places(flavors, {"artifact_path": "%2e%2e/x"}, (), "m")
    assert len(fault.value.details["faults"]) == 3
    check_places({"x": {"data": "./model.pkl", "config": {"path": "/user/defined"}, "signature": "a..b"}}, None, ("model.pkl",), "m")
