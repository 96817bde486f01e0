"""The bytes of a journal: frames in, frames out, and what damage looks like."""

from __future__ import annotations

from hypothesis import given, strategies as st

from drupe.tracking.journal import layout
from drupe.tracking.journal.layout import FrameKind

PAYLOADS = st.lists(st.tuples(st.sampled_from(list(FrameKind)), st.binary(max_size=60)), max_size=8)


def written(frames: list[tuple[FrameKind, bytes]]) -> bytes:
    return b"".join(layout.frame(number, kind, payload) for number, (kind, payload) in enumerate(frames))


def read(block: bytes) -> list[tuple[int, bytes]]:
    found, at = [], 0
    while stop := layout.end_of_frame(block, at):
        found.append((block[at + layout.LEAD.size - 1], block[at + layout.LEAD.size : stop - layout.CRC.size]))
        at = stop
    return found


@given(PAYLOADS)
def test_frames_are_read_as_they_were_written_and_zeros_end_them(frames: list[tuple[FrameKind, bytes]]) -> None:
    assert read(written(frames) + bytes(100)) == frames


@given(PAYLOADS.filter(bool), st.data())
def test_a_cut_anywhere_loses_only_the_frame_that_it_is_in(frames: list[tuple[FrameKind, bytes]], data: st.DataObject) -> None:
    block = written(frames)
    cut = data.draw(st.integers(0, len(block)))
    whole = sum(1 for n in range(len(frames)) if len(written(frames[: n + 1])) <= cut)
    assert read(block[:cut]) == frames[:whole]
    filled = block[:cut] + bytes(64)  # as a place of a file that was never written is read; a frame that ends in zeros may be whole again
    whole = sum(1 for n in range(len(frames)) if filled.startswith(written(frames[: n + 1])))
    assert read(filled) == frames[:whole]


@given(PAYLOADS.filter(lambda frames: len(frames) > 1), st.data())
def test_a_flipped_bit_is_noticed_and_what_stands_behind_it_is_found_again(
    frames: list[tuple[FrameKind, bytes]], data: st.DataObject
) -> None:
    block = bytearray(written(frames))
    first = len(written(frames[:1]))
    place = data.draw(st.integers(0, first - 1))
    block[place] ^= 1 << data.draw(st.integers(0, 7))
    assert layout.end_of_frame(bytes(block), 0) == 0
    assert layout.find_frame(bytes(block), 1) == first


def test_the_fast_form_of_a_metric_is_a_frame_like_any_other() -> None:
    content = layout.METRIC.pack(layout.METRIC.size - 4, 7, FrameKind.METRIC, 2, -5, 1_700_000_000_000, 0.25)
    assert layout.frame(7, FrameKind.METRIC, layout.POINT.pack(2, -5, 1_700_000_000_000, 0.25))[: layout.METRIC.size] == content
    assert len(content) + 4 == layout.METRIC_BYTES
