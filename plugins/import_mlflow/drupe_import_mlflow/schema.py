"""Which tables and columns a database of MLflow has, and reading rows with the columns that it lacks as None.

MLflow's schema has grown with its releases; nothing here depends on a release's name.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from attrs import frozen
from sqlalchemy import Connection, column, func, inspect, select, table

from drupe.errors import StoreSchema

__all__ = ["Schema"]

NEEDED = ("experiments", "runs", "metrics", "params", "tags")
AMONG = 500  # so many values in one list


@frozen
class Schema:
    """The columns of every table. Views are none: MLflow makes no views, and what one does cannot be known."""

    tables: Mapping[str, frozenset[str]]

    @classmethod
    def of(cls, connection: Connection, place: str) -> Schema:
        """Raises StoreSchema when it is no database of MLflow."""
        found = inspect(connection)
        names = set(found.get_table_names())
        if not names.issuperset(NEEDED) or "alembic_version" not in names:
            raise StoreSchema(f"{place} is no database of MLflow: it has no tables {', '.join(NEEDED)}", place=place)
        return cls({name: frozenset(one["name"] for one in found.get_columns(name)) for name in names})

    def rows(
        self,
        connection: Connection,
        name: str,
        columns: Sequence[str],
        *,
        among: tuple[str, Sequence[str | int]] | None = None,
        workspace: str | None = None,
    ) -> Iterator[dict[str, Any]]:
        """Rows of a table as maps; none where the table is missing. `among` (column, values) and `workspace` say which."""
        known = self.tables.get(name)
        if known is None:
            return
        there = [one for one in columns if one in known]
        source = table(name, *(column(one) for one in known))
        statement = select(*(source.c[one] for one in there))
        if workspace is not None and "workspace" in known:
            statement = statement.where(source.c.workspace == workspace)
        empty = dict.fromkeys(columns)
        if among is None:
            statements = [statement]
        else:
            of, values = among
            statements = [statement.where(source.c[of].in_(values[start : start + AMONG])) for start in range(0, len(values), AMONG)]
        for part in statements:
            for row in connection.execute(part):
                yield {**empty, **dict(zip(there, row, strict=True))}

    def count(self, connection: Connection, name: str, *, but_workspace: str | None = None) -> int:
        """How many rows a table has, or those of other workspaces; 0 where it is missing."""
        known = self.tables.get(name)
        if known is None or (but_workspace is not None and "workspace" not in known):
            return 0
        source = table(name, *(column(one) for one in known))
        statement = select(func.count()).select_from(source)
        if but_workspace is not None:
            statement = statement.where(source.c.workspace != but_workspace)
        return int(connection.execute(statement).scalar_one())
