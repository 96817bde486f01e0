"""Changes come out of a stream as they went in, wherever it is cut, and what is no change is passed over."""

from __future__ import annotations

import pytest

from drupe.errors import StoreError
from drupe.wire.changes import LISTENING, STILL_HERE, changes_in, event_of

RUN, MISSED = {"kind": "run", "run_id": "ü"}, {"kind": "missed"}


@pytest.mark.parametrize("size", [1, 2, 7, 1000])
def test_changes_and_signs_of_life_come_back_in_order_however_the_stream_is_cut(size: int) -> None:
    stream = LISTENING + event_of(RUN) + STILL_HERE + event_of(MISSED)
    assert list(changes_in(stream[at : at + size] for at in range(0, len(stream), size))) == [None, RUN, None, MISSED]


@pytest.mark.parametrize(
    "line",
    [b"data: {", b"data: []", b"data: 1", b'data: {"run_id": "r"}', b'data: {"kind": 1}', b'data: {"kind": "run", "x": {}}', b"data: \xff", b"event: x", b"data: " + b"[" * 60_000],
)  # fmt: skip
def test_what_is_no_change_is_passed_over(line: bytes) -> None:
    assert list(changes_in([line, b"\n\n", event_of(RUN)])) == [RUN]


def test_a_line_without_an_end_is_refused_before_it_fills_the_memory() -> None:
    with pytest.raises(StoreError, match="too long"):
        list(changes_in([b"data: ", *[b"x" * 1000] * 100]))
