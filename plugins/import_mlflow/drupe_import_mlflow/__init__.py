"""drupe-import-mlflow: runs and models from MLflow's file stores, databases and servers."""

from drupe.extend import Offer, hookimpl

DRUPE_API = "1.0"


@hookimpl
def drupe_import_sources() -> list[Offer]:
    settings = "drupe_import_mlflow.settings:MlflowSettings"
    return [
        Offer(
            "mlflow-files",
            load="drupe_import_mlflow.local:LocalSource",
            help="a folder mlruns of MLflow, or its SQLite file",
            keys=("file",),
            settings=settings,
        ),
        Offer(
            "mlflow-database",
            load="drupe_import_mlflow.database:DatabaseSource",
            help="a database of MLflow",
            keys=("sqlite", "postgresql", "postgres"),
            settings=settings,
        ),
        Offer(
            "mlflow-server",
            load="drupe_import_mlflow.server:ServerSource",
            help="a running MLflow server",
            keys=("http", "https"),
            settings=settings,
        ),
    ]
