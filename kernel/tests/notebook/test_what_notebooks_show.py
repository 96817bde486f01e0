"""Values as notebooks show them: what is in them, that nothing of it is acted on, and how large they get. Pictures: the browser's tests of the UI."""

from __future__ import annotations

from html.parser import HTMLParser
from typing import Any

import pytest

import drupe
from drupe.entities import (
    Dataset,
    DatasetInput,
    Experiment,
    InputTag,
    LifecycleStage,
    LoggedModel,
    MetricSummary,
    ModelOutput,
    ModelVersion,
    Page,
    RegisteredModel,
    Run,
    RunData,
    RunInfo,
    RunInputs,
    RunOutputs,
    RunStatus,
    Stage,
)
from drupe.evaluation import Check, EvaluationArtifact, EvaluationResult
from drupe.notebook.html import MAX_CHARACTERS

EVIL = '"><script>alert(1)</script><img src=x onerror=alert(1)><a href="javascript:alert(1)">&amp;\x00\x1b[31m</td>'
ALLOWED = {"a", "code", "details", "div", "img", "pre", "span", "summary", "table", "tbody", "td", "th", "thead", "tr"}


class _Shape(HTMLParser):
    """Tags, attributes and texts of a part of a page; the tags must close in order."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: list[tuple[str, str]] = []
        self.texts: list[str] = []
        self._open: list[str] = []
        self.feed(html)
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes += [(name, value or "") for name, value in attrs]
        if tag != "img":
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


def run_of(told: str = "pear", *, count: int = 2, **data: Any) -> Run:
    info = RunInfo(
        "r" * 32, "7", told, told, RunStatus.FINISHED, 1_700_000_000_000, 1_700_000_090_500, LifecycleStage.ACTIVE, f"file:///{told}"
    )
    summary = MetricSummary(3, 0.9, 0.25, 2, 1, 0.125, 0.9, 0.4, 1, 0)
    filled = RunData(
        metrics={told: 0.25, "accuracy": 1 / 3, "system/cpu": 12.0},
        params={f"{told}-{place}": told for place in range(count)},
        tags={told: told, "mlflow.note.content": told, "mlflow.source.name": told, "mlflow.parentRunId": told},
        summaries={told: summary},
    )
    used = DatasetInput(Dataset(told, "d1", "local", f'{{"uri": "{told}"}}'), (InputTag("mlflow.data.context", told),))
    return Run(info, filled if not data else RunData(**data), RunInputs((used,)), RunOutputs((ModelOutput(f"m-{told}"),)))


def version_of(told: str, **more: Any) -> ModelVersion:
    return ModelVersion(
        told, "3", 1_700_000_000_000, 1_700_000_000_000, f"s3://key:secret@bucket/{told}", told, told, told, tags={told: told}, **more
    )


def everything(told: str) -> list[Any]:
    run, version = run_of(told), version_of(told, aliases=(told,), status_message=told)
    experiment = Experiment("7", told, told, tags={told: told, "mlflow.note.content": told})
    registered = RegisteredModel(told, 1, 1, told, {told: told}, {told: "3"}, (version,))
    logged = LoggedModel("m-1", "7", told, told, 1, 1, tags={told: told}, params={told: told})
    result = EvaluationResult({told: 0.5}, {told: EvaluationArtifact(f"runs:/1/{told}.png", b"\x89PNG")}, told, failures={told: told})
    result.checks = [Check(told, told, 0.5, None, False, told)]
    alone = [run, experiment, registered, version, logged, result]
    return [*alone, *(Page([one, one]) for one in alone[:5])]


@pytest.mark.parametrize(
    "value",
    everything(EVIL),
    ids=lambda value: f"{type(value).__name__} of {type(value[0]).__name__}" if isinstance(value, Page) else type(value).__name__,
)
def test_content_from_outside_stays_text(value: Any) -> None:
    html = value._repr_html_()
    shape = _Shape(html)
    assert shape.tags <= ALLOWED
    assert {name for name, _ in shape.attributes} <= {
        "alt",
        "class",
        "href",
        "open",
        "rel",
        "scope",
        "src",
        "style",
        "tabindex",
        "target",
        "title",
    }
    assert not any(value.startswith("javascript") for name, value in shape.attributes if name in ("href", "src"))
    assert "\x1b" not in html
    assert "\x00" not in html
    assert "<script>alert(1)</script>" in "".join(shape.texts)


def test_a_run_shows_its_state_numbers_and_origin() -> None:
    shape = _Shape(run_of()._repr_html_() or "")
    for told in (
        "✓ finished",
        "2023-11-14 22:13:20 UTC",
        "1 min 30 s",
        "0.125",
        "0.333333",
        "source",
        "Metrics ",
        "System metrics ",
        "m-pear",
    ):
        assert told in shape.texts, told
    assert ("title", repr(1 / 3)) in shape.attributes


def test_a_run_with_a_thousand_long_params_stays_usable_and_says_what_is_left_out() -> None:
    html = run_of(count=1000)._repr_html_() or ""
    assert "pear-999" in html
    assert len(html) < 400_000
    heavy = run_of(metrics={}, params={f"p{place}": "&" * 6000 for place in range(1000)}, tags={}, summaries={})._repr_html_() or ""
    assert len(heavy) < MAX_CHARACTERS * 1.5
    assert "more" in heavy
    assert "…" in heavy


def test_runs_are_rows_with_what_tells_them_apart() -> None:
    one, other = (
        run_of("a", metrics={"acc": 0.5}, params={"lr": "1", "seed": "7"}),
        run_of("b", metrics={"acc": 0.75}, params={"lr": "2", "seed": "7"}),
    )
    shape = _Shape(Page([one, other], "t")._repr_html_() or "")
    assert "2 runs; the token of this page leads to more" in shape.texts
    assert {"acc", "0.75", "lr"} <= set(shape.texts)
    assert "seed" not in shape.texts
    many = _Shape(Page([one] * 80)._repr_html_() or "")
    assert "… and 30 more" in many.texts


def test_a_list_of_nothing_or_of_other_values_is_left_to_its_text() -> None:
    assert Page([])._repr_html_() is None
    assert Page([1, 2])._repr_html_() is None
    assert repr(Page([1, 2])) == "[1, 2]"


def test_thresholds_are_shown_with_their_verdicts() -> None:
    result = EvaluationResult({"auc": 0.7, "loss": 0.2}, {})
    wanted = {
        "auc": drupe.MetricThreshold(threshold=0.9, greater_is_better=True),
        "loss": drupe.MetricThreshold(threshold=0.5, greater_is_better=False),
    }
    with pytest.raises(drupe.DrupeError):
        drupe.validate_evaluation_results(wanted, result)
    texts = _Shape(result._repr_html_()).texts
    assert {"Evaluation; 1 of 2 thresholds missed", "✗ missed", "✓ met", ">= 0.9", "auc is 0.7 and must be >= 0.9"} <= set(texts)


def test_pictures_are_inside_of_the_page_as_far_as_they_are_small() -> None:
    artifacts = {"curve": EvaluationArtifact("runs:/1/curve.png", b"\x89PNG"), "map": EvaluationArtifact("runs:/1/map.png", b"x" * 400_001)}
    shape = _Shape(EvaluationResult({}, artifacts)._repr_html_())
    assert ("src", "data:image/png;base64,iVBORw==") in shape.attributes
    assert "Too large to be shown here: map" in shape.texts


def test_values_of_a_servers_store_lead_to_its_pages_without_telling_its_password(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DRUPE_TRACKING_URI", "https://ada:secret@ml.example/base/?token=hidden")
    html = (run_of("a/b")._repr_html_() or "") + (version_of("ä b", current_stage=Stage.PRODUCTION)._repr_html_() or "")
    links = [value for name, value in _Shape(html).attributes if name == "href"]
    assert f"https://ml.example/base/#/experiments/7/runs/{'r' * 32}" in links
    assert "https://ml.example/base/#/models/%C3%A4%20b/versions/3" in links
    assert "secret" not in html
    assert "hidden" not in html


def test_a_store_in_a_file_has_no_pages(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DRUPE_TRACKING_URI", f"sqlite:///{tmp_path}/runs.db")
    assert "href" not in (run_of()._repr_html_() or "")


def test_ipython_shows_what_the_api_returns_and_keeps_the_plain_text() -> None:
    display = pytest.importorskip("IPython.core.formatters").DisplayFormatter()
    with drupe.start_run(run_name="pear") as active:
        drupe.log_metric("accuracy", 0.5)
    for value in (
        drupe.get_run(active.info.run_id),
        drupe.search_runs(output_format="list"),
        drupe.get_experiment(active.info.experiment_id),
    ):
        shown, _ = display.format(value)
        assert shown["text/html"].startswith('<div class="drupe-')
        assert "RunInfo(" in shown["text/plain"] or "Experiment(" in shown["text/plain"]
    shown, _ = display.format(drupe.search_runs(filter_string="metrics.accuracy > 1", output_format="list"))
    assert shown == {"text/plain": "[]"}
