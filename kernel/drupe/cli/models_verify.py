"""`drupe models verify`: whether a model's files are what its manifest, the stores and a signature say."""

from __future__ import annotations

from pathlib import Path

import click

from drupe import lazy
from drupe.cli import complete, formats
from drupe.cli.model_address import addressed, place_of
from drupe.cli.nouns import Verb, given
from drupe.cli.output import Form, chosen_form, print_json
from drupe.cli.tables import Cell, card
from drupe.models.signing import check_signature

__all__ = ["verify"]


@click.command(
    "verify",
    cls=Verb,
    examples="""
        drupe models verify models:/churn/3
        drupe models verify ./churn-model --key team.pub
    """,
)
@click.argument("uri", required=False, metavar="URI", shell_complete=complete.run_paths)
@click.option("-m", "--model-uri", hidden=True)
@click.option(
    "--key",
    "keys",
    multiple=True,
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="A public key that may have signed it; may be repeated. Those of models.allowed_signers if not given.",
)
@click.pass_context
def verify(ctx: click.Context, uri: str | None, model_uri: str | None, keys: tuple[Path, ...]) -> None:
    """Compare the files of the model at URI with its manifest, with what was logged and registered, and with its signature.

    Ends with 1 when a file is not what it should be, when a signature does not fit, or when a key is given and did not sign.
    Nothing of the model is loaded.
    """
    _, address = addressed(ctx, given(uri, model_uri, "URI"))
    admitted = lazy.load("drupe.models.opening:admit_uri")(place_of(address))
    allowed = keys or lazy.load("drupe.models.policy:allowed_signers")()
    signature = check_signature(admitted.found, allowed)
    words = [word for word in admitted.origin.words if word.digest is not None]
    is_good = signature.signer is not None or (not keys and (signature.fault is None or not allowed))
    if chosen_form() is Form.JSON:
        print_json(
            {
                "model_uri": address,
                "digest": admitted.digest,
                "files": len(admitted.found.files),
                "has_manifest": admitted.manifest is not None,
                "recorded_by": [word.what for word in words],
                "signed_by": signature.signer,
                "signature_fault": signature.fault,
                "is_good": is_good,
            }
        )
    else:
        count = len(admitted.found.files)
        files = (
            f"{count} files are as the manifest says"
            if admitted.manifest is not None
            else f"{count} files, and no manifest to compare with"
        )
        if signature.signer is not None:
            signed = Cell(f"by {signature.signer}", style="green")
        elif signature.fault is not None:
            signed = Cell(signature.fault, style="" if is_good else "red")
        else:
            signed = Cell("not signed", style="" if is_good else "red")
        card(
            [
                ("model", Cell(formats.text(address), style="bold")),
                ("files", files),
                ("digest", admitted.digest),
                ("recorded", "\n".join(f"{word.what} has the same digest" for word in words)),
                ("signature", signed),
            ]
        )
    ctx.exit(0 if is_good else 1)
