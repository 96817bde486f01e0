"""`drupe artifacts`: list, download, upload and print the files of runs and models."""

from __future__ import annotations

import shutil
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from attrs import field, frozen

from drupe.artifacts.progress import progress_bar
from drupe.artifacts.resolve import locate
from drupe.artifacts.trees import get_tree, list_tree, put_tree
from drupe.cli import complete, formats
from drupe.cli.nouns import Noun, client, reader
from drupe.cli.output import Column, Form, chosen_form, note, print_list, say
from drupe.cli.references import file_address, find_run
from drupe.entities import FileInfo
from drupe.errors import ArtifactNotFound, InvalidValue
from drupe.uris import ArtifactPath

if TYPE_CHECKING:
    from drupe.client import Client
    from drupe.extend import ArtifactRepo

__all__ = ["artifacts"]

TREE_LIMIT = 1000


@frozen
class _Place:
    """Files in a repository, and how to call what they belong to."""

    repo: ArtifactRepo
    path: ArtifactPath
    label: str


@frozen
class _Folder:
    folders: dict[str, _Folder] = field(factory=dict)
    files: list[tuple[str, int]] = field(factory=list)

    def total(self) -> tuple[int, int]:
        """Number of files and bytes below."""
        counts = [folder.total() for folder in self.folders.values()]
        return len(self.files) + sum(n for n, _ in counts), sum(size for _, size in self.files) + sum(size for _, size in counts)


@click.group(
    cls=Noun,
    also={"ls": "list", "log-artifact": "upload", "log-artifacts": "upload"},
    examples="""
        drupe artifacts list brave-plum-12
        drupe artifacts download brave-plum-12/model
        drupe artifacts cat brave-plum-12/notes.txt
    """,
)
def artifacts() -> None:
    """List, download, upload and print the files of runs and models.

    Files are named as RUN/PATH, with the run's id, the start of its id or its name; or by address:
    runs:/ID/PATH, models:/NAME@ALIAS, s3://…; those of a logged model as m-…/PATH, with its id or the start of it.
    """


def _target_argument(function: Callable[..., Any]) -> Callable[..., Any]:
    for option in (
        click.option("-r", "--run-id", hidden=True),  # these three as MLflow's command line has them
        click.option("-a", "--artifact-path", hidden=True),
        click.option("-u", "--artifact-uri", hidden=True),
        click.argument("target", required=False, metavar="RUN[/PATH]", shell_complete=complete.run_paths),
    ):
        function = option(function)
    return function


@artifacts.command(
    "list",
    examples="""
        drupe artifacts list brave-plum-12
        drupe artifacts list 3f2a91c0/model --output csv
        drupe artifacts list models:/churn@champion --depth 1
    """,
)
@_target_argument
@click.option("--depth", type=click.IntRange(min=1), metavar="N", help="Show N levels of folders only.")
def _list(target: str | None, run_id: str | None, artifact_path: str | None, artifact_uri: str | None, depth: int | None) -> None:
    """Show the files of a run as a tree, with their sizes."""
    place = _place(reader(), _named(target, run_id, artifact_path, artifact_uri))
    found = list_tree(place.repo, place.path)
    if chosen_form() is not Form.TABLE:
        print_list(found, _COLUMNS, empty="")
    elif not found:
        say(f"no files in {place.label}")
    else:
        _print_tree(found, place, depth)


@artifacts.command(
    "download",
    prints=False,
    examples="""
        drupe artifacts download brave-plum-12
        drupe artifacts download 3f2a91c0/plots/roc.png .
        drupe artifacts download models:/churn@champion champion
    """,
)
@_target_argument
@click.argument("folder", required=False, type=click.Path(file_okay=False, path_type=Path))
@click.option("-d", "--dst-path", type=click.Path(file_okay=False, path_type=Path), hidden=True)
def _download(
    target: str | None, run_id: str | None, artifact_path: str | None, artifact_uri: str | None, folder: Path | None, dst_path: Path | None
) -> None:
    """Copy a file or folder into FOLDER (this folder if not given); prints where it is.

    All files of a run go to a folder with the run's name, unless FOLDER is given.
    """
    place = _place(reader(), _named(target, run_id, artifact_path, artifact_uri))
    into = folder or dst_path or (Path(_file_name(place.label)) if place.path.is_root else Path())
    with progress_bar(f"downloading {place.label}") as progress:
        where = get_tree(place.repo, place.path, into, relative_to=place.path.parent, progress=progress)
    click.echo(str(where))


@artifacts.command(
    "upload",
    prints=False,
    examples="""
        drupe artifacts upload brave-plum-12 notes.txt
        drupe artifacts upload brave-plum-12/plots roc.png confusion.png
        drupe artifacts upload 3f2a91c0/report build/html
    """,
)
@click.argument("target", required=False, metavar="RUN[/PATH]", shell_complete=complete.run_paths)
@click.argument("local", nargs=-1, metavar="FILE|FOLDER...", type=click.Path(exists=True, path_type=Path))
@click.option("-r", "--run-id", hidden=True)
@click.option("-a", "--artifact-path", hidden=True)
@click.option("-l", "--local-file", "--local-dir", "one", type=click.Path(exists=True, path_type=Path), hidden=True)
def _upload(target: str | None, local: tuple[Path, ...], run_id: str | None, artifact_path: str | None, one: Path | None) -> None:
    """Copy files, and what is in folders, into RUN below PATH."""
    sources = [*local, *([one] if one else [])]
    if not sources:
        raise click.UsageError("Missing argument 'FILE|FOLDER...'.")
    place = _place(client(), _named(target, run_id, artifact_path, None))
    for source in sources:
        if source.is_dir():
            with progress_bar(f"uploading {source.name}") as progress:
                copied = put_tree(place.repo, source, place.path, progress=progress)
            same = f", {copied.unchanged} already there" if copied.unchanged else ""
            say(
                f"{copied.files} file{'' if copied.files == 1 else 's'} from {source} ({formats.size(copied.total_bytes)}{same}) → {_shown(place, place.path)}"
            )
        else:
            place.repo.put_file(source, place.path / source.name)
            say(f"{source} ({formats.size(source.stat().st_size)}) → {_shown(place, place.path / source.name)}")


@artifacts.command(
    "cat",
    prints=False,
    examples="""
        drupe artifacts cat brave-plum-12/notes.txt
        drupe artifacts cat models:/churn@champion/MLmodel
        drupe artifacts cat 3f2a91c0/report.json | jq .score
    """,
)
@_target_argument
def _cat(target: str | None, run_id: str | None, artifact_path: str | None, artifact_uri: str | None) -> None:
    """Print one file."""
    place = _place(reader(), _named(target, run_id, artifact_path, artifact_uri))
    if place.path.is_root or not place.repo.is_file(place.path):
        is_folder = place.path.is_root or bool(place.repo.list(place.path))
        raise ArtifactNotFound(
            f"{str(place.path) or place.label!r} is a folder; `drupe artifacts list` shows what is in it"
            if is_folder
            else f"no file {str(place.path)!r} in {place.label}",
            path=str(place.path),
        )
    with tempfile.TemporaryDirectory(prefix="drupe-") as folder:
        copy = Path(folder) / "file"
        place.repo.get_file(place.path, copy)
        _print_bytes(copy, str(place.path))


def _named(target: str | None, run_id: str | None, artifact_path: str | None, artifact_uri: str | None) -> str:
    named = artifact_uri or (f"{run_id}/{artifact_path or ''}" if run_id else None)
    if (target is None) == (named is None):
        raise click.UsageError("Missing argument 'RUN[/PATH]'." if named is None else "The files are named twice.")
    return str(target or named)


def _place(store: Client, named: str) -> _Place:
    address = file_address(store, named)
    if address is not None:
        repo, path = locate(address, tracking=lambda: store.store, registry=lambda: store.registry)
        return _Place(repo, path, named)
    named, _, path_text = named.partition("/")
    run = find_run(store, named)
    return _Place(store.artifact_repo(run.info.run_id), ArtifactPath.parse(path_text), run.info.run_name)


def _print_tree(found: Sequence[FileInfo], place: _Place, depth: int | None) -> None:
    root = _Folder()
    skipped = len(place.path.segments) if not place.repo.is_file(place.path) else len(place.path.segments) - 1
    for info in found:
        *folders, name = ArtifactPath.parse(info.path).segments[skipped:]
        folder = root
        for part in folders:
            folder = folder.folders.setdefault(part, _Folder())
        folder.files.append((name, info.file_size or 0))
    count, total = root.total()
    rows = [(_shown(place, place.path), f"{count} file{'s' if count > 1 else ''}, {formats.size(total)}")]
    _add_rows(root, "", depth, rows)
    width = max(len(text) for text, _ in rows[:TREE_LIMIT]) + 2
    right = max(len(size) for _, size in rows[1:]) if len(rows) > 1 else 0
    for index, (text, size) in enumerate(rows[:TREE_LIMIT]):
        click.echo(f"{text:<{width}}{size if index == 0 else size.rjust(right)}".rstrip())
    if len(rows) > TREE_LIMIT:
        note(f"and {len(rows) - TREE_LIMIT} more; --depth N or a folder of it shows less, --output csv all")


def _add_rows(folder: _Folder, indent: str, depth: int | None, rows: list[tuple[str, str]]) -> None:
    names = [*sorted(folder.folders), *(name for name, _ in sorted(folder.files))]
    sizes = dict(folder.files)
    for index, name in enumerate(names):
        is_last = index == len(names) - 1
        branch = f"{indent}{'└── ' if is_last else '├── '}{formats.text(name)}"
        if index >= len(folder.folders):
            rows.append((branch, formats.size(sizes[name])))
            continue
        inner = folder.folders[name]
        if depth == 1:
            count, total = inner.total()
            rows.append((f"{branch}/ ({count})", formats.size(total)))
        else:
            rows.append((f"{branch}/", ""))
            _add_rows(inner, indent + ("    " if is_last else "│   "), None if depth is None else depth - 1, rows)


def _print_bytes(file: Path, name: str) -> None:
    with file.open("rb") as source:
        if sys.stdout.isatty() and b"\0" in source.read(8192):
            raise InvalidValue(f"{name} is not text; send it to a file with > {Path(name).name}, or use `drupe artifacts download`")
        source.seek(0)
        shutil.copyfileobj(source, sys.stdout.buffer)
        sys.stdout.buffer.flush()


def _file_name(label: str) -> str:
    return "".join(c if c.isalnum() or c in "-_. " else "_" for c in label).strip(". ") or "artifacts"


def _shown(place: _Place, path: ArtifactPath) -> str:
    if "/" in place.label:
        return place.label
    return formats.text(place.label if path.is_root else f"{place.label}/{path}")


_COLUMNS: list[Column[FileInfo]] = [
    Column("path", lambda info: info.path, keep=True),
    Column("file_size", lambda info: info.file_size, formats.size, right=True),
]
