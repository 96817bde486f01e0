"""What a scan says of one place in a model: where, why it could run code, and the names that it would import or call."""

from __future__ import annotations

from attrs import frozen

__all__ = ["Budget", "Finding"]


@frozen
class Finding:
    """`path` is a file of the folder (`model.pth!archive/data.pkl` inside an archive) or a key of MLmodel; `reason` completes "<path> …".

    `names` are what it would import, `calls` those of them that it would call, each as `module.name`, in the order in which they appear.
    """

    path: str
    reason: str
    names: tuple[str, ...] = ()
    calls: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"{self.path} {self.reason}"


class Budget:
    """How much may be unpacked while one model is looked at, so that an archive that grows without end is given up and not followed."""

    def __init__(self, *, unpacked_bytes: int = 2**30, members: int = 20_000, depth: int = 4) -> None:
        self.unpacked_bytes, self.members, self.depth = unpacked_bytes, members, depth

    def take(self, unpacked_bytes: int) -> bool:
        """Use up so many bytes; False when they are more than what is left."""
        self.unpacked_bytes -= unpacked_bytes
        return self.unpacked_bytes >= 0

    def member(self) -> bool:
        """Use up one member of an archive; False when there were too many."""
        self.members -= 1
        return self.members >= 0
