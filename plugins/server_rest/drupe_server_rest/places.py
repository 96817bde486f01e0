"""Where files are, as the store notes it and as clients are told it.

The store notes real addresses below the server's root of artifacts. Clients cannot reach that root, so they are told
`mlflow-artifacts:/…` and send files to the proxy. A store that was used locally before can be served without a change, and be used
locally again.
"""

from __future__ import annotations

from drupe.artifacts.repos import repo_for
from drupe.errors import InvalidUri
from drupe.extend import ArtifactRepo
from drupe.uris import ArtifactPath, Uri

__all__ = ["Places"]

PROXIED = "mlflow-artifacts:/"


class Places:
    """Addresses below one root. `repo` is the repository at the root."""

    def __init__(self, root: str) -> None:
        self.root = Uri.parse(root, query=True).text.partition("?")[0].rstrip("/")
        self.repo: ArtifactRepo = repo_for(root)

    def told(self, address: str) -> str:
        """The address as clients are told it."""
        if address == self.root or address.startswith(f"{self.root}/"):
            return PROXIED + address[len(self.root) :].lstrip("/")
        if address.startswith("/") and self.root.startswith("file://"):
            return self.told(f"file://{address}")
        return address

    def noted(self, address: str) -> str:
        """The address as the store notes it. Raises InvalidUri, InvalidPath."""
        if not address.startswith("mlflow-artifacts:"):
            return address
        path = ArtifactPath.parse(Uri.parse(address).path.lstrip("/"))
        return f"{self.root}/{path}" if not path.is_root else self.root

    def inside(self, address: str) -> ArtifactPath:
        """The path below the root that an address means. Raises InvalidUri when it is elsewhere: the server opens nothing else."""
        told = self.told(address)
        if not told.startswith(PROXIED):
            raise InvalidUri(f"{address} is not below the server's artifacts; it can only be read by clients that reach it themselves")
        return ArtifactPath.parse(told.removeprefix(PROXIED))

    def opened(self, address: str) -> tuple[ArtifactRepo, ArtifactPath]:
        """The repository and the path in it that an address means. Raises InvalidUri as `inside`."""
        return self.repo, self.inside(address)
