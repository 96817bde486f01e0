"""The inference log: what a monitor finds in the folder, and what never disturbs an answer."""

from __future__ import annotations

import base64
import os
from pathlib import Path
from typing import Any

import pandas
import pyarrow
import pyarrow.parquet
import pytest

from plugins.serving.tests.scoring import Scored


def rows(folder: Path) -> Any:
    return pandas.read_parquet(folder)


def test_requests_and_predictions_are_columns_of_the_signatures_types(models: Path, tmp_path: Path) -> None:
    scored = Scored(models / "columns", "churn", "3", inference_log=str(tmp_path / "log"))
    told = scored.score({"dataframe_records": [{"a": 0.1, "b": 0.2}, {"a": 1, "b": 0}]})
    scored.score({"dataframe_records": [{"a": "x", "b": 0}]})  # refused, so there is no prediction
    scored.close()
    table = rows(tmp_path / "log")
    assert table["input.a"].tolist() == [0.1, 1.0]
    assert table["prediction"].tolist() == told.predictions
    assert table["prediction"].dtype == "int64"
    assert table["request_id"].tolist() == [told.headers["x-request-id"]] * 2
    assert table["row"].tolist() == [0, 1]
    assert set(table["model"]) == {"churn/3"}
    assert (table["latency_ms"] > 0).all()
    assert str(table["at"].dt.tz) == "UTC"


def test_every_scalar_type_is_written(models: Path, tmp_path: Path) -> None:
    scored = Scored(models / "types", inference_log=str(tmp_path))
    row = {"flag": True, "i": 1, "l": 2, "f": 0.5, "d": None, "s": "é", "b": base64.b64encode(b"hi").decode(), "t": "2024-05-01T12:30:00"}
    assert scored.score({"dataframe_records": [row], "params": {"k": 4}}).status == 200
    scored.close()
    (found,) = rows(tmp_path).to_dict("records")
    assert (found["input.s"], found["input.b"], found["input.t"]) == ("é", b"hi", pandas.Timestamp("2024-05-01T12:30:00"))
    assert found["params"] == '{"k":4}'
    assert found["prediction"].startswith('{"row":')


def test_other_inputs_are_texts_of_json(models: Path, tmp_path: Path) -> None:
    scored = Scored(models / "tensor", inference_log=str(tmp_path))
    scored.score({"inputs": [[1, 2], [3, 4]]})
    scored.close()
    table = rows(tmp_path)
    assert table["input"].tolist() == ["[1.0,2.0]", "[3.0,4.0]"]
    assert table["prediction"].tolist()[:1] == ['"float32 (2, 2) [[1.0, 2.0], [3.0, 4.0]]"']  # one for all rows


def test_a_sample_is_a_share(models: Path, tmp_path: Path) -> None:
    scored = Scored(models / "columns", inference_log=str(tmp_path), inference_log_sample=0.0)
    scored.score({"dataframe_records": [{"a": 0.1, "b": 0.2}]})
    scored.close()
    assert list(tmp_path.iterdir()) == []


def test_the_oldest_files_go_when_there_is_no_room(models: Path, tmp_path: Path) -> None:
    scored = Scored(models / "columns", inference_log=str(tmp_path))
    assert scored.noted is not None
    scored.noted._rows_a_file, scored.noted._most_bytes = 1, 12_000
    for n in range(12):
        scored.score({"dataframe_records": [{"a": n, "b": 0.2}]})
    scored.close()
    files = sorted(tmp_path.glob("*.parquet"))
    assert 1 < len(files) < 12
    assert sum(file.stat().st_size for file in files) <= 12_000
    assert rows(files[-1])["input.a"].tolist() == [11.0]  # the newest stays


def test_what_is_left_of_a_crash_is_not_among_the_files(models: Path, tmp_path: Path) -> None:
    (tmp_path / ".20240501T000000-1-000001.parquet.part").write_bytes(b"PAR1 torn")
    scored = Scored(models / "columns", inference_log=str(tmp_path))
    scored.score({"dataframe_records": [{"a": 0.1, "b": 0.2}]})
    scored.close()
    assert len(rows(tmp_path)) == 1


def test_a_disk_that_takes_nothing_disturbs_no_answer(models: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*given: Any, **options: Any) -> None:
        raise OSError(28, "No space left on device")

    scored = Scored(models / "columns", inference_log=str(tmp_path))
    monkeypatch.setattr(pyarrow.parquet, "write_table", full)
    assert scored.score({"dataframe_records": [{"a": 0.1, "b": 0.2}]}).status == 200
    scored.close()
    assert scored.noted is not None
    assert scored.noted.dropped == 1
    assert list(tmp_path.iterdir()) == []


def test_a_request_that_does_not_fit_the_columns_takes_no_other_with_it(models: Path, tmp_path: Path) -> None:
    scored = Scored(models / "columns", inference_log=str(tmp_path))
    assert scored.noted is not None
    predict, odd = scored.predictor._model.predict, {2.0: [0.5], 3.0: ["many"]}
    scored.predictor._model.predict = lambda given, params=None: odd.get(given["a"][0]) or predict(given, params)  # type: ignore[method-assign]
    for n in range(5):
        assert scored.score({"dataframe_records": [{"a": n, "b": 0.2}]}).status == 200
    scored.close()
    assert rows(tmp_path)["input.a"].tolist() == [0.0, 1.0, 4.0]  # the output is said to be whole numbers
    assert (scored.noted.noted, scored.noted.dropped) == (3, 2)


def test_what_is_dropped_is_counted_in_requests(models: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    scored = Scored(models / "columns", inference_log=str(tmp_path / "log"))
    scored.score({"dataframe_records": [{"a": n, "b": 0.2} for n in range(7)]})
    (tmp_path / "log").rmdir()
    scored.close()
    assert scored.noted is not None
    assert (scored.noted.noted, scored.noted.dropped) == (0, 1)


def test_large_requests_are_dropped_before_they_fill_the_memory(models: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("drupe_serving.inference_log.QUEUED_BYTES", 100)
    scored = Scored(models / "columns", inference_log=str(tmp_path))
    scored.score({"dataframe_records": [{"a": n, "b": 0.2} for n in range(50)]})
    scored.score({"dataframe_records": [{"a": 0.5, "b": 0.2}]})
    scored.close()
    assert rows(tmp_path)["input.a"].tolist() == [0.5]
    assert scored.noted is not None
    assert scored.noted.dropped == 1


def test_a_text_is_whole_or_not_there(models: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("drupe_serving.inference_log.JSON_MAX", 20)
    scored = Scored(models / "free", inference_log=str(tmp_path))
    scored.score({"inputs": {"x": [1.0]}})
    scored.score({"inputs": {"x": [1.0] * 20}})
    scored.close()
    assert rows(tmp_path)["input"].isna().tolist() == [False, True]


def test_what_killed_processes_have_left_goes_and_what_is_written_now_stays(models: Path, tmp_path: Path) -> None:
    torn, being_written = tmp_path / ".20240501T000000-1-000001.parquet.part", tmp_path / ".20240501T000000-2-000001.parquet.part"
    torn.write_bytes(b"PAR1 torn")
    being_written.write_bytes(b"PAR1")
    os.utime(torn, (1e9, 1e9))
    Scored(models / "columns", inference_log=str(tmp_path)).close()
    assert list(tmp_path.iterdir()) == [being_written]


def test_files_of_others_in_the_folder_are_neither_counted_nor_removed(models: Path, tmp_path: Path) -> None:
    others = [tmp_path / "0-customers.parquet", tmp_path / "zones.parquet", tmp_path / ".draft.parquet.part"]
    for other in others:
        other.write_bytes(b"x" * 50_000)
        os.utime(other, (1, 1))
    scored = Scored(models / "columns", inference_log=str(tmp_path))
    assert scored.noted is not None
    scored.noted._rows_a_file, scored.noted._most_bytes = 1, 12_000
    for _ in range(4):
        scored.score({"inputs": [{"a": 1.0, "b": 2}]})
    scored.close()
    assert [other.exists() for other in others] == [True, True, True]
    assert len(list(tmp_path.glob("2*.parquet"))) > 1


def test_processes_of_one_number_on_several_machines_write_files_of_their_own(
    models: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "getpid", lambda: 1)  # as in every container
    logs = [Scored(models / "columns", inference_log=str(tmp_path)) for _ in range(3)]
    for scored in logs:
        scored.score({"inputs": [{"a": 1.0, "b": 2}]})
    for scored in logs:
        scored.close()
    assert len(rows(tmp_path)) == 3


def test_the_room_is_that_of_all_workers_together(models: Path, tmp_path: Path) -> None:
    """Each sees to the whole folder; a quarter of the room for each would be a sixteenth for all."""
    old = tmp_path / "20240501T000000-1-000001.parquet"
    old.write_bytes(b"x" * (600 << 10))
    scored = Scored(models / "columns", inference_log=str(tmp_path), inference_log_mb=1, workers=4)
    scored.score({"dataframe_records": [{"a": 0.1, "b": 0.2}]})
    scored.close()
    assert old.exists()
    assert len(list(tmp_path.iterdir())) == 2
