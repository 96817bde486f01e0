"""drupe-deploy-docker: models as Docker images."""

from drupe.extend import Offer, hookimpl

DRUPE_API = "1.0"


@hookimpl
def drupe_cli_commands() -> list[Offer]:
    return [
        Offer(
            "models-build-docker",
            load="drupe_deploy_docker.command:build_docker",
            help="Build an image that serves a model",
            keys=("models build-docker",),
            requires=("docker",),
        ),
        Offer(
            "models-generate-dockerfile",
            load="drupe_deploy_docker.command:generate_dockerfile",
            help="Write what such an image is built from",
            keys=("models generate-dockerfile",),
        ),
    ]
