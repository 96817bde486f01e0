"""What a plugin's tests need: conformance kits, in-memory stores as oracles, random operations, and fixtures.

One kit per extension point: `tracking_store`, `registry_store`, `artifact_repo`, `flavor`. A plugin's test subclasses the kit and
provides its fixture. Nothing of drupe outside this folder imports pytest or hypothesis: `pip install 'drupe-kernel[testing]'`.
"""

from __future__ import annotations

try:
    import pytest
except ModuleNotFoundError:  # the in-memory stores work without it
    pass
else:
    # So that a failing assertion of a kit shows its values in the plugin author's terminal.
    pytest.register_assert_rewrite(*(f"drupe.testing.{kit}" for kit in ("tracking_store", "registry_store", "artifact_repo", "flavor")))

__all__: list[str] = []
