"""The query language: text to a typed Query (`parse`), and what a Query means (`match`)."""

from drupe.search.parse import parse
from drupe.search.query import And, Comparison, Condition, Entity, Field, Kind, Not, Op, Or, OrderBy, Query

__all__ = ["And", "Comparison", "Condition", "Entity", "Field", "Kind", "Not", "Op", "Or", "OrderBy", "Query", "parse"]
