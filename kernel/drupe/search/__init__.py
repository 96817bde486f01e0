"""The query language: text to a typed Query (`parse`), and what a Query means (`match`)."""

from drupe.search.logged_models import ModelOrder, parse_logged_models, render_logged_models
from drupe.search.parse import parse
from drupe.search.query import And, Comparison, Condition, Entity, Field, Kind, Not, OnDataset, Op, Or, OrderBy, Query

__all__ = [
    "And",
    "Comparison",
    "Condition",
    "Entity",
    "Field",
    "Kind",
    "ModelOrder",
    "Not",
    "OnDataset",
    "Op",
    "Or",
    "OrderBy",
    "Query",
    "parse",
    "parse_logged_models",
    "render_logged_models",
]
