"""Reading files into datasets, and finding the files of a dataset again."""

from __future__ import annotations

import hashlib
import json
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest

import drupe
from drupe.cli.run_card import show_card
from drupe.data.fetching import file_name
from drupe.entities import Dataset
from drupe.errors import ArtifactCorrupt, ArtifactNotFound, InvalidValue, NoProvider
from drupe.uris import Uri

TABLE = pd.DataFrame({"x": [1.5, 2.5], "y": [0, 1], "s": ["a", "b"]})


def written(name: str) -> Path:
    path = Path(name)
    table = pl.from_pandas(TABLE)
    plain = name.removesuffix(".gz")
    if plain.endswith((".csv", ".txt")):
        TABLE.to_csv(path, index=False)
    elif plain.endswith(".tsv"):
        TABLE.to_csv(path, index=False, sep="\t")
    elif plain.endswith((".jsonl", ".ndjson")):
        TABLE.to_json(path, orient="records", lines=True)
    elif plain.endswith(".json"):
        TABLE.to_json(path, orient="records")
    elif plain.endswith((".parquet", ".pq")):
        table.write_parquet(path)
    else:
        table.write_ipc(path)
    return path


NAMES = ["a.csv", "a.csv.gz", "A.CSV", "a.txt", "a.tsv", "a.jsonl", "a.ndjson", "a.json", "a.parquet", "a.pq", "a.arrow", "a.feather"]


@pytest.mark.parametrize("engine", ["pandas", "polars"])
@pytest.mark.parametrize("name", NAMES)
def test_a_file_becomes_a_described_table_whatever_its_format(name: str, engine: str) -> None:
    if name == "A.CSV":
        written("a.csv").rename(name)
    else:
        written(name)
    loaded = drupe.data.load(name, targets="y", engine=engine)
    assert type(loaded.df).__module__.partition(".")[0] == engine
    assert loaded.digest == drupe.data.from_pandas(TABLE).digest
    assert (loaded.name, loaded.targets) == (name.partition(".")[0], "y")
    content = Path(name).read_bytes()
    assert loaded.source.to_dict() == {
        "uri": str(Path(name).absolute()),
        "sha256": hashlib.sha256(content).hexdigest(),
        "size_bytes": len(content),
    }


def test_options_go_to_the_reader_and_a_format_may_be_named() -> None:
    Path("odd.dat").write_text("x;y\n1;2\n3;4\n")
    loaded = drupe.data.load("odd.dat", "csv", sep=";", name="mine", digest="d")
    assert (list(loaded.df.columns), loaded.name, loaded.digest) == (["x", "y"], "mine", "d")


def test_arrays_of_a_file_are_features_and_targets() -> None:
    np.savez("a.npz", x=np.ones((3, 2)), y=np.zeros(3))
    np.save("a.npy", np.ones((3, 2)))
    one = drupe.data.load("a.npz", targets="y")
    assert (one.features.shape, one.targets.shape) == ((3, 2), (3,))
    assert set(drupe.data.load("a.npz").features) == {"x", "y"}
    assert drupe.data.load("a.npy").features.shape == (3, 2)
    with pytest.raises(InvalidValue, match="there is x, y"):
        drupe.data.load("a.npz", targets="z")


def test_pickles_are_not_read() -> None:
    np.save("a.npy", np.array([{"a": 1}], object), allow_pickle=True)
    with pytest.raises(InvalidValue, match="cannot be read as npy"):
        drupe.data.load("a.npy")
    with pytest.raises(InvalidValue, match="cannot be read as npy"):
        drupe.data.load("a.npy", allow_pickle=True)
    Path("a.pkl").touch()
    with pytest.raises(InvalidValue, match=r"has no format that can be read; say format=…, one of csv, tsv"):
        drupe.data.load("a.pkl")


def test_content_that_does_not_fit_the_format_is_told_with_the_reason() -> None:
    Path("a.parquet").write_text("no parquet")
    with pytest.raises(InvalidValue, match=r"'a.parquet' cannot be read as parquet: "):
        drupe.data.load("a.parquet")


def test_what_is_not_there_or_not_served_is_told_so() -> None:
    with pytest.raises(ArtifactNotFound, match=r"missing\.csv"):
        drupe.data.load("missing.csv")
    with pytest.raises(NoProvider, match=r"no dataset source for scheme 's3'; installed: file, http, https"):
        drupe.data.load("s3://bucket/a.csv")
    with pytest.raises(InvalidValue, match="engine is 'dask'"):
        drupe.data.load("a.csv", engine="dask")


def test_a_logged_dataset_leads_back_to_its_file_as_long_as_that_is_unchanged() -> None:
    written("a.csv")
    with drupe.start_run() as run:
        drupe.log_input(drupe.data.load("a.csv"), context="training")
    (used,) = drupe.get_run(run.info.run_id).inputs.dataset_inputs
    source = drupe.data.get_source(used)
    assert source.load() == str(Path("a.csv").absolute())
    assert Path(source.load("copy")).read_bytes() == Path("a.csv").read_bytes()
    assert drupe.data.get_source(used.dataset) == source
    Path("a.csv").write_text("x\n5\n")
    with pytest.raises(ArtifactCorrupt, match="has changed since the dataset was described"):
        source.load()
    assert source.load(verify=False) == str(Path("a.csv").absolute())


def test_a_source_that_others_recorded_is_read_as_it_stands() -> None:
    theirs = Dataset("d", "1", source_type="local", source="plain text", schema=None, profile=None)
    assert drupe.data.get_source(theirs).uri == "plain text"
    with pytest.raises(InvalidValue, match="takes a dataset"):
        drupe.data.get_source("a.csv")


def test_an_address_recorded_without_its_secret_says_so() -> None:
    described = drupe.data.from_pandas(TABLE, source="https://host/a.csv?token=abc")
    with pytest.raises(InvalidValue, match="recorded without its secrets"):
        described.source.load()


def test_nothing_is_left_in_the_temporary_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "temp").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temp"))
    written("a.csv")
    drupe.data.load("a.csv")
    with pytest.raises(ArtifactNotFound):
        drupe.data.get_source(drupe.data.from_pandas(TABLE, source="missing.csv")).load()
    assert list((tmp_path / "temp").iterdir()) == []


@pytest.mark.parametrize(
    ("address", "name"),
    [("https://h/a/b.csv?x=1", "b.csv"), ("https://h", "dataset"), ("https://h/a/..", "dataset"), ("https://h/a%5Cb", "a_b")],
)
def test_a_downloaded_file_gets_the_last_part_of_its_address(address: str, name: str) -> None:
    assert file_name(Uri.parse(address, query=True)) == name


def test_a_run_card_lists_datasets_with_rows_and_source(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "300")
    written("a.csv")
    with drupe.start_run() as run:
        drupe.log_input(drupe.data.load("a.csv"), context="training")
    client = drupe.Client()
    show_card(client, client.get_run(run.info.run_id))
    lines = capsys.readouterr().out.splitlines()
    (row,) = [line for line in lines if line.startswith("a ")]
    assert row.split()[2:4] == ["training", "2"]
    assert row.endswith("a.csv")


def test_json_of_a_dataset_is_what_mlflow_reads() -> None:
    found: dict[str, Any] = json.loads(drupe.data.from_pandas(TABLE, source="a.csv").to_json())
    assert json.loads(found["source"]) == {"uri": "a.csv"}
