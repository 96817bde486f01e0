"""Datasets described for `log_input`: a name, a digest of the content, where it came from, the schema and a profile. MLflow's names.

The data itself is not stored. `frames` and `arrays` describe what is in memory, `reading` files at an address; what they return is in
`described`. `content` makes digests, `profile` statistics; where data came from is in `source`.
"""

from __future__ import annotations

from drupe.data.arrays import from_numpy
from drupe.data.described import ArrayDataset, DescribedDataset, FrameDataset
from drupe.data.frames import from_pandas, from_polars
from drupe.data.reading import load
from drupe.data.source import RecordedSource, get_source

__all__ = [
    "ArrayDataset",
    "DescribedDataset",
    "FrameDataset",
    "RecordedSource",
    "from_numpy",
    "from_pandas",
    "from_polars",
    "get_source",
    "load",
]
