"""Looking after a store: backups with their artifacts, putting them back, and removing for good what was deleted."""
