"""drupe-store-sqlite: tracking and registry stores in one SQLite file."""

from drupe.extend import Offer, hookimpl

DRUPE_API = "1.0"
SETTINGS = "drupe_store_sqlite.settings:SqliteSettings"


@hookimpl
def drupe_tracking_stores() -> list[Offer]:
    return [
        Offer(
            "sqlite",
            load="drupe_store_sqlite.stores:SqliteTrackingStore",
            help="runs in one SQLite file",
            settings=SETTINGS,
            journals="drupe_store_sqlite.address:journals_of",
        )
    ]


@hookimpl
def drupe_registry_stores() -> list[Offer]:
    return [
        Offer(
            "sqlite", load="drupe_store_sqlite.stores:SqliteRegistryStore", help="registered models in one SQLite file", settings=SETTINGS
        )
    ]
