"""Hostile input at a scoring server: whatever is sent, one clear error or an answer, and the server goes on."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy
import pandas
import pytest
from sklearn.linear_model import LogisticRegression

import drupe
from drupe.models import infer_signature
from plugins.serving.tests.scoring import Process, Scored, start
from tests.hostile.test_openapi import CHECKS, EXAMPLES, SEED

DEEP = 100_000
VALUES: list[Any] = [
    *(None, True, 0, -1, 2**53 + 1, 2**63, -(2**64), 10**400, 1.5, 1e308, -0.0),
    *("", "x", "NaN", "\x00", "\ud83d\ude00", "é" * 1000, "=cmd()", "../../etc/passwd", "{{7*7}}", "<script>", "__import__('os')"),
    *([], [[]], {}, {"": None}, {"__class__": "x"}, [[[[1]]]], [None] * 1000),
]
FORMS = ["dataframe_split", "dataframe_records", "instances", "inputs", "params", "messages"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("scoring") / "model"
    table = pandas.DataFrame({"a": [0.2, 0.8, 0.4], "b": [0.1, 0.2, 0.9]})
    model = LogisticRegression().fit(table, [0, 1, 0])
    drupe.sklearn.save_model(
        model, place, signature=infer_signature(table, numpy.array([0])), input_example=table.head(1), pip_requirements=["pandas"]
    )
    return place


@pytest.fixture(scope="module")
def scored(folder: Path) -> Iterator[Scored]:
    one = Scored(folder, max_body_mb=1)
    yield one
    assert one.score({"inputs": {"a": [0.1], "b": [0.2]}}).predictions == [0]
    one.close()


def check(told: Any, what: Any) -> None:
    """An answer, or an error of the client's with nothing of ours in it."""
    assert told.status < 500, (what, told)
    if told.status >= 400:
        assert told.error, what


def test_any_value_in_any_place_is_answered(scored: Scored) -> None:
    places: list[Any] = [
        *(lambda value, form=form: {form: value} for form in FORMS),  # type: ignore[misc]
        lambda value: {"dataframe_records": [{"a": value, "b": 1}]},
        lambda value: {"dataframe_records": [value]},
        lambda value: {"dataframe_split": {"columns": ["a", "b"], "data": value}},
        lambda value: {"dataframe_split": {"columns": ["a", "b"], "data": [value]}},
        lambda value: {"dataframe_split": {"columns": value, "data": [[1, 2]]}},
        lambda value: {"dataframe_split": {"columns": ["a", "b"], "data": [[1, 2]], "index": value}},
        lambda value: {"inputs": {"a": value, "b": value}},
        lambda value: {"inputs": {"a": [1], "b": [1]}, "params": value},
        lambda value: value,
    ]
    for place in places:
        for value in VALUES:
            form = place(value)
            check(scored.score(form), form)


def test_any_value_in_any_place_of_a_tensor_is_answered(scored: Scored) -> None:
    whole = {"name": "a", "shape": [1], "datatype": "FP64", "data": [1.0], "parameters": {}}
    for key in whole:
        for value in VALUES:
            form = {"inputs": [{**whole, key: value}, {**whole, "name": "b"}]}
            check(scored.ask("/v2/models/m/infer", form), form)
    for key in ("id", "inputs", "outputs", "parameters"):
        for value in VALUES:
            form = {"inputs": [whole, {**whole, "name": "b"}], key: value}
            check(scored.ask("/v2/models/m/infer", form), form)
    for length in ("-1", "x", "99999999999999999999", "3", ""):
        check(scored.ask("/v2/models/m/infer", b'{"inputs":[]}', None, Inference_Header_Content_Length=length), length)


@pytest.mark.parametrize(
    "body",
    [
        b"[" * DEEP,
        b'{"inputs":' * DEEP,
        b'{"inputs":' + b"[" * DEEP + b"]" * DEEP + b"}",
        b'{"inputs":' + b"9" * DEEP + b"}",
        b'{"dataframe_records":[' + b",".join(b'{"%d":1}' % n for n in range(5000)) + b"]}",
        b'{"inputs":"\xed\xa0\x80"}',
        b"\x00" * 100,
        b"\xff\xfe{",
    ],
)
def test_bodies_that_are_deep_long_or_no_text_are_answered(scored: Scored, body: bytes) -> None:
    check(scored.score(body), body[:50])
    check(scored.ask("/v2/models/m/infer", body), body[:50])
    check(scored.score(body, "text/csv"), body[:50])
    check(scored.score(body, "application/vnd.apache.parquet"), body[:50])


def test_packed_bodies_are_unpacked_up_to_the_limit_only(scored: Scored) -> None:
    import gzip

    bomb = gzip.compress(b" " * (64 << 20))
    assert scored.ask("/invocations", bomb, Content_Encoding="gzip").status == 413
    assert scored.ask("/invocations", b"x", Content_Encoding="br").status == 400


def test_csv_of_every_kind_of_mischief_is_answered(scored: Scored) -> None:
    for text in ('a,b\n"', "a,b\r1,2\r", "a,b\n1,2\x00\n", "," * 10_000, "\n" * 10_000, "a,a\n1,2\n", 'a,b\n"1""2",3\n', "a,b\n1_0,2\n"):
        check(scored.score(text.encode(), "text/csv"), text[:50])


@pytest.fixture(scope="module")
def served(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Process]:
    one = start(["drupe_serving", "--model", str(folder), "--name", "m"], tmp_path_factory.mktemp("served"))
    yield one
    assert one.stop() == 0


@pytest.mark.slow
@pytest.mark.timeout(240 + 60 * EXAMPLES)
def test_the_server_answers_as_its_document_says(served: Process, tmp_path: Path) -> None:
    """Not asked: whether a request that fits the document is taken; it cannot say that as many values must be there as the shape has."""
    program = Path(sys.executable).with_name("schemathesis")
    checks = ",".join(check for check in CHECKS if check not in ("use_after_free", "negative_data_rejection"))
    done = subprocess.run(
        [
            *(str(program), "run", f"{served.url}/openapi.json", "--seed", SEED, "--max-examples", str(EXAMPLES)),
            *("--phases", "coverage,fuzzing", "--checks", checks, "--continue-on-failure", "--no-color", "--warnings", "off"),
        ],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    print(json.dumps(done.stdout[-2000:]))
    assert done.returncode == 0, done.stdout[-20_000:] + done.stderr[-2000:]
