"""Run by an official client: a large file and a small one go to the server, in the way that the environment says, and come back."""

from __future__ import annotations

import hashlib
import random
import tempfile
from pathlib import Path

import mlflow

CONTENT = random.Random(11).randbytes(13_000_000)

with mlflow.start_run() as run, tempfile.TemporaryDirectory() as folder:
    file = Path(folder, "weights of a model.bin")
    file.write_bytes(CONTENT)
    mlflow.log_artifact(str(file), "model")
    mlflow.log_text("small", "model/note.txt")
    fetched = Path(mlflow.artifacts.download_artifacts(run_id=run.info.run_id, artifact_path="model", dst_path=folder))
    assert hashlib.sha256((fetched / file.name).read_bytes()).digest() == hashlib.sha256(CONTENT).digest()
    assert (fetched / "note.txt").read_text() == "small"
    files = {one.path: one.file_size for one in mlflow.MlflowClient().list_artifacts(run.info.run_id, "model")}
    assert files == {"model/note.txt": 5, f"model/{file.name}": len(CONTENT)}
print(run.info.run_id)
