"""drupe-signer-openssf: signatures over models, in the format of OpenSSF's model signing."""

from drupe.extend import Offer, hookimpl

DRUPE_API = "1.0"


@hookimpl
def drupe_model_signers() -> list[Offer]:
    return [
        Offer(
            "openssf",
            load="drupe_signer_openssf.signer:OpenssfSigner",
            help="OpenSSF model signatures with elliptic-curve keys",
            requires=("cryptography",),
        )
    ]
