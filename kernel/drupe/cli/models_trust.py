"""`drupe models trust`: models that may run code when you load them, by their digests; kept in your own state folder."""

from __future__ import annotations

import re

import click

from drupe import lazy
from drupe.cli import complete, formats
from drupe.cli.model_address import addressed, created_ms, place_of
from drupe.cli.nouns import Verb
from drupe.cli.output import Column, Form, chosen_form, print_json, print_list, say
from drupe.errors import InvalidValue
from drupe.models.scanning import scan_folder
from drupe.models.trusted import Known, forget, known_digests, remember

__all__ = ["trust"]

_DIGEST = re.compile(r"(sha256:)?[0-9a-f]{64}")


@click.command(
    "trust",
    cls=Verb,
    examples="""
        drupe models trust models:/churn/3
        drupe models trust ./downloaded-model
        drupe models trust --list
        drupe models trust --forget ./downloaded-model
    """,
)
@click.argument("uri", required=False, metavar="URI", shell_complete=complete.run_paths)
@click.option("--list", "is_list", is_flag=True, help="Show what you trust: what you made here, and what you said so of.")
@click.option("--forget", "is_forget", is_flag=True, help="Trust it no longer; URI may also be a digest.")
@click.pass_context
def trust(ctx: click.Context, uri: str | None, is_list: bool, is_forget: bool) -> None:
    """Let the model at URI run code when you load it, as it is now.

    What is trusted are these very files, wherever they lie; when one of them changes, the trust is gone. Models that you save or
    log yourself need no such word.
    """
    if is_list:
        if uri or is_forget:
            raise click.UsageError("--list goes alone.")
        _list()
        return
    if uri is None:
        raise click.UsageError("Missing argument 'URI'.")
    if is_forget and _DIGEST.fullmatch(uri):
        _forget(uri.removeprefix("sha256:"), uri)
        return
    _, address = addressed(ctx, uri)
    admitted = lazy.load("drupe.models.opening:admit_uri")(place_of(address))
    if is_forget:
        _forget(admitted.digest, address)
        return
    found = scan_folder(admitted.model, admitted.found, safe=lazy.load("drupe.models.opening:read_safely")(admitted))
    if not remember(admitted.digest, why="trusted", what=address):
        raise InvalidValue("it cannot be noted, since the state folder cannot be written")
    if chosen_form() is Form.JSON:
        print_json({"model_uri": address, "digest": admitted.digest, "findings": [str(finding) for finding in found.findings]})
        return
    say(f"{address} is trusted from now on: {admitted.digest}")
    for finding in found.findings[:5]:
        say(f"  {formats.text(str(finding))}")
    if len(found.findings) > 5:
        say(f"  and {len(found.findings) - 5} more; `drupe models scan` shows them all")
    if not found.runs_code:
        say("nothing in it runs code, so it would have been loaded anyway")


def _list() -> None:
    print_list(
        known_digests(),
        [
            Column[Known]("digest", lambda known: known.digest, lambda digest: digest[:16], keep=True),
            Column[Known]("why", lambda known: known.why, lambda why: {"made": "made here", "trusted": "trusted by you"}.get(why, why)),
            Column[Known]("what", lambda known: known.what, heading="MODEL"),
            Column[Known].time("at", lambda known: created_ms(known.at), heading="SINCE"),
        ],
        empty="no model was made here or trusted by hand",
        as_plain=lambda known: {"digest": known.digest, "why": known.why, "what": known.what, "at": known.at},
    )


def _forget(digest: str, named: str) -> None:
    if not forget(digest):
        raise InvalidValue(f"{named} was not trusted, so there is nothing to forget; `drupe models trust --list` shows what is")
    say(f"{named} is trusted no longer")
