"""What is known of a file or folder among the artifacts."""

from __future__ import annotations

from attrs import frozen

__all__ = ["FileInfo"]


@frozen(order=True)
class FileInfo:
    """A file or folder; `path` is relative to the root that was asked, `file_size` in bytes, None for folders."""

    path: str
    is_dir: bool
    file_size: int | None = None
