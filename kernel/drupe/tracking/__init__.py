"""Tracking as a use case: `fluent` for scripts, `client` for programs, `address` for which store is meant."""
