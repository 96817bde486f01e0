"""drupe-env-uv: environments for models, made by uv or by venv and pip."""

from drupe.extend import Offer, hookimpl

DRUPE_API = "1.0"


@hookimpl
def drupe_environment_managers() -> list[Offer]:
    return [
        Offer("uv", load="drupe_env_uv.manager:UvManager", help="environments made by uv", requires=("uv",)),
        Offer("virtualenv", load="drupe_env_uv.with_pip:PipManager", help="environments made by venv and pip"),
    ]
