"""Model cards: what they say, what people write into them, that nothing of it is taken for markup, and where they are shown."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import drupe
from drupe.artifacts.manifest import read_manifest
from drupe.entities import Dataset, LoggedModel
from drupe.errors import InvalidValue
from drupe.models.card import as_markdown, as_page, card_of, read_parts
from drupe.models.mlmodel import Model

HOSTILE = "<script>alert(1)</script><img src=x onerror=alert(1)> [x](javascript:alert(1)) `code` | a\n# not a title\x1b[31m"


class _Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}


def tags_of(html: str) -> _Tags:
    parser = _Tags()
    parser.feed(html)
    return parser


def test_a_logged_model_has_a_card_with_all_that_is_known(classifier: Any, table: pd.DataFrame) -> None:
    with drupe.start_run() as run:
        drupe.log_param("C", 1.0)
        drupe.log_input(Dataset("customers", "d1", profile=json.dumps({"num_rows": 40})), "training")
        drupe.log_metric("auc", 0.97, dataset=Dataset("test", "d2"))
        info = drupe.log_model(
            classifier, "churn", input_example=table.head(1), card={"Purpose": "Finds who leaves.", "Limits": "Small.", "license": "MIT"}
        )
    folder = drupe.load_model(info.model_uri).path
    text = (folder / "card.md").read_text()
    for told in (
        "# churn",
        "Finds who leaves.",
        "| customers | training | 40 | d1 |",
        "| auc | 0.97 | 0 | test |",
        "## Limits",
        "| C | 1.0 |",
        f"drupe.load_model('models:/{info.model_id}')",
        f"drupe models predict -m models:/{info.model_id}",
        f"drupe models serve -m models:/{info.model_id}",
        "scikit-learn==",
        "* licence: MIT",
        "* size: ",
        f"* run: {run.info.run_id}",
    ):
        assert told in text, told
    manifest = read_manifest(folder)
    assert manifest is not None
    assert {"card.md", "card.html"} < {file.path for file in manifest.files}
    assert Model.load(folder).extra["card"] == {"purpose": "Finds who leaves.", "Limits": "Small.", "licence": "MIT"}


def test_a_card_says_when_the_run_has_measured_on_after_the_step_of_the_model(classifier: Any, workspace: Path) -> None:
    told = "These are the values of step 1, at which the model was made; its run has measured on until step 3 (loss)."
    with drupe.start_run() as run:
        drupe.log_metrics({"loss": 0.5, "system/cpu": 1.0}, step=1)
        info = drupe.log_model(classifier, "clf", step=1)
        card = Path(run.info.artifact_uri.removeprefix("file://"), "clf", "card.md")
        assert "| loss | 0.5 | 1 |" in card.read_text()
        assert "measured on" not in card.read_text()
        drupe.log_metric("loss", 0.25, step=3)
        drupe.log_metric("system/cpu", 0.25, step=5)
    entity = drupe.get_logged_model(str(info.model_id))
    assert told in as_markdown(card_of(Model({}), uri=info.model_uri, entity=entity, run=drupe.get_run(run.info.run_id)))


def test_the_code_of_a_card_runs(classifier: Any, table: pd.DataFrame, workspace: Path) -> None:
    info = drupe.save_model(classifier, workspace / "m", input_example=table.head(2))
    text = (workspace / "m" / "card.md").read_text()
    code = re.search(r"```python\n(.*?)```", text, re.DOTALL)
    assert code is not None
    names: dict[str, Any] = {}
    exec(code[1], names)
    assert names["predictions"].tolist() == classifier.predict(table.head(2)).tolist()
    body = re.search(r"-d '(\{.*\})'", text)
    assert body is not None
    assert json.loads(body[1]) == json.loads((workspace / "m" / "serving_input_example.json").read_text())
    assert info.model_id is None


def test_nothing_of_what_users_write_is_taken_for_markup() -> None:
    entity = LoggedModel(f"m-{'1' * 32}", "0", HOSTILE, "x", 1, 1, params={HOSTILE: HOSTILE}, model_type=HOSTILE)
    model = Model({"sklearn": {"sklearn_version": HOSTILE}}, extra={"card": {"purpose": HOSTILE, HOSTILE: HOSTILE}}, run_id=HOSTILE)
    made = card_of(model, uri=HOSTILE, requirements=[HOSTILE], entity=entity, versions=[(HOSTILE, "1")])
    found = tags_of(as_page(made))
    assert found.tags.isdisjoint({"script", "img", "a", "iframe"})
    assert found.attributes <= {"lang", "charset", "name", "content", "http-equiv", "class"}
    assert "\x1b" not in as_page(made)
    outside = re.sub(r"(?ms)^(`{3,})\w*\n.*?^\1$", "", as_markdown(made))
    assert not re.search(r"(?<!\\)<|(?<!\\)\]\(|^# not", outside, re.MULTILINE)
    assert "\x1b" not in as_markdown(made)


def test_own_parts_come_from_a_dict_a_text_or_a_file(tmp_path: Path) -> None:
    file = tmp_path / "card.md"
    file.write_text("Finds who leaves.\n\n## Data\n2025 only\n\n## Ethics\n```\n# no title\n```\n")
    assert read_parts(file) == {"purpose": "Finds who leaves.", "data": "2025 only", "Ethics": "```\n# no title\n```"}
    assert read_parts("Finds who leaves.") == {"purpose": "Finds who leaves."}
    assert read_parts({"License": "MIT", "empty": None}) == {"licence": "MIT"}
    assert read_parts(None) == {}
    for bad in (tmp_path / "nowhere.md", 3, {"a": "x" * 20_001}):
        with pytest.raises(InvalidValue, match="card"):
            read_parts(bad)  # type: ignore[arg-type]


def test_the_users_metadata_fills_what_nobody_wrote(classifier: Any, tmp_path: Path) -> None:
    drupe.save_model(classifier, tmp_path / "m", metadata={"license": "Apache-2.0", "purpose": "From metadata"})
    text = (tmp_path / "m" / "card.md").read_text()
    assert "From metadata" in text
    assert "* licence: Apache-2.0" in text


def test_notebooks_show_the_card(classifier: Any) -> None:
    with drupe.start_run():
        info = drupe.log_model(classifier, "churn")
        drupe.log_metric("acc", 0.5)
    shown = [thing._repr_html_() for thing in (info, drupe.load_model(info.model_uri), drupe.get_logged_model(str(info.model_id)))]
    assert all("drupe-card" in html and str(info.model_id) in html for html in shown)
    assert "acc" in shown[2]


def test_a_long_example_is_a_file_and_columns_without_content_are_left_out() -> None:
    from drupe.models import ModelSignature, Schema, TensorSpec

    image = ModelSignature(Schema([TensorSpec("float32", (-1, 3, 8, 8))]))
    text = as_markdown(card_of(Model({}, image), uri="./net", example=json.dumps({"inputs": [[[[0.0] * 8] * 8] * 3]})))
    assert text.startswith("# net\n")
    assert "-d @serving_input_example.json" in text
    assert 'data = np.zeros((1, 3, 8, 8), dtype="float32")' in text
    assert "rows.csv" not in text  # a table holds no such input
    assert "|  | type |" in text


def test_a_card_that_does_not_know_the_run_claims_nothing_of_its_data_and_metrics() -> None:
    model = Model({}, run_id="a" * 32)
    assert not {"Data", "Metrics"} & {section.title for section in card_of(model, uri="models:/m-1").sections}
    assert {"Data", "Metrics"} <= {section.title for section in card_of(Model({}), uri="./net").sections}


def test_words_of_a_table_are_not_broken_and_long_tables_are_scrolled_by_keys() -> None:
    from drupe.models import ColSpec, ModelSignature, Schema

    columns = Schema([ColSpec("double", f"{'long ' * 9}{place}") for place in range(41)])
    page = as_page(card_of(Model({}, ModelSignature(columns)), uri="./net"))
    assert '<td class="short">double</td>' in page
    assert '<div class="wide tall" tabindex="0">' in page
