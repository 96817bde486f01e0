"""Cards in model folders, written before the manifest and never read back; and the cards that notebooks show."""

from __future__ import annotations

from pathlib import Path

from attrs import evolve

from drupe.entities import LoggedModel, Run
from drupe.models.card.content import NOT_STATED, Card, Facts, card_of
from drupe.models.card.inline import as_inline
from drupe.models.card.markdown import as_markdown
from drupe.models.card.page import as_page
from drupe.models.mlmodel import Model, ModelInfo

__all__ = ["CARD_HTML", "CARD_MARKDOWN", "card_of_folder", "html_of_entity", "html_of_info", "html_of_loaded", "write_card"]

CARD_MARKDOWN, CARD_HTML = "card.md", "card.html"
_REQUIREMENTS, _EXAMPLE = "requirements.txt", "serving_input_example.json"
_READ_MAX = 100_000


def write_card(folder: Path, model: Model, uri: str, *, entity: LoggedModel | None = None, run: Run | None = None) -> None:
    """Write the card of a model into its folder, as markdown and HTML. A file of that name that a flavor wrote is left alone."""
    card = card_of_folder(folder, model, uri, entity=entity, run=run)
    for name, text in ((CARD_MARKDOWN, as_markdown(card)), (CARD_HTML, as_page(card))):
        file = folder / name
        if not file.exists():
            file.write_text(text, encoding="utf-8", newline="\n")


def card_of_folder(
    folder: Path,
    model: Model,
    uri: str,
    *,
    entity: LoggedModel | None = None,
    run: Run | None = None,
    versions: list[tuple[str, str]] | None = None,
) -> Card:
    """The card of the model in a local folder."""
    files = sum(1 for file in folder.rglob("*") if file.is_file())
    requirements = [line for line in (_text(folder / _REQUIREMENTS) or "").splitlines() if line.strip() and not line.startswith("#")]
    return card_of(
        model,
        uri=uri,
        requirements=requirements,
        files=files,
        example=_text(folder / _EXAMPLE),
        entity=entity,
        run=run,
        versions=versions or (),
    )


def html_of_info(info: ModelInfo) -> str:
    """What a notebook shows of what `log_model` returns."""
    extra = {"model_id": info.model_id} if info.model_id else {}
    model = Model(
        info.flavors,
        info.signature,
        info.saved_input_example_info,
        info.metadata,
        info.artifact_path,
        info.run_id,
        info.model_uuid,
        info.utc_time_created,
        extra={**extra, **({"mlflow_version": info.mlflow_version} if info.mlflow_version else {})},
    )
    # what people wrote, the data and the metrics are with the model and its run, of which the info knows nothing
    return as_inline(_only(card_of(model, uri=info.model_uri), "Input and output", "How to use it", "Facts"))


def html_of_loaded(model: Model, folder: Path) -> str:
    """What a notebook shows of a loaded model."""
    uri = f"models:/{model.model_id}" if model.model_id else str(folder)
    return as_inline(card_of_folder(folder, model, uri))


def html_of_entity(entity: LoggedModel) -> str:
    """What a notebook shows of a logged model."""
    model = Model({}, extra={"model_id": entity.model_id}, run_id=entity.source_run_id, utc_time_created="")
    card = card_of(model, uri=entity.model_uri, entity=entity)
    return as_inline(evolve(_only(card, "Metrics", "Parameters", "Facts"), subtitle=entity.model_type or "logged model"))


def _only(card: Card, *titles: str) -> Card:
    """Those sections alone. Of facts, the licence is left out when it is not stated: it may be, where it was not looked up."""
    kept = [section for section in card.sections if section.title in titles]
    for place, section in enumerate(kept):
        if section.title == "Facts":
            (facts,) = section.blocks
            assert isinstance(facts, Facts)
            kept[place] = evolve(section, blocks=(Facts(tuple(row for row in facts.rows if row != ("licence", NOT_STATED))),))
    return evolve(card, sections=tuple(kept))


def _text(file: Path) -> str | None:
    if not file.is_file() or file.stat().st_size > _READ_MAX:
        return None
    try:
        return file.read_text(encoding="utf-8").strip()
    except UnicodeDecodeError:
        return None
