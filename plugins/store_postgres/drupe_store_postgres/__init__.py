"""drupe-store-postgres: tracking and registry stores in a PostgreSQL database."""

from drupe.extend import Offer, hookimpl

DRUPE_API = "1.0"
SETTINGS = "drupe_store_postgres.settings:PostgresSettings"
SCHEMES = ("postgresql", "postgres")


@hookimpl
def drupe_tracking_stores() -> list[Offer]:
    load = "drupe_store_postgres.stores:PostgresTrackingStore"
    return [Offer("postgres", load=load, help="runs in a PostgreSQL database", keys=SCHEMES, settings=SETTINGS)]


@hookimpl
def drupe_registry_stores() -> list[Offer]:
    load = "drupe_store_postgres.stores:PostgresRegistryStore"
    return [Offer("postgres", load=load, help="registered models in a PostgreSQL database", keys=SCHEMES, settings=SETTINGS)]
