"""Files that say they are exported programs: whatever is in them, there is an answer and no trace."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path
from typing import Any

import pytest

from drupe_flavor_pytorch.archive import reason_to_distrust


def archive(file: Path, records: dict[str, bytes], **options: Any) -> Path:
    with zipfile.ZipFile(file, "w", **options) as whole:
        for name, content in records.items():
            whole.writestr(f"m/{name}", content)
    return file


@pytest.mark.parametrize(
    "content", [{}, [], [1], "x", None, 7, {"config": []}, {"config": {"a": 1}}, {"config": {"a": [1]}}, {"config": None}]
)
@pytest.mark.parametrize("name", ["data/weights/model_weights_config.json", "models/model.json"])
def test_a_record_of_another_shape_is_a_reason_or_harmless(tmp_path: Path, name: str, content: Any) -> None:
    reason = reason_to_distrust(archive(tmp_path / "m.pt2", {name: json.dumps(content).encode()}))
    assert (reason is None) == (name.startswith("models") or content == {"config": {}}), reason


@pytest.mark.parametrize("text", ["{", '"', "[" * 100_000, "1e", '{"type": "x"}'])
def test_a_tree_that_cannot_be_read_is_a_reason(tmp_path: Path, text: str) -> None:
    record = json.dumps({"in_spec": text}).encode()
    assert reason_to_distrust(archive(tmp_path / "m.pt2", {"models/model.json": record}))


@pytest.mark.parametrize("name", ["models/model.json", "data/sample_inputs/model.pt"])
def test_a_torn_record_is_a_reason(tmp_path: Path, name: str) -> None:
    file = archive(tmp_path / "m.pt2", {name: b"[" + b"1, " * 2000 + b"1]"}, compression=zipfile.ZIP_DEFLATED)
    content = bytearray(file.read_bytes())
    content[60:70] = b"\xff" * 10
    file.write_bytes(content)
    assert reason_to_distrust(file)


@pytest.mark.parametrize("pickled", [b"", b"\x80", b"c\n", b"U\xff", b"\x8c\x04\xff\xff\xff\xff.", b"F1x\n.", b"I\n"])
def test_a_sample_that_cannot_be_read_is_a_reason(tmp_path: Path, pickled: bytes) -> None:
    inner = io.BytesIO()
    with zipfile.ZipFile(inner, "w") as whole:
        whole.writestr("x/data.pkl", pickled)
    assert reason_to_distrust(archive(tmp_path / "m.pt2", {"data/sample_inputs/model.pt": inner.getvalue()}))


def test_a_sample_that_swells_is_a_reason_before_it_is_unpacked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("drupe_flavor_pytorch.archive._MOST_SAMPLE_BYTES", 1000)
    inner = io.BytesIO()
    with zipfile.ZipFile(inner, "w", zipfile.ZIP_DEFLATED) as whole:
        whole.writestr("x/data.pkl", b"N0" * 100_000 + b"N.")
    reason = reason_to_distrust(archive(tmp_path / "m.pt2", {"data/sample_inputs/model.pt": inner.getvalue()}))
    assert "too large" in str(reason)
    outer = archive(tmp_path / "n.pt2", {"data/sample_inputs/model.pt": bytes(100_000)}, compression=zipfile.ZIP_DEFLATED)
    assert "too large" in str(reason_to_distrust(outer))
