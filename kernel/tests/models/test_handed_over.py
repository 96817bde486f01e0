"""A model that another process has checked for this one: it loads as long as it is that folder with those files, and is refused otherwise."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

import drupe
from drupe.errors import ArtifactCorrupt, UntrustedModel
from drupe.models.gate import admit, vouched_by
from drupe.models.handed_over import VARIABLE, note_for_child
from drupe.models.trusted import forget


def _made_here() -> Any:
    def double(model_input: Any) -> Any:  # inside a function, so that it is pickled whole
        return model_input["a"] * 2

    return double


@pytest.fixture
def strange(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A pickle that nobody here has made, checked by the process that this one pretends to be the child of."""
    folder = tmp_path / "strange"
    drupe.pyfunc.save_model(folder, python_model=_made_here(), pip_requirements=["cloudpickle"])
    digest = admit(folder).digest
    forget(digest)
    with pytest.raises(UntrustedModel):
        drupe.load_model(folder)
    for name, value in note_for_child(folder, digest).items():
        monkeypatch.setenv(name, value)
    return folder


def test_what_was_checked_loads(strange: Path) -> None:
    assert drupe.load_model(strange).predict({"a": 21}) == 42
    assert drupe.load_model(str(strange)).predict({"a": 21}) == 42
    assert vouched_by(admit(strange)) == "the process that started this one has checked it"


def test_the_same_files_elsewhere_were_not_checked(strange: Path, tmp_path: Path) -> None:
    with pytest.raises(UntrustedModel):
        drupe.load_model(shutil.copytree(strange, tmp_path / "copied"))


def test_other_files_in_its_place_are_refused_even_when_they_run_nothing(strange: Path) -> None:
    from sklearn.linear_model import LogisticRegression

    shutil.rmtree(strange)
    drupe.sklearn.save_model(LogisticRegression().fit([[0.0], [1.0]], [0, 1]), strange, pip_requirements=["scikit-learn"])
    with pytest.raises(ArtifactCorrupt, match="was changed since it was checked by the process that started this one"):
        drupe.load_model(strange)


def test_nobody_means_nobody_here_too(strange: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DRUPE_MODELS_TRUST", "nobody")
    with pytest.raises(UntrustedModel):
        drupe.load_model(strange)


@pytest.mark.parametrize(
    "told", ["", "{", "7", "[]", '["/x"]', '["{folder}", true]', '["{folder}", "abc"]', "[1, 2, 3]", '{"a": 1, "b": 2}']
)
def test_what_says_nothing_vouches_for_nothing(told: str, strange: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, told.replace('"{folder}"', json.dumps(str(strange))))
    with pytest.raises(UntrustedModel):
        drupe.load_model(strange)
