"""`drupe runs logs`: what the programs of a run have printed, also while it goes on."""

from __future__ import annotations

import json
import os
import sys
from collections import deque
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

import click

from drupe import lazy
from drupe.cli import complete
from drupe.cli.nouns import Verb, given, reader
from drupe.cli.output import Column, Form, chosen_form, print_list, say
from drupe.cli.references import find_run, short_id

if TYPE_CHECKING:
    from drupe.client import Client
    from drupe.entities import Run
    from drupe.tracking.console.reading import ConsoleLine, ConsoleLog

__all__ = ["logs"]

INTERRUPTED = 130


@click.command(
    "logs",
    cls=Verb,
    examples="""
        drupe runs logs brave-plum-12
        drupe runs logs 3f2a91c0 --follow
        drupe runs logs 3f2a91c0 --tail 20 --stream stderr
        drupe runs logs 3f2a91c0 --json | jq -r '.[].text'
    """,
)
@click.argument("run", required=False, metavar="RUN", shell_complete=complete.runs)
@click.option("--run-id", "by_id", hidden=True)
@click.option("-f", "--follow", is_flag=True, help="Go on with what is printed from now on, until the run ends.")
@click.option("-n", "--tail", type=click.IntRange(min=0), metavar="N", help="Only the last N lines of what is there.")
@click.option("--stream", type=click.Choice(["stdout", "stderr"]), help="Only what was printed there.")
@click.option("-t", "--timestamps", is_flag=True, help="Show when each line was printed (UTC).")
def logs(run: str | None, by_id: str | None, follow: bool, tail: int | None, stream: str | None, timestamps: bool) -> None:
    """Print what the program of RUN has printed.

    Of progress bars the last state of a line is kept. Where stdout and stderr led to one terminal they are not told apart, and `--stream`
    shows both. With `--follow`, JSON is one object a line.
    """
    store = reader()
    found = find_run(store, given(run, by_id, "RUN"))
    run_id = found.info.run_id
    folder = lazy.load("drupe.tracking.journal.places:run_folder")(store.tracking_uri, run_id)
    log: ConsoleLog = lazy.load("drupe.tracking.console.reading:ConsoleLog")(folder, lambda: store.artifact_repo(run_id))
    try:
        _print(_chosen(log, store, found, follow=follow, tail=tail, stream=stream), found, timestamps=timestamps, follow=follow)
    except KeyboardInterrupt:
        raise click.exceptions.Exit(INTERRUPTED) from None
    except BrokenPipeError:  # `| head` has seen enough; what Python would flush when it leaves has no reader either
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    finally:
        log.close()


def _chosen(log: ConsoleLog, store: Client, run: Run, *, follow: bool, tail: int | None, stream: str | None) -> Iterator[ConsoleLine]:
    there = _only(log.lines(), stream)
    yield from there if tail is None else deque(there, maxlen=tail)
    if follow and not run.info.status.has_ended:
        yield from _only(log.follow(lambda: store.get_run(run.info.run_id).info.status.has_ended), stream)


def _only(lines: Iterable[ConsoleLine], stream: str | None) -> Iterator[ConsoleLine]:
    is_told = stream is None
    for line in lines:
        if line.stream == "terminal" and not is_told:
            say(f"stdout and stderr of this run led to one terminal and are not told apart; this is more than {stream}")
            is_told = True
        if stream is None or line.stream in (stream, "terminal"):
            yield line


def _print(lines: Iterator[ConsoleLine], run: Run, *, timestamps: bool, follow: bool) -> None:
    empty = (
        f"nothing was kept of what run {run.info.run_name!r} ({short_id(run.info.run_id)}) printed; capture_console decides whether it is"
    )
    form = chosen_form()
    if form is Form.JSON and follow:
        for line in lines:
            _out(json.dumps(_plain(line), ensure_ascii=False) + "\n")
    elif form is not Form.TABLE:
        print_list(lines, _COLUMNS, empty=empty, as_plain=_plain)
    else:
        is_empty, is_within = True, False
        for line in lines:
            start = f"{line.time} " if timestamps and not is_within else ""
            _out(f"{start}{_shown(line.text)}{chr(10) if line.is_whole else ''}")
            is_empty, is_within = False, not line.is_whole
        if is_empty:
            say(empty)


def _out(text: str) -> None:
    try:
        sys.stdout.write(text)
    except UnicodeEncodeError:  # the terminal has another alphabet
        sys.stdout.write(text.encode(sys.stdout.encoding, "replace").decode(sys.stdout.encoding))
    sys.stdout.flush()


def _shown(text: str) -> str:
    """Without what could change the terminal."""
    return text if text.isprintable() else "".join(c if c.isprintable() or c == "\t" else " " for c in text)


def _plain(line: ConsoleLine) -> dict[str, str]:
    return {"time": line.time, "stream": line.stream, "text": line.text}


_COLUMNS: list[Column[ConsoleLine]] = [
    Column("time", lambda line: line.time),
    Column("stream", lambda line: line.stream),
    Column("text", lambda line: line.text),
]
