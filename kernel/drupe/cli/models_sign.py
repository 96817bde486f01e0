"""`drupe models sign`: a signature over all files of a model, kept beside its manifest."""

from __future__ import annotations

from pathlib import Path

import click

from drupe import lazy
from drupe.artifacts.manifest import SIGNATURE_FILE
from drupe.artifacts.resolve import locate
from drupe.cli import complete
from drupe.cli.model_address import addressed, place_of
from drupe.cli.nouns import Verb, given
from drupe.cli.output import say
from drupe.models.signing import DEFAULT_SIGNER, put_signature, sign_folder

__all__ = ["sign"]


@click.command(
    "sign",
    cls=Verb,
    prints=False,
    examples="""
        drupe models sign ./churn-model --key team.pem
        drupe models sign models:/churn/3 --key team.pem --password-file team.password
    """,
)
@click.argument("uri", required=False, metavar="URI", shell_complete=complete.run_paths)
@click.option("-m", "--model-uri", hidden=True)
@click.option("--key", required=True, type=click.Path(path_type=Path), metavar="FILE", help="Your private key.")
@click.option("--password-file", type=click.Path(exists=True, dir_okay=False, path_type=Path), metavar="FILE", help="The key's password.")
@click.option("--method", default=DEFAULT_SIGNER, show_default=True, metavar="NAME", help="The format, as a plugin offers it.")
@click.pass_context
def sign(ctx: click.Context, uri: str | None, model_uri: str | None, key: Path, password_file: Path | None, method: str) -> None:
    """Sign the model at URI with your key, so that others can tell that it comes from you and is as you left it.

    Whoever has your public key in the setting models.allowed_signers loads it without a question. The signature is put beside
    the files as model.sig; an earlier one is replaced.
    """
    store, address = addressed(ctx, given(uri, model_uri, "URI"))
    place = place_of(address)
    admitted = lazy.load("drupe.models.opening:admit_uri")(place)
    password = password_file.read_text(encoding="utf-8").rstrip("\r\n") if password_file else None
    signature = sign_folder(admitted.found, key, method=method, model_name=admitted.folder.name, password=password)
    if isinstance(place, Path):
        (place / SIGNATURE_FILE).write_bytes(signature)
    else:
        put_signature(*locate(place, tracking=lambda: store.store, registry=lambda: store.registry), signature)
    say(f"signed {len(admitted.found.files)} files of {address}: {admitted.digest}")
