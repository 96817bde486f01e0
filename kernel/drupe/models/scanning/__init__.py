"""What the files of a model could do: which of them run code when they are loaded, and what that would import and call.

Nothing is loaded, imported or run to find out, and no file is believed for its name. `folder` looks at a whole model, `files` at one file,
`pickles` and `containers` at what is inside; `fields` reads what MLmodel asks for, `environments` what would be installed. Whether a model
may be loaded is decided by `drupe.models.gate`.
"""

from __future__ import annotations

from drupe.models.scanning.environments import environment_notes
from drupe.models.scanning.fields import field_findings
from drupe.models.scanning.files import file_findings
from drupe.models.scanning.findings import Finding
from drupe.models.scanning.folder import Scan, scan_folder

__all__ = ["Finding", "Scan", "environment_notes", "field_findings", "file_findings", "scan_folder"]
