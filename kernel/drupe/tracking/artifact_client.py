"""The file half of a tracking client: artifacts of runs, and values that become files. MLflow's method names and argument order.

Bytes go straight to the artifact repository that the run's address names; the tracking store is only asked for that address.
"""

from __future__ import annotations

import json
import tempfile
import uuid
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from drupe.artifacts.download import download_artifacts
from drupe.artifacts.repos import repo_for
from drupe.artifacts.run_models import find_in_run, made_by
from drupe.artifacts.trees import put_tree
from drupe.entities import FileInfo, LogBatch, gather
from drupe.entities.limits import check_key
from drupe.errors import ArtifactNotFound, InvalidValue
from drupe.extend import ArtifactRepo
from drupe.lazy import need
from drupe.tracking import media
from drupe.tracking.context import working_folder
from drupe.tracking.frames import runs_frame
from drupe.tracking.model_client import LoggedModelClient
from drupe.uris import ArtifactPath, inside_of

__all__ = ["ArtifactClient"]

TABLES_TAG = "mlflow.loggedArtifacts"
IMAGES_TAG = "mlflow.loggedImages"
TABLE_RUNS_PAGE = 1000


class ArtifactClient(LoggedModelClient):
    """A tracking client that can also put and get files."""

    def artifact_repo(self, run_id: str) -> ArtifactRepo:
        """The repository rooted at this run's artifacts. Raises RunNotFound, NoProvider."""
        return repo_for(self.store.get_run(run_id).info.artifact_uri)

    def log_artifact(self, run_id: str, local_path: str | Path, artifact_path: str | None = None) -> None:
        """Keep a copy of a local file (or folder, under its own name) below the folder `artifact_path`."""
        source = Path(local_path)
        if source.is_dir():
            self.log_artifacts(run_id, source, str(ArtifactPath.parse(artifact_path) / source.resolve().name))
            return
        if not source.is_file():
            raise ArtifactNotFound(f"log_artifact({str(local_path)!r}): no such file; it is looked up from {working_folder()}")
        self.artifact_repo(run_id).put_file(source, ArtifactPath.parse(artifact_path) / source.name)

    def log_artifacts(self, run_id: str, local_dir: str | Path, artifact_path: str | None = None) -> None:
        """Keep a copy of all that is in a local folder below the folder `artifact_path`."""
        folder = Path(local_dir)
        if not folder.is_dir():
            raise ArtifactNotFound(f"log_artifacts({str(local_dir)!r}): no such folder; it is looked up from {working_folder()}")
        put_tree(self.artifact_repo(run_id), folder, ArtifactPath.parse(artifact_path))

    def list_artifacts(self, run_id: str, path: str | None = None) -> list[FileInfo]:
        """The files and folders directly below `path`, their paths relative to the run's root; logged models that lie elsewhere are among them."""
        run, inner = self.store.get_run(run_id), ArtifactPath.parse(path)
        found = repo_for(run.info.artifact_uri).list(inner)
        if not run.outputs.model_outputs:
            return found
        if inner.is_root:
            known = {info.path for info in found}
            elsewhere = {one.name for one in made_by(self.store, run) if inside_of(one.artifact_location, run.info.artifact_uri) is None}
            return found + [FileInfo(name, True) for name in sorted(elsewhere - known)]
        model = None if found else find_in_run(self.store, run, inner)
        if model is None or inside_of(model[0].artifact_location, run.info.artifact_uri) is not None:
            return found
        above = inner.segments[: len(inner.segments) - len(model[1].segments)]
        listed = repo_for(model[0].artifact_location).list(model[1])
        return [FileInfo(str(ArtifactPath((*above, *info.path.split("/")))), info.is_dir, info.file_size) for info in listed]

    # --- files of logged models

    def log_model_artifacts(self, model_id: str, local_dir: str | Path) -> None:
        """Keep a copy of all that is in a local folder with a logged model."""
        folder = Path(local_dir)
        if not folder.is_dir():
            raise ArtifactNotFound(f"log_model_artifacts({str(local_dir)!r}): no such folder; it is looked up from {working_folder()}")
        put_tree(self.logged_model_repo(model_id), folder, ArtifactPath())

    def log_model_artifact(self, model_id: str, local_path: str | Path) -> None:
        """Keep a copy of a local file with a logged model."""
        source = Path(local_path)
        if not source.is_file():
            raise ArtifactNotFound(f"log_model_artifact({str(local_path)!r}): no such file; it is looked up from {working_folder()}")
        self.logged_model_repo(model_id).put_file(source, ArtifactPath((source.name,)))

    def list_logged_model_artifacts(self, model_id: str, path: str | None = None) -> list[FileInfo]:
        """The files and folders directly below `path` of a logged model, their paths relative to its root."""
        return self.logged_model_repo(model_id).list(ArtifactPath.parse(path))

    def download_artifacts(self, run_id: str, path: str = "", dst_path: str | Path | None = None) -> str:
        """Make a file or folder available on this machine and return its path; see `drupe.download_artifacts`."""
        return download_artifacts(run_id=run_id, artifact_path=path, dst_path=dst_path, tracking_uri=self.tracking_uri)

    # --- values as files

    def log_text(self, run_id: str, text: str, artifact_file: str) -> None:
        """Keep a text as a UTF-8 file."""
        if not isinstance(text, str):
            raise InvalidValue(f"log_text takes a text, not {type(text).__qualname__}; log_dict keeps dicts and lists")
        self._put(run_id, text.encode("utf-8", "surrogatepass"), artifact_file)

    def log_dict(self, run_id: str, dictionary: Mapping[str, Any] | list[Any], artifact_file: str) -> None:
        """Keep a dict or list as YAML (`.yaml`, `.yml`) or JSON (every other name)."""
        self._put(run_id, media.dict_bytes(dictionary, artifact_file), artifact_file)

    def log_figure(self, run_id: str, figure: Any, artifact_file: str, *, save_kwargs: Mapping[str, Any] | None = None) -> None:
        """Keep a matplotlib or plotly figure in the format that the name ends with."""
        self._put(run_id, media.figure_bytes(figure, artifact_file, save_kwargs), artifact_file)

    def log_image(
        self,
        run_id: str,
        image: Any,
        artifact_file: str | None = None,
        key: str | None = None,
        step: int | None = None,
        timestamp: int | None = None,
        synchronous: bool | None = None,
    ) -> None:
        """Keep an image: one file (`artifact_file`), or one of a series over steps (`key`, `step`)."""
        if (artifact_file is None) == (key is None):
            raise InvalidValue("log_image needs either artifact_file='name.png' or key='name' with step=…")
        if artifact_file is not None:
            if step is not None or timestamp is not None:
                raise InvalidValue("log_image takes step and timestamp only with key=…, not with artifact_file=…")
            suffix = Path(artifact_file).suffix.lower().lstrip(".") or "png"
            self._put(run_id, media.image_bytes(image, "jpeg" if suffix == "jpg" else suffix), artifact_file)
            return
        moment = self._clock() if timestamp is None else timestamp
        full, small = media.image_names(check_key("image", key), step or 0, moment, str(uuid.uuid4()))
        self._put(run_id, media.image_bytes(image, "png"), full)
        self._put(run_id, media.image_bytes(image, "webp", at_most=media.PREVIEW_PIXELS), small)
        self.store.log_batch(run_id, LogBatch(tags={IMAGES_TAG: "true"}))

    def log_table(self, run_id: str, data: Any, artifact_file: str) -> None:
        """Keep a DataFrame or dict of columns as `.json` or `.parquet`; rows are added to a table that is there already."""
        repo = self.artifact_repo(run_id)
        path = ArtifactPath.parse(artifact_file)
        earlier = media.table_from_bytes(_read(repo, path), artifact_file) if repo.is_file(path) else None
        self._put(run_id, media.table_bytes(media.join_tables(earlier, data), artifact_file), artifact_file)
        known = json.loads(self.store.get_run(run_id).data.tags.get(TABLES_TAG, "[]"))
        entry = _table_entry(artifact_file)
        if entry not in known:
            self.store.log_batch(run_id, LogBatch(tags={TABLES_TAG: json.dumps([*known, entry])}))

    def load_table(
        self,
        experiment_id: str | int,
        artifact_file: str,
        run_ids: Sequence[str] | None = None,
        extra_columns: Sequence[str] | None = None,
    ) -> Any:
        """The rows that `log_table` kept under this name in all runs of an experiment, or in those of `run_ids`, as one DataFrame.

        `extra_columns` adds columns of `search_runs` that say which run a row is of, such as "run_id" or "params.lr"; None where
        the run has no such value. Raises ArtifactNotFound when no run has the table.
        """
        pandas = need("pandas", to="read tables")
        runs = gather(
            lambda limit, token: self.search_runs(
                [str(experiment_id)], f"tags.`{TABLES_TAG}` IS NOT NULL", max_results=limit, page_token=token
            ),
            page_size=TABLE_RUNS_PAGE,
        )
        entry, tables = _table_entry(artifact_file), []
        for run in runs:
            wanted = run_ids is None or run.info.run_id in run_ids
            if wanted and entry in json.loads(run.data.tags[TABLES_TAG]):
                content = _read(self.artifact_repo(run.info.run_id), ArtifactPath.parse(artifact_file))
                table = media.table_from_bytes(content, artifact_file)
                facts = runs_frame([run])
                for column in extra_columns or ():
                    table[column] = facts[column][0] if column in facts else None
                tables.append(table)
        if not tables:
            raise ArtifactNotFound(f"no run of experiment {experiment_id} that was asked for has a table {artifact_file!r}")
        return pandas.concat(tables, ignore_index=True)

    def _put(self, run_id: str, content: bytes, artifact_file: str) -> None:
        path = ArtifactPath.parse(artifact_file)
        self.artifact_repo(run_id).put_bytes(content, path)


def _table_entry(artifact_file: str) -> dict[str, str]:
    return {"path": artifact_file, "type": "table"}


def _read(repo: ArtifactRepo, path: ArtifactPath) -> bytes:
    with tempfile.TemporaryDirectory(prefix="drupe-") as folder:
        target = Path(folder) / "content"
        repo.get_file(path, target)
        return target.read_bytes()
