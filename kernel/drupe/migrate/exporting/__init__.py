"""Sending what a store of this house has to a server that gives ids itself, such as MLflow's: the way back of an import.

`export.send` is the whole of it. It works between any two pairs of stores by their contracts; between two that keep ids, `drupe.migrate.copying` does.
"""
