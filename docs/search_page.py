"""The reference page of the query language: tables from `drupe.search.fields`, with the prose that explains them.

Called by `generate.py`, which writes and checks all generated pages. The Python blocks in the prose run in the tests of the documentation.
"""

from __future__ import annotations

from collections.abc import Iterable

from drupe.entities.enums import Stat
from drupe.entities.limits import SEARCH_MAX
from drupe.search import Entity, Kind, OrderBy
from drupe.search.fields import SEARCHES, Search, ValueKind
from drupe.search.grammar import COMPARISONS_MAX, DEPTH_MAX, LISTED_MAX
from drupe.search.lexer import TEXT_LENGTH_MAX
from drupe.search.order import KEYS_MAX

__all__ = ["query_language"]

INTRODUCTION = """
One language filters and sorts runs, experiments, registered models, model versions and logged models, in Python and on the command line.
It is MLflow's, [and more](#mlflow).
Recipes are in [search for runs](../how-to/search.md).

The examples on this page search these four runs:

```python
import math

import drupe

drupe.set_experiment("language")
for name, losses, team in [("ant", [0.9, 0.2, 0.3], "vision"), ("bee", [0.5], "text"), ("cat", [math.nan], "Vision"), ("dog", [], None)]:
    with drupe.start_run(run_name=name):
        for step, loss in enumerate(losses):
            drupe.log_metric("loss", loss, step=step)
        if team is not None:
            drupe.set_tag("team", team)


def find(filter_string, order_by=("run_name",)):
    found = drupe.search_runs(filter_string=filter_string, order_by=list(order_by), output_format="list")
    return [run.info.run_name for run in found]


assert find("metrics.loss < 0.4 OR tags.team = 'text'") == ["ant", "bee"]
```

## Grammar

```text
filter     = both ("OR" both)*
both       = part ("AND" part)*
part       = "NOT"* ( "(" filter ")" | comparison )
comparison = name operator value
           | name ["NOT"] "IN" "(" value ("," value)* ")"
           | name "IS" ["NOT"] "NULL"
order      = name ["ASC" | "DESC"]
```

NOT binds closer than AND, and AND closer than OR.
These words, and the operators LIKE and ILIKE, may be written in any case; names of fields may not.
The value always stands on the right.
A blank filter finds everything, and an AND at the very end is ignored, for programs that glue filters together.

```python
assert find("tags.team = 'text' or tags.team = 'vision' and metrics.loss > 1") == ["bee"]
assert find("(tags.team = 'text' or tags.team = 'vision') and not metrics.loss > 0.4") == ["ant"]
```

## Names

An attribute stands alone (`status`), everything else behind a word and a dot (`metrics.loss`); the tables below list both.
Dots behind the first one belong to the key: `tags.mlflow.user` is the tag `mlflow.user`.
A key of letters, digits and `_ . : / -` needs no quotes; any other is quoted whole in backticks, double or single quotes: ``metrics.`val loss` ``.

## Values

| value | is written | examples |
|---|---|---|
| text | in single or double quotes | `'vision'`, `"it's"` |
| number | bare | `3`, `-0.5`, `1e-3`, `inf` |
| time | bare, in ms since 1970 (UTC) | `1767225600000` |
| whole number | bare or in quotes | `12`, `'12'` |
| id | digits in quotes | `'3'` |

There is no escape in quoted text: put text that holds one kind of quotes into the other kind.
Params and tags are text, and compare and sort as text: `'10'` comes before `'9'`.

## Operators

| operator | is true when |
|---|---|
| `=`, `!=` | the value is, or is not, this one; case matters |
| `<`, `<=`, `>`, `>=` | the number or time is less or greater |
| `LIKE` | the whole text fits the pattern: `%` stands for any text, `_` for one character; case matters |
| `ILIKE` | the same, and case does not matter, in any alphabet |
| `IN`, `NOT IN` | the value is, or is not, one of a list |
| `IS NULL`, `IS NOT NULL` | there is no value, or there is one |

LIKE has no escape; `_` finds a percent sign as it finds any other character.
NOT stands before the comparison (`NOT tags.team LIKE 'v%'`); only IN has a NOT of its own.

```python
assert find("tags.team LIKE 'v%'") == ["ant"]
assert find("tags.team ILIKE 'V%'") == ["ant", "cat"]
assert find("run_name IN ('bee', 'dog')") == ["bee", "dog"]
assert find("metrics.loss IN (0.3, 0.5)") == ["ant", "bee"]
```

## Missing values, NaN, infinity

A comparison with something that is missing is false, also with `!=` and `NOT IN`; only `IS NULL` is true of it.
`NOT` makes false true, and there is no third value.
So `metrics.loss != 0.5` finds runs that have another loss, and `NOT metrics.loss = 0.5` finds those without a loss too.

```python
assert find("metrics.loss != 0.5") == ["ant", "cat"]
assert find("NOT metrics.loss = 0.5") == ["ant", "cat", "dog"]
assert find("metrics.loss IS NULL") == ["dog"]
```

NaN is a value that equals and exceeds nothing: only `!=`, `NOT IN` and `IS NOT NULL` are true of it.
Infinities are greater or less than every other number.
To find NaN, ask for a value that is not up to infinity:

```python
assert find("metrics.loss IS NOT NULL AND NOT metrics.loss <= inf") == ["cat"]
```

## Statistics of a metric

`metrics.KEY` is the latest value: the one of the greatest step, then time.
A statistic is named behind another dot: {stats}.
NaN counts in `count`, `first` and `last`; the others leave it out.

A metric may itself be called `loss.min`.
Where a run has a metric of exactly that name, `metrics.loss.min` is its latest value, as in MLflow; otherwise it is the lowest value of `loss`.
Quotes decide for good: ``metrics.`loss.min` `` is the metric, ``metrics.`loss`.min`` the statistic ([why](../explanation/decisions/0004-summaries-in-filters.md)).

```python
assert find("metrics.loss.min < 0.25") == ["ant"]
assert find("metrics.`loss`.min < 0.25") == ["ant"]
assert find("metrics.`loss.min` < 0.25") == []
assert find("metrics.loss.count = 3") == ["ant"]
```

## Order

An order is a list of entries, each a name that may be followed by ASC (the default) or DESC.
In both directions things with a value come first, then those with NaN, then those without.
Text sorts by code points, so capitals come before small letters.
The tie-breakers in the tables follow what was asked for, so the order is always total and pages never overlap.

```python
assert find("", ["metrics.loss"]) == ["ant", "bee", "cat", "dog"]
assert find("", ["metrics.loss DESC", "run_name"]) == ["bee", "ant", "cat", "dog"]
```
""".strip()

OF_KIND = {
    Kind.RUNS: "Searched by `drupe.search_runs`, `Client.search_runs` and `drupe runs list`.\n"
    "`drupe.search_runs` looks into the experiment in use, unless `experiment_ids`, `experiment_names` or `search_all_experiments=True` is given.\n"
    "`Client.search_runs` takes `experiment_ids`: None for all experiments, an empty list for none.\n"
    "The command line looks into all experiments, unless `--experiment` names one.\n"
    "A run may have several datasets: a comparison is true when it is true of any of them, and two comparisons may be true of different ones.",
    Kind.EXPERIMENTS: "Searched by `drupe.search_experiments`, `Client.search_experiments` and `drupe experiments search`.",
    Kind.REGISTERED_MODELS: "Searched by `drupe.search_registered_models`, `Client.search_registered_models` and `drupe registry list`.\n"
    "Prompts, which MLflow keeps among the registered models, are left out unless the filter speaks of the tag `mlflow.prompt.is_prompt`.",
    Kind.MODEL_VERSIONS: "Searched by `drupe.search_model_versions`, `Client.search_model_versions` and `drupe registry versions`.\n"
    "Versions sort as numbers, and prompts are left out as above.",
    Kind.LOGGED_MODELS: "Searched through the server, by MLflow's `search_logged_models`.\n"
    "A logged model may have a metric several times, from several runs and on several datasets: a comparison is true when it is true of any of them.\n"
    "Datasets are named beside the filter, and leave only the metrics that were measured on one of them to it; a filter without metrics then finds models that have any.\n"
    "It sorts by the value of the latest time, then step.",
}

ENDING = """
## Limits

| of | at most |
|---|---|
| characters of a filter | {text_length} |
| comparisons in a filter | {comparisons} |
| values in all lists of a filter | {listed} |
| parentheses inside each other | {depth} |
| entries of an order | {keys} |
| runs or experiments on one page of `Client` | {page} |

## Errors

A text that cannot be understood is an `InvalidQuery` ([DRP-0105](errors.md#drp-0105)), which shows the text, points at the word, and names what would work.

```python
from drupe.errors import InvalidQuery

try:
    find("metrics.loss < 0.4 AND statuss = 'FINISHED'")
except InvalidQuery as fault:
    print(fault)
```

```text
filter, column 24: runs have no attribute 'statuss'; did you mean 'status'? (DRP-0105)
  metrics.loss < 0.4 AND statuss = 'FINISHED'
                         ^^^^^^^
```

A key is never an error: params, tags and metrics that no run has are simply missing.
So is a misspelt statistic without quotes: `metrics.loss.minimum` is a metric of that name.

## MLflow's part and what is added <a id="mlflow"></a>

The grammar, the names and the meaning are those of MLflow 3.17, with two differences.
MLflow's database turns infinity into 1.797…e308; here it stays infinity ([why](../explanation/decisions/0002-infinity-stays-infinity.md)).
`metrics.loss.min` also finds runs that have no metric of that name, by the lowest value of their `loss`.

Added are:

* OR, NOT and parentheses;
* `.first .min .max .mean .count .last` of metrics, in filters and orders;
* `inf` and `-inf` as numbers;
* IN and NOT IN for every field, also with numbers (MLflow has them for ids, datasets, and names in the registry);
* IS NULL and IS NOT NULL for metrics and `end_time`, and in searches of logged models.
""".strip()

WRITTEN = {
    ValueKind.TEXT: "text",
    ValueKind.NUMBER: "number",
    ValueKind.TIME: "time",
    ValueKind.WHOLE: "whole number",
    ValueKind.ID: "id",
}
DATASET_KEYS = ("name", "digest", "context")


def query_language(made: str) -> str:
    """The whole page; `made` is the remark that says where it comes from."""
    stats = ", ".join(f"`.{stat.value}`" for stat in Stat)
    limits = {
        "text_length": TEXT_LENGTH_MAX,
        "comparisons": COMPARISONS_MAX,
        "listed": LISTED_MAX,
        "depth": DEPTH_MAX,
        "keys": KEYS_MAX,
        "page": SEARCH_MAX,
    }
    ending = ENDING
    for name, most in limits.items():
        ending = ending.replace(f"{{{name}}}", f"{most:,}".replace(",", " "))
    parts = ["# The query language", made, INTRODUCTION.replace("{stats}", stats)]
    for kind, search in SEARCHES.items():
        parts += [f"## {kind.value.capitalize()}", OF_KIND[kind], _fields(search), _orders(search)]
    return "\n\n".join([*parts, ending]) + "\n"


def _fields(search: Search) -> str:
    rows = ["| field | also written | value | operators | sorts |", "|---|---|---|---|---|"]
    for attribute in search.attributes:
        operators = _codes(op.value for op in attribute.operators) or "none: it only sorts"
        sorts = "yes" if attribute.is_sortable else "no"
        rows.append(f"| `{attribute.key}` | {_codes(attribute.aliases)} | {WRITTEN[attribute.holds]} | {operators} | {sorts} |")
    for entity, known in search.operators.items():
        first, *others = [word for word, meant in search.words.items() if meant is entity]
        names = [f"{first}.{key}" for key in (DATASET_KEYS if entity is Entity.DATASET else ("KEY",))]
        value, sorts = "number" if entity is Entity.METRIC else "text", "yes" if entity in search.sortable else "no"
        operators = _codes(op.value for op in known)
        rows.append(f"| {_codes(names)} | {_codes(f'{word}.…' for word in others)} | {value} | {operators} | {sorts} |")
    words = [f"{word}." for word, entity in search.words.items() if entity is Entity.ATTRIBUTE]
    before = f"Before the name of an attribute (a field without a dot) {_codes(words)} may stand."
    return "\n".join(rows) + f"\n\n{before}"


def _orders(search: Search) -> str:
    return f"Without an order: {_keys(search.default_order)}. After any other order: {_keys(search.tie_breakers)}."


def _keys(order: Iterable[OrderBy]) -> str:
    return ", ".join(f"`{key.field.key}{' DESC' if key.descending else ''}`" for key in order)


def _codes(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)
