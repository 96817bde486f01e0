"""Series go through bytes without a change, and bytes that are no series are refused."""

from __future__ import annotations

import math

import pytest

from drupe.entities import Points, Series
from drupe.errors import InvalidValue
from drupe.wire.series import pack_series, unpack_series

SERIES = [
    Series("r1", "loss", Points.of([(-1, 5, 0.5), (0, 6, math.nan), (2**63 - 1, 7, -math.inf)]), False),
    Series("r2", "ü/x", Points.of([(0, 1, 1.0)]), True),
    Series("r2", "none", Points(), False),
]


def test_series_come_back_as_they_were() -> None:
    found = unpack_series(pack_series(SERIES))
    assert [(one.run_id, one.key, one.is_sampled, repr(list(one.points))) for one in found] == [
        (one.run_id, one.key, one.is_sampled, repr(list(one.points))) for one in SERIES
    ]
    assert unpack_series(pack_series([])) == []


@pytest.mark.parametrize(
    "change",
    [
        lambda body: b"",
        lambda body: body[:-1],
        lambda body: body + b"\0",
        lambda body: b"DRS2" + body[4:],
        lambda body: body[:4] + b"\xff\xff\xff\xff" + body[8:],
        lambda body: body.replace(b'"count": 3', b'"count":-3'),
        lambda body: body.replace(b'"key"', b'"kee"'),
        lambda body: b"DRS1\x02\0\0\0[]",
    ],
)
def test_what_is_no_packed_series_is_refused(change: object) -> None:
    with pytest.raises(InvalidValue, match="no packed series"):
        unpack_series(change(bytes(pack_series(SERIES))))  # type: ignore[operator]
