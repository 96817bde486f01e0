"""Run by our client: a run with a curve and a file goes to the server that the environment names, and comes back."""

from __future__ import annotations

import hashlib
import tempfile
from pathlib import Path
from random import Random

import drupe

CONTENT = Random(12).randbytes(9_000_000)

with tempfile.TemporaryDirectory() as folder:
    file = Path(folder, "größe 100%.bin")
    file.write_bytes(CONTENT)
    with drupe.start_run(run_name="ours") as run:
        for step in range(1000):
            drupe.log_metric("loss", 1 / (1 + step), step=step)
        drupe.log_artifact(str(file), "dir")
    fetched = Path(drupe.artifacts.download_artifacts(run_id=run.info.run_id, artifact_path="dir", dst_path=folder + "/back"))
    assert hashlib.sha256((fetched / file.name).read_bytes()).digest() == hashlib.sha256(CONTENT).digest()
found = drupe.get_run(run.info.run_id)
assert (found.data.metrics["loss"], found.info.status) == (1 / 1000, "FINISHED"), found
assert run.info.run_id in [one.info.run_id for one in drupe.search_runs(filter_string="metrics.loss < 0.5", output_format="list")]
print(run.info.run_id)
