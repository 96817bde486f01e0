"""What a plugin's tests need: conformance kits, in-memory stores as oracles, random operations, and fixtures.

One kit per extension point: `tracking_store`, `registry_store`, `artifact_repo`, `dataset_source`, `import_source`, `system_metrics`, `flavor`, `environment_manager`, `evaluator`, `model_signer`. A plugin's test subclasses the kit and
provides its fixture. Nothing of drupe outside this folder imports pytest or hypothesis: `pip install 'drupe-kernel[testing]'`.
"""

from __future__ import annotations

from importlib.util import find_spec

__all__: list[str] = []

if find_spec("pytest"):  # the in-memory stores work without it
    import pytest

    # So that a failing assertion of a kit shows its values in the plugin author's terminal.
    for _kit in (
        "artifact_repo",
        "evaluator",
        "flavor",
        "kit",
        "kit_aliases",
        "kit_experiments",
        "import_source",
        "kit_imports",
        "kit_logging",
        "kit_metrics",
        "kit_models",
        "kit_run_search",
        "kit_runs",
        "kit_shipping",
        "kit_stages",
        "kit_versions",
        "model_signer",
        "comparison",
        "dataset_source",
        "environment_manager",
        "operations_registry",
        "operations_tracking",
        "plugin",
        "system_metrics",
    ):
        pytest.register_assert_rewrite(f"drupe.testing.{_kit}")
