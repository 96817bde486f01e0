"""The points that jobs log: a loss that falls with noise on it, so that they compress like those of a training and no two are the same."""

from __future__ import annotations


def value_at(step: int) -> float:
    """The value of `loss` at a step; reading jobs hold what they find to it."""
    noise = (step * 2_654_435_761 & 0xFFFFFFFF) / 2**32
    return 1.0 / (1.0 + step / 1000) + noise / 10
