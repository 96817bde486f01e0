"""`drupe models predict` with files of every kind, in chunks, after an interruption, and when something fails."""

from __future__ import annotations

import io
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas
import pyarrow
import pyarrow.feather
import pyarrow.parquet
import pytest
from click.testing import CliRunner, Result

import drupe
from drupe.errors import DrupeError, InvalidValue
from drupe.models import infer_signature
from drupe_serving.output import Output
from drupe_serving.predict_command import predict

TABLE = pandas.DataFrame({"x": [float(n) for n in range(25)], "name": [f"n{n}" for n in range(25)]})
Predict = Callable[..., Result]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("predict") / "m"
    drupe.save_model(
        lambda given: (given["x"] * 2).to_numpy(),
        place,
        signature=infer_signature(TABLE),
        metadata={"rows_are_independent": True},
        pip_requirements=["pandas"],
    )
    return place


@pytest.fixture
def run(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Predict:
    """Predict with the words given, ten rows at a time, in a folder with the table in files of every kind."""
    monkeypatch.chdir(tmp_path)
    TABLE.to_csv("in.csv", index=False)
    TABLE.to_json("in.jsonl", orient="records", lines=True)
    TABLE.to_parquet("in.parquet", row_group_size=7)
    pyarrow.feather.write_feather(TABLE, "in.arrow", chunksize=8)
    with pyarrow.ipc.new_stream("stream.arrow", pyarrow.Schema.from_pandas(TABLE, preserve_index=False)) as stream:
        stream.write_table(pyarrow.Table.from_pandas(TABLE, preserve_index=False), max_chunksize=3)
    Path("in.json").write_text(json.dumps({"dataframe_split": json.loads(TABLE.to_json(orient="split"))}))
    return lambda *words, stdin=None: CliRunner().invoke(predict, ["-m", str(folder), "--chunk-rows", "10", *words], input=stdin)


def column(file: str) -> list[float]:
    """The predictions in a file."""
    path = Path(file)
    if path.suffix == ".csv":
        return list(pandas.read_csv(path)["prediction"])
    if path.suffix == ".parquet":
        return list(pandas.read_parquet(path)["prediction"])
    if path.suffix == ".arrow":
        return list(pyarrow.ipc.open_file(path).read_all()["prediction"].to_pylist())
    if path.suffix == ".jsonl":
        return [json.loads(line) for line in path.read_text().splitlines()]
    return list(json.loads(path.read_text())["predictions"])


@pytest.mark.parametrize("output", ["in.csv", "./in.csv", "link.csv"])
def test_predictions_do_not_take_the_place_of_the_rows(run: Predict, output: str) -> None:
    Path("link.csv").symlink_to("in.csv")
    done = run("-i", "in.csv", "-o", output)
    assert isinstance(done.exception, InvalidValue)
    assert "is the file of the rows" in str(done.exception)
    assert Path("in.csv").read_text() == TABLE.to_csv(index=False)


@pytest.mark.parametrize("source", ["in.csv", "in.jsonl", "in.parquet", "in.arrow", "stream.arrow", "in.json"])
def test_every_kind_of_file_is_read(run: Predict, source: str) -> None:
    done = run("-i", source)
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout)["predictions"] == [2.0 * n for n in range(25)]


@pytest.mark.parametrize("source", ["in.csv", "in.jsonl", "in.parquet", "in.json"])
def test_columns_that_the_model_does_not_take_are_told_once(run: Predict, source: str) -> None:
    table = TABLE.assign(more=1)
    table.to_csv("in.csv", index=False)
    table.to_json("in.jsonl", orient="records", lines=True)
    table.to_parquet("in.parquet", row_group_size=7)
    Path("in.json").write_text(json.dumps({"dataframe_split": json.loads(table.to_json(orient="split"))}))
    done = run("-i", source)
    assert (done.exit_code, done.stderr.count("does not take 'more', which is left out")) == (0, 1)
    assert "Warning" not in done.stderr


@pytest.mark.parametrize("target", ["out.csv", "out.json", "out.jsonl", "out.parquet", "out.arrow"])
def test_every_kind_of_file_is_written(run: Predict, target: str) -> None:
    done = run("-i", "in.parquet", "-o", target)
    assert (done.exit_code, done.stderr) == (0, f"25 predictions → {target}\n")
    assert column(target) == [2.0 * n for n in range(25)]
    assert not Path(f"{target}.parts").exists()


@pytest.mark.parametrize("kinds", [("in.csv", "out.csv"), ("in.jsonl", "out.json"), ("in.arrow", "out.parquet")])
def test_an_interrupted_command_goes_on_where_it_was(
    run: Predict, folder: Path, monkeypatch: pytest.MonkeyPatch, kinds: tuple[str, str]
) -> None:
    source, target = kinds
    asked: list[int] = []
    real = drupe.models.LoadedModel.predict

    def interrupted(self: Any, data: Any, params: Any = None) -> Any:
        asked.append(len(data))
        if len(asked) == 2:
            raise KeyboardInterrupt
        return real(self, data, params)

    monkeypatch.setattr(drupe.models.LoadedModel, "predict", interrupted)
    done = run("-i", source, "-o", target)
    assert done.exit_code == 1
    assert f"what is predicted is kept in {target}.parts" in done.stderr
    assert not Path(target).exists()
    done = run("-i", source, "-o", target)
    assert done.exit_code == 0, done.output
    assert "1 chunks of 10 rows are there already" in done.stderr
    assert done.stderr.endswith(f"25 predictions → {target}\n")
    assert asked == [10, 10, 10, 5]
    assert column(target) == [2.0 * n for n in range(25)]


def test_two_commands_do_not_write_one_file_together(run: Predict) -> None:
    job = {"model": "m"}
    first = Output(Path("out.csv"), job)
    first.put(0, [1.0])
    for restart in (False, True):
        with pytest.raises(InvalidValue, match=r"another `drupe models predict` is writing 'out\.csv' now"):
            Output(Path("out.csv"), job, restart=restart)
    first.stop()
    then = Output(Path("out.csv"), job)
    assert then.done == 1
    then.stop()


def test_parts_of_other_predictions_are_not_used(run: Predict) -> None:
    Path("out.csv.parts").mkdir()
    Path("out.csv.parts/job.json").write_text("{}")
    done = run("-i", "in.csv", "-o", "out.csv")
    assert done.exit_code == 1
    assert "holds parts of other predictions" in str(done.exception)
    assert run("-i", "in.csv", "-o", "out.csv", "--restart").exit_code == 0


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("bad.csv", "x,name\n" + "1,a\n" * 12 + "zz,b\n", "in the rows from 10 on, counted from there"),
        ("bad.csv", "x,name\n" + "1,a\n" * 12 + "1\n", "row 12 has 1 fields, the header 2"),
        ("bad.jsonl", '{"x": 1, "name": "a"}\n{"x":\n', "row 1 is not JSON"),
        ("bad.parquet", "PAR1", "cannot be read as parquet"),
        ("bad.arrow", "nothing", "cannot be read as an Arrow file or stream"),
    ],
)
def test_a_file_that_does_not_fit_fails_with_its_row(run: Predict, name: str, content: str, said: str) -> None:
    Path(name).write_text(content)
    done = run("-i", name, "-o", "out.csv")
    assert done.exit_code == 1
    assert said in str(done.exception)
    assert str(done.exception).startswith(f"{name}: ")
    assert not Path("out.csv").exists()


def test_standard_input_is_read(run: Predict) -> None:
    done = run("-t", "jsonl", stdin='{"x": 1, "name": "a"}\n\n{"x": null, "name": "b"}\n')
    assert json.loads(done.stdout) == {"predictions": [2.0, None]}


def test_rows_that_may_depend_on_each_other_are_predicted_all_at_once(tmp_path: Path) -> None:
    drupe.save_model(
        lambda given: given["x"] - given["x"].mean(), tmp_path / "m", signature=infer_signature(TABLE[["x"]]), pip_requirements=["pandas"]
    )
    TABLE[["x"]].to_csv(tmp_path / "in.csv", index=False)
    done = CliRunner().invoke(predict, ["-m", str(tmp_path / "m"), "-i", str(tmp_path / "in.csv")])
    assert json.loads(done.stdout)["predictions"] == [n - 12.0 for n in range(25)]


def test_a_model_without_a_signature_gets_numbers_where_a_file_has_them(tmp_path: Path) -> None:
    drupe.save_model(lambda given: [str(dtype) for dtype in given.dtypes], tmp_path / "m", pip_requirements=["pandas"])
    text = "i,f,s,g\n1,1.5,a,\n2,2,b,3\n"
    done = CliRunner().invoke(predict, ["-m", str(tmp_path / "m"), "-t", "csv"], input=io.BytesIO(text.encode()))
    assert json.loads(done.stdout)["predictions"] == ["int64", "float64", "str", "float64"]


def test_more_than_a_million_chunks_stay_in_their_order(tmp_path: Path) -> None:
    output = Output(tmp_path / "out.jsonl", {})
    for place in (999_999, 1_000_000):
        output.put(place, [place])
    output.finish(is_one=False)
    assert (tmp_path / "out.jsonl").read_text() == "999999\n1000000\n"


def test_a_model_that_has_changed_meanwhile_does_not_go_on_where_another_was_interrupted(
    run: Predict, folder: Path, tmp_path: Path
) -> None:
    """As behind an alias: the address is the same, the model is not."""
    place = tmp_path / "m"
    shutil.copytree(folder, place)
    Path("torn.csv").write_text(Path("in.csv").read_text() + "no number,n\n")
    assert run("-m", str(place), "-i", "torn.csv", "-o", "out.csv").exit_code != 0
    assert Path("out.csv.parts").is_dir()
    shutil.rmtree(place)
    drupe.save_model(lambda given: (given["x"] * 3).to_numpy(), place, signature=infer_signature(TABLE), metadata={"rows_are_independent": True},
                     pip_requirements=["pandas"])  # fmt: skip
    told = run("-m", str(place), "-i", "torn.csv", "-o", "out.csv")
    assert "give --restart to begin anew" in str(told.exception)


@pytest.mark.parametrize("kind", ["parquet", "arrow"])
def test_a_torn_table_is_refused_by_its_name(run: Predict, kind: str) -> None:
    whole = Path(f"in.{kind}").read_bytes()
    for place in range(8, len(whole) - 8, len(whole) // 12):
        Path(f"torn.{kind}").write_bytes(whole[:place] + bytes(64) + whole[place + 64 :])
        told = run("-i", f"torn.{kind}")
        assert told.exit_code == 0 or isinstance(told.exception, DrupeError), (place, told.exception)


def test_lines_of_odd_shapes_are_refused(run: Predict) -> None:
    for lines in ("1\n[1]\n", "[]\n1\n", "[1]\n{}\n", '{"x": 1}\n3\n'):
        Path("odd.jsonl").write_text(lines)
        assert isinstance(run("-i", "odd.jsonl").exception, DrupeError), lines


def test_a_mark_of_the_byte_order_is_no_part_of_the_first_name(run: Predict) -> None:
    told = run("-t", "csv", stdin=b"\xef\xbb\xbfx,name\n1,a\n")
    assert json.loads(told.stdout) == {"predictions": [2.0]}
