"""drupe-store-s3: artifacts in S3 and in storage that speaks its protocol."""

from drupe.extend import Offer, hookimpl

DRUPE_API = "1.0"


@hookimpl
def drupe_artifact_repos() -> list[Offer]:
    return [
        Offer(
            "s3",
            load="drupe_store_s3.repo:S3ArtifactRepo",
            help="files in a bucket",
            keys=("s3",),
            requires=("boto3",),
            settings="drupe_store_s3.settings:S3Settings",
        )
    ]
