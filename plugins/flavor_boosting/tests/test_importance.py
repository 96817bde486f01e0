"""The picture of what counts in a model, drawn without the user's pyplot."""

from __future__ import annotations

import io

import matplotlib.pyplot as plt
from PIL import Image

from drupe_flavor_boosting.importance import DPI, MOST, importance_png
from drupe_flavor_boosting.iterations import metric_key


def height(picture: bytes) -> float:
    return Image.open(io.BytesIO(picture)).height / DPI


def test_a_bar_for_each_feature_and_no_more_than_can_be_read() -> None:
    few = importance_png({"a": 3.0, "b": 1.0}, "gain")
    many = importance_png({f"feature {place}": float(place) for place in range(500)}, "gain")
    more = importance_png({f"feature {place}": float(place) for place in range(MOST)}, "gain")
    assert height(few) < height(many) == height(more) < 12
    assert plt.get_fignums() == []


def test_weights_of_several_classes_are_one_bar_and_long_names_are_cut() -> None:
    assert height(importance_png({"x" * 400: [1.0, -2.0], "b": [0.5, 0.5]}, "weight")) < 3


def test_metrics_have_mlflows_names() -> None:
    assert metric_key("valid", "ndcg@3") == "valid-ndcg_at_3"
