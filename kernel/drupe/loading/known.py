"""Which plugin of the project would serve what, so that an error can say what to install. Nothing here is imported or needed.

Third parties need no entry: their users know what they installed.
"""

from __future__ import annotations

__all__ = ["distribution_of", "known_provider"]

_STORES = {
    "sqlite": "store-sqlite",
    "postgresql": "store-postgres",
    "postgres": "store-postgres",
    "http": "store-http",
    "https": "store-http",
}
_PROVIDERS: dict[str, dict[str, str]] = {
    "drupe_tracking_stores": _STORES | {"databricks": "store-http"},
    "drupe_registry_stores": _STORES | {"databricks": "store-http"},
    "drupe_artifact_repos": {
        "file": "store-local",
        "s3": "store-s3",
        "mlflow-artifacts": "store-http",
        "http": "store-http",
        "https": "store-http",
    },
    "drupe_model_flavors": {
        "python_function": "flavor-python",
        "sklearn": "flavor-sklearn",
        "pytorch": "flavor-pytorch",
        "xgboost": "flavor-xgboost",
        "lightgbm": "flavor-lightgbm",
        "onnx": "flavor-onnx",
        "statsmodels": "flavor-statsmodels",
    },
    "drupe_environment_managers": {"uv": "env-uv", "virtualenv": "env-uv"},
    "drupe_evaluators": dict.fromkeys(("classifier", "regressor", "default", "shap"), "evaluator-default"),
    "drupe_system_metrics": {"host": "system-metrics", "process": "system-metrics", "nvidia": "system-metrics"},
    "drupe_dataset_sources": {
        "file": "source-files",
        "http": "source-http",
        "https": "source-http",
    },
    "drupe_import_sources": dict.fromkeys(("file", "sqlite", "postgresql", "postgres", "http", "https"), "import-mlflow"),
    "drupe_server_routes": {"/": "ui-web"},
    "drupe_ui_extensions": {"safetensors": "viewer-safetensors"},
    "drupe_model_signers": {"openssf": "signer-openssf"},
    "drupe_autologgers": {
        "sklearn": "flavor-sklearn",
        "xgboost": "flavor-xgboost",
        "lightgbm": "flavor-lightgbm",
        "statsmodels": "flavor-statsmodels",
        "lightning": "flavor-pytorch",
        "pytorch_lightning": "flavor-pytorch",
    },
}


def known_provider(hook: str, key: str) -> str | None:
    """The name of the plugin that serves `key`, or None when the project has none for it."""
    return _PROVIDERS.get(hook, {}).get(key)


def distribution_of(plugin: str) -> str:
    """The distribution to install for one of the project's own plugins."""
    return f"drupe-{plugin}"
