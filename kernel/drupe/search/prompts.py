"""Prompts live among the registered models, marked by a tag; searches leave them out unless the filter speaks of that tag.

MLflow's rule, written as plain conditions so that no store needs to know of it: `= 'true'` (or `!= 'false'`) asks for prompts,
`!= 'true'` and `= 'false'` ask for what is no prompt, although an ordinary model has no such tag. Any other comparison with the tag
means what it says.
"""

from __future__ import annotations

from drupe.search.query import And, Comparison, Condition, Entity, Field, Kind, Not, Op, Or

__all__ = ["PROMPT_TAG", "apply_prompt_rule"]

PROMPT_TAG = "mlflow.prompt.is_prompt"

_IS_PROMPT = Comparison(Field(Entity.TAG, PROMPT_TAG), Op.EQ, "true")
_KINDS = (Kind.REGISTERED_MODELS, Kind.MODEL_VERSIONS)


def apply_prompt_rule(kind: Kind, where: Condition | None) -> Condition | None:
    """`where` with the rule written into it; unchanged for runs, experiments and logged models."""
    if kind not in _KINDS:
        return where
    if where is None:
        return Not(_IS_PROMPT)
    if _mentions(where):
        return _rewritten(where)
    return And((*(where.parts if isinstance(where, And) else (where,)), Not(_IS_PROMPT)))


def _mentions(condition: Condition) -> bool:
    if isinstance(condition, Comparison):
        return condition.field == _IS_PROMPT.field
    if isinstance(condition, Not):
        return _mentions(condition.part)
    return any(_mentions(part) for part in condition.parts)


def _rewritten(condition: Condition) -> Condition:
    if isinstance(condition, And):
        return And(tuple(_rewritten(part) for part in condition.parts))
    if isinstance(condition, Or):
        return Or(tuple(_rewritten(part) for part in condition.parts))
    if isinstance(condition, Not):
        inner = _rewritten(condition.part)
        return inner.part if isinstance(inner, Not) else Not(inner)
    if condition.field == _IS_PROMPT.field:
        if (condition.op, condition.value) in ((Op.EQ, "true"), (Op.NE, "false")):
            return _IS_PROMPT
        if (condition.op, condition.value) in ((Op.EQ, "false"), (Op.NE, "true")):
            return Not(_IS_PROMPT)
    return condition
