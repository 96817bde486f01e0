"""Filters: every form that is accepted, every operator of every field, every fault and where it points."""

from contextlib import suppress
from typing import ClassVar

import pytest
from hypothesis import given, strategies as st

from drupe.entities.enums import Stat
from drupe.errors import InvalidQuery
from drupe.search import And, Comparison, Condition, Entity, Field, Kind, Not, Op, Or, parse
from drupe.search.fields import SEARCHES, ValueKind
from drupe.search.grammar import COMPARISONS_MAX, DEPTH_MAX, LISTED_MAX

from .queries import unhurried

NO_PROMPTS = Not(Comparison(Field(Entity.TAG, "mlflow.prompt.is_prompt"), Op.EQ, "true"))


def where(text: str | None, kind: Kind = Kind.RUNS) -> Condition | None:
    return parse(kind, text).where


def refused(text: str, kind: Kind = Kind.RUNS) -> InvalidQuery:
    with pytest.raises(InvalidQuery) as caught:
        parse(kind, text)
    return caught.value


def attribute(key: str, op: Op, value: object = None) -> Comparison:
    return Comparison(Field(Entity.ATTRIBUTE, key), op, value)  # type: ignore[arg-type]


def metric(key: str, stat: Stat = Stat.LAST, shadow: str | None = None) -> Field:
    return Field(Entity.METRIC, key, stat, shadow)


A, B, C = (attribute("status", Op.EQ, letter) for letter in "abc")


class TestFields:
    @pytest.mark.parametrize("text", [None, "", " ", "\n\t"])
    def test_a_blank_filter_finds_everything(self, text: str | None) -> None:
        assert where(text) is None

    @pytest.mark.parametrize("word", ["metrics", "metric"])
    def test_metric_words(self, word: str) -> None:
        assert where(f"{word}.loss < 1") == Comparison(metric("loss"), Op.LT, 1.0)

    @pytest.mark.parametrize("word", ["params", "param", "parameters", "parameter"])
    def test_param_words(self, word: str) -> None:
        assert where(f"{word}.depth = '3'") == Comparison(Field(Entity.PARAM, "depth"), Op.EQ, "3")

    @pytest.mark.parametrize("kind", [kind for kind in Kind if kind is not Kind.LOGGED_MODELS])
    @pytest.mark.parametrize("word", ["tags", "tag"])
    def test_tag_words(self, word: str, kind: Kind) -> None:
        found = where(f"{word}.team = 'x' AND tags.mlflow.prompt.is_prompt = 'true'", kind)
        assert isinstance(found, And)
        assert found.parts[0] == Comparison(Field(Entity.TAG, "team"), Op.EQ, "x")

    @pytest.mark.parametrize("word", ["tag", "param", "metric", "attribute"])
    def test_logged_models_are_searched_by_plurals_only(self, word: str) -> None:
        assert where(f"{word}s.name = {1 if word == 'metric' else repr('1')}", Kind.LOGGED_MODELS) is not None
        assert f"the word is {word}s" in refused(f"{word}.name = '1'", Kind.LOGGED_MODELS).message

    def test_metrics_of_logged_models_have_no_statistics(self) -> None:
        latest = Comparison(Field(Entity.METRIC, "loss.min", Stat.LAST), Op.GT, 1.0)
        assert where("metrics.loss.min > 1", Kind.LOGGED_MODELS) == latest
        assert "latest value only" in refused("metrics.`loss`.min > 1", Kind.LOGGED_MODELS).message

    @pytest.mark.parametrize("word", ["datasets", "dataset"])
    @pytest.mark.parametrize("key", ["name", "digest", "context"])
    def test_dataset_words(self, word: str, key: str) -> None:
        assert where(f"{word}.{key} = 'x'") == Comparison(Field(Entity.DATASET, key), Op.EQ, "x")

    @pytest.mark.parametrize("prefix", ["", "attributes.", "attribute.", "attr.", "run."])
    @pytest.mark.parametrize("key", ["run_id", "run_name", "status", "user_id", "artifact_uri"])
    def test_attribute_words_of_runs(self, prefix: str, key: str) -> None:
        assert where(f"{prefix}{key} = 'x'") == attribute(key, Op.EQ, "x")

    @pytest.mark.parametrize("kind", [Kind.EXPERIMENTS, Kind.REGISTERED_MODELS, Kind.MODEL_VERSIONS])
    def test_only_the_singular_is_an_attribute_word_elsewhere(self, kind: Kind) -> None:
        found = where("attribute.name = 'x'", kind)
        assert (found.parts[0] if isinstance(found, And) else found) == attribute("name", Op.EQ, "x")
        for word in ("attributes", "attr", "run"):
            refused(f"{word}.name = 'x'", kind)
        assert "did you mean 'attribute.name'" in refused("attributes.name = 'x'", kind).message

    @pytest.mark.parametrize(
        "name",
        [
            "`run name`",
            '"run name"',
            "attributes.`run name`",
            'attr."Run name"',
            "run.'Run Name'",
            "`run_name`",
            '"run_name"',
            "attribute.`run_name`",
        ],
    )
    def test_spellings_of_the_run_name(self, name: str) -> None:
        assert where(f"{name} = 'x'") == attribute("run_name", Op.EQ, "x")

    @pytest.mark.parametrize("name", ["created", "Created", "attributes.created", "start_time"])
    def test_spellings_of_the_start_time(self, name: str) -> None:
        assert where(f"{name} > 5") == attribute("start_time", Op.GT, 5)

    @pytest.mark.parametrize("name", ["METRICS.loss", "Tags.x", "Attributes.status", "Status", "RUN_ID", "Run"])
    def test_entity_and_attribute_words_are_lower_case(self, name: str) -> None:
        assert "did you mean" in refused(f"{name} = 'x'").message

    @pytest.mark.parametrize("quoted", ["`a b`", '"a b"', "'a b'"])
    def test_keys_may_be_quoted_three_ways(self, quoted: str) -> None:
        assert where(f"params.{quoted} = 'x'") == Comparison(Field(Entity.PARAM, "a b"), Op.EQ, "x")

    @pytest.mark.parametrize("key", ["mlflow.runName", "a.b.c", "1", "1a", "and", "select", "val/loss", "a-b", "a:b", "é", "min", "_"])
    def test_unquoted_keys_run_up_to_the_next_space_or_sign(self, key: str) -> None:
        assert where(f"tags.{key}='x'") == Comparison(Field(Entity.TAG, key), Op.EQ, "x")

    @pytest.mark.parametrize(
        ("kind", "text", "expected"),
        [
            (Kind.EXPERIMENTS, "name ILIKE 'A%'", attribute("name", Op.ILIKE, "A%")),
            (Kind.EXPERIMENTS, "experiment_id != '3'", attribute("experiment_id", Op.NE, "3")),
            (Kind.EXPERIMENTS, "experiment_id IN ('3', '04')", attribute("experiment_id", Op.IN, ("3", "4"))),
            (Kind.EXPERIMENTS, "creation_time >= 7", attribute("creation_time", Op.GE, 7)),
            (Kind.EXPERIMENTS, "last_update_time < 7", attribute("last_update_time", Op.LT, 7)),
            (Kind.EXPERIMENTS, "tags.x IS NULL", Comparison(Field(Entity.TAG, "x"), Op.IS_NULL)),
            (Kind.REGISTERED_MODELS, "name NOT IN ('a')", And((attribute("name", Op.NOT_IN, ("a",)), NO_PROMPTS))),
            (Kind.MODEL_VERSIONS, "run_id LIKE 'a%'", And((attribute("run_id", Op.LIKE, "a%"), NO_PROMPTS))),
            (Kind.MODEL_VERSIONS, "source_path = 'a'", And((attribute("source_path", Op.EQ, "a"), NO_PROMPTS))),
            (Kind.MODEL_VERSIONS, "version_number > 2", And((attribute("version_number", Op.GT, 2), NO_PROMPTS))),
            (Kind.MODEL_VERSIONS, "version_number = '2'", And((attribute("version_number", Op.EQ, 2), NO_PROMPTS))),
            (Kind.MODEL_VERSIONS, "version_number NOT IN (1, '2')", And((attribute("version_number", Op.NOT_IN, (1, 2)), NO_PROMPTS))),
        ],
    )
    def test_fields_of_the_other_kinds(self, kind: Kind, text: str, expected: Condition) -> None:
        assert where(text, kind) == expected


class TestStatistics:
    @pytest.mark.parametrize("stat", list(Stat))
    def test_an_unquoted_statistic_gives_way_to_a_metric_of_that_name(self, stat: Stat) -> None:
        assert where(f"metrics.loss.{stat} > 1") == Comparison(metric("loss", stat, f"loss.{stat}"), Op.GT, 1.0)

    @pytest.mark.parametrize("stat", list(Stat))
    def test_a_statistic_behind_a_quoted_key_is_only_that(self, stat: Stat) -> None:
        assert where(f"metrics.`val loss`.{stat} > 1") == Comparison(metric("val loss", stat), Op.GT, 1.0)

    @pytest.mark.parametrize("quoted", ["`loss.min`", '"loss.min"', "'loss.min'"])
    def test_a_quoted_key_is_literal(self, quoted: str) -> None:
        assert where(f"metrics.{quoted} > 1") == Comparison(metric("loss.min"), Op.GT, 1.0)

    @pytest.mark.parametrize(
        ("name", "field"),
        [
            ("min", metric("min")),
            ("loss.MIN", metric("loss.MIN")),
            ("loss.minimum", metric("loss.minimum")),
            ("a.min.max", metric("a.min", Stat.MAX, "a.min.max")),
            ("loss.", metric("loss.")),
            (".min", metric(".min")),
        ],
    )
    def test_what_does_not_end_in_a_statistic_is_a_key(self, name: str, field: Field) -> None:
        assert where(f"metrics.{name} > 1") == Comparison(field, Op.GT, 1.0)

    def test_params_and_tags_have_no_statistics(self) -> None:
        assert where("params.a.min = '1'") == Comparison(Field(Entity.PARAM, "a.min"), Op.EQ, "1")
        assert "only metrics have statistics" in refused("params.`a`.min = '1'").message

    def test_an_unknown_statistic_is_named(self) -> None:
        assert "did you mean 'mean'" in refused("metrics.`a`.meen > 1").message
        assert "last, first, min, max, mean, count are" in refused("metrics.`a`.xyzzy > 1").message


class TestOperators:
    """Every operator on every field: exactly those of the tables are accepted."""

    VALUES: ClassVar = {ValueKind.TEXT: "'1'", ValueKind.ID: "'1'", ValueKind.NUMBER: "1", ValueKind.TIME: "1", ValueKind.WHOLE: "1"}

    @pytest.mark.parametrize("op", list(Op))
    @pytest.mark.parametrize(
        ("kind", "name", "holds", "allowed"),
        [(s.kind, a.key, a.holds, a.operators) for s in SEARCHES.values() for a in s.attributes]
        + [
            (
                s.kind,
                f"{entity}s.{'name' if entity is Entity.DATASET else 'x'}",
                ValueKind.NUMBER if entity is Entity.METRIC else ValueKind.TEXT,
                ops,
            )
            for s in SEARCHES.values()
            for entity, ops in s.operators.items()
        ],
    )
    def test_an_operator_is_accepted_where_the_table_says_so(
        self, kind: Kind, name: str, holds: ValueKind, allowed: tuple[Op, ...], op: Op
    ) -> None:
        value = "" if op in (Op.IS_NULL, Op.IS_NOT_NULL) else f"({self.VALUES[holds]})" if op in (Op.IN, Op.NOT_IN) else self.VALUES[holds]
        text = f"{name} {op.value} {value}"
        if op in allowed:
            found = where(text, kind)
            first = found.parts[0] if isinstance(found, And) else found
            assert isinstance(first, Comparison)
            assert first.op is op
        else:
            fault = refused(text, kind)
            assert fault.text[fault.column : fault.column + fault.width] == op.value

    @pytest.mark.parametrize(
        ("name", "allowed"),
        [
            ("metrics.x", "= != < <= > >= IN|NOT IN|IS NULL|IS NOT NULL"),
            ("params.x", "= != LIKE ILIKE IN|NOT IN|IS NULL|IS NOT NULL"),
            ("tags.x", "= != LIKE ILIKE IN|NOT IN|IS NULL|IS NOT NULL"),
            ("datasets.name", "= != LIKE ILIKE IN|NOT IN"),
            ("run_id", "= != LIKE ILIKE IN|NOT IN"),
            ("status", "= != LIKE ILIKE IN|NOT IN"),
            ("start_time", "= != < <= > >= IN|NOT IN"),
            ("end_time", "= != < <= > >= IN|NOT IN|IS NULL|IS NOT NULL"),
        ],
    )
    def test_operators_of_runs(self, name: str, allowed: str) -> None:
        head, *rest = allowed.split("|")
        expected = {*head.split(), *rest}
        accepted = set()
        for op in Op:
            for value in ("", "('1')", "(1)", "'1'", "1"):
                with suppress(InvalidQuery):
                    where(f"{name} {op.value} {value}")
                    accepted.add(op.value)
        assert accepted == expected

    @pytest.mark.parametrize(
        ("written", "op"),
        [
            ("like 'x'", Op.LIKE),
            ("iLike 'x'", Op.ILIKE),
            ("in ('x')", Op.IN),
            ("not In ('x')", Op.NOT_IN),
            ("NOT\n  IN('x')", Op.NOT_IN),
            ("is null", Op.IS_NULL),
            ("Is  Not\tNull", Op.IS_NOT_NULL),
        ],
    )
    def test_word_operators_take_any_case_and_spacing(self, written: str, op: Op) -> None:
        found = where(f"params.p {written}")
        assert isinstance(found, Comparison)
        assert found.op is op


class TestValues:
    @pytest.mark.parametrize(
        ("written", "value"),
        [
            ("1", 1.0),
            ("1.", 1.0),
            (".5", 0.5),
            ("-1", -1.0),
            ("+1", 1.0),
            ("1e-3", 1e-3),
            ("1.0E0", 1.0),
            ("1e400", float("inf")),
            ("-inf", float("-inf")),
        ],
    )
    def test_numbers(self, written: str, value: float) -> None:
        found = where(f"metrics.x = {written}")
        assert isinstance(found, Comparison)
        assert found.value == value
        assert type(found.value) is float

    def test_metric_lists_hold_floats(self) -> None:
        assert where("metrics.x IN (1, 2.5)") == Comparison(metric("x"), Op.IN, (1.0, 2.5))

    @pytest.mark.parametrize(
        ("written", "value"), [("'a'", "a"), ('"a"', "a"), ("''", ""), ("'a\"b'", 'a"b'), ('"it\'s"', "it's"), ("'%_\\'", "%_\\")]
    )
    def test_texts(self, written: str, value: str) -> None:
        assert where(f"params.p = {written}") == Comparison(Field(Entity.PARAM, "p"), Op.EQ, value)

    @pytest.mark.parametrize("written", ["('a')", "('a',)", '("a" , )', "(\n'a'\n)"])
    def test_lists_of_one(self, written: str) -> None:
        assert where(f"run_id IN {written}") == attribute("run_id", Op.IN, ("a",))

    @pytest.mark.parametrize(
        ("written", "op", "value"),
        [
            ("> 1.5", Op.GT, 1),
            (">= 1.5", Op.GE, 2),
            ("< 1.5", Op.LT, 2),
            ("<= 1.5", Op.LE, 1),
            ("> -1.5", Op.GT, -2),
            ("< -1.5", Op.LT, -1),
            ("= 5.0", Op.EQ, 5),
            ("!= 1e3", Op.NE, 1000),
            ("> 1732352000123.456", Op.GT, 1732352000123),
            ("= 0005", Op.EQ, 5),
        ],
    )
    def test_times_are_whole_and_a_fraction_moves_the_bound(self, written: str, op: Op, value: int) -> None:
        found = where(f"start_time {written}")
        assert found == attribute("start_time", op, value)
        assert isinstance(found, Comparison)
        assert type(found.value) is int

    @unhurried
    @given(
        st.sampled_from([Op.LT, Op.LE, Op.GT, Op.GE]),
        st.floats(-1e15, 1e15, allow_nan=False),
        st.integers(-(10**15), 10**15),
    )
    def test_a_moved_bound_finds_the_same_times(self, op: Op, bound: float, time: int) -> None:
        compare = {Op.LT: float.__lt__, Op.LE: float.__le__, Op.GT: float.__gt__, Op.GE: float.__ge__}
        integers = {Op.LT: int.__lt__, Op.LE: int.__le__, Op.GT: int.__gt__, Op.GE: int.__ge__}
        found = where(f"start_time {op.value} {bound!r}")
        assert isinstance(found, Comparison)
        assert integers[found.op](time, found.value) == compare[op](float(time), bound)  # type: ignore[arg-type]

    @pytest.mark.parametrize(
        ("text", "token", "message"),
        [
            ("metrics.x = '1'", "'1'", "write 1 without quotes"),
            ("metrics.x = 'abc'", "'abc'", "a number, not with text"),
            ("metrics.x = nan", "nan", "IS NOT NULL AND NOT metrics.x <= inf"),
            ("metrics.x = abc", "abc", "a number, not with 'abc'"),
            ("metrics.x IN ('1')", "'1'", "write 1 without quotes"),
            ("params.p = v", "v", "write 'v'"),
            ("params.p = 0.1", "0.1", "write '0.1'"),
            ("params.p IN (1)", "1", "write '1'"),
            ("params.p LIKE `x`", "`x`", "text in quotes"),
            ("params.p = ", "", "the text ends here"),
            ("start_time > '5'", "'5'", "write 5 without quotes"),
            ("start_time = 1.5", "1.5", "1.5 is never one"),
            ("start_time IN (1, 1.5)", "1.5", "1.5 is never one"),
            ("start_time > 99999999999999999999", "99999999999999999999", "does not fit 64 bits"),
            ("start_time < inf", "inf", "does not fit 64 bits"),
            ("start_time < " + "0" * 5000, "0" * 5000, "does not fit 64 bits"),
            ("run_id IN ()", "(", "list after IN is empty"),
            ("run_id IN (,)", ",", "text in quotes"),
            ("run_id IN ('a' 'b')", "'b'", "a comma or )"),
            ("run_id IN ('a'", "", "a comma or )"),
            ("run_id IN 'a'", "'a'", "a list in parentheses"),
            ("run_id = ('a')", "(", "run_id IN"),
        ],
    )
    def test_values_that_do_not_fit_are_pointed_at(self, text: str, token: str, message: str) -> None:
        fault = refused(text)
        assert message in fault.message
        assert text[fault.column : fault.column + len(token)] == token
        assert fault.width == max(1, len(token))

    @pytest.mark.parametrize(
        ("kind", "text", "message"),
        [
            (Kind.EXPERIMENTS, "experiment_id = 3", "write '3'"),
            (Kind.EXPERIMENTS, "experiment_id = 'x'", "made of digits"),
            (Kind.EXPERIMENTS, "experiment_id = '²'", "made of digits"),
            (Kind.EXPERIMENTS, f"experiment_id = '{'1' * 5000}'", "made of digits"),
            (Kind.MODEL_VERSIONS, "version_number = 'x'", "a whole number; 'x' is none"),
            (Kind.MODEL_VERSIONS, "version_number = 'nan'", "does not fit"),
            (Kind.MODEL_VERSIONS, "version_number = 1.5", "never one"),
            (Kind.MODEL_VERSIONS, "version_number = '١'", "is none"),
        ],
    )
    def test_numbers_of_the_other_kinds(self, kind: Kind, text: str, message: str) -> None:
        assert message in refused(text, kind).message

    @pytest.mark.parametrize("text", ["status = 'running'", "status = 'BOGUS'"])
    def test_a_status_is_any_text_as_in_mlflow(self, text: str) -> None:
        assert isinstance(where(text), Comparison)


class TestLogic:
    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ("{a} AND {b}", And((A, B))),
            ("{a} and {b} And {c}", And((A, B, C))),
            ("{a} OR {b}", Or((A, B))),
            ("{a} OR {b} AND {c}", Or((A, And((B, C))))),
            ("{a} AND {b} OR {c}", Or((And((A, B)), C))),
            ("({a} OR {b}) AND {c}", And((Or((A, B)), C))),
            ("NOT {a} AND {b}", And((Not(A), B))),
            ("NOT ({a} AND {b})", Not(And((A, B)))),
            ("NOT NOT {a}", A),
            ("NOT NOT NOT {a}", Not(A)),
            ("NOT (NOT {a})", A),
            ("({a})", A),
            ("((({a})))", A),
            ("({a} AND {b}) AND {c}", And((A, B, C))),
            ("{a} OR ({b} OR {c})", Or((A, B, C))),
            ("{a} AND", A),
            ("{a} AND {b} and ", And((A, B))),
            ("{a} OR {b} AND", Or((A, B))),
            ("{a}AND {b}", And((A, B))),
            ("{a}\nAND\t{b}", And((A, B))),
            ("{a} AND({b})", And((A, B))),
        ],
    )
    def test_and_binds_tighter_than_or_and_not_tightest(self, text: str, expected: Condition) -> None:
        assert where(text.format(a="status='a'", b="status='b'", c="status='c'")) == expected

    @pytest.mark.parametrize(
        ("text", "column", "message"),
        [
            ("AND", 0, "before AND"),
            ("OR status='a'", 0, "before OR"),
            ("status='a' AND AND", 15, "before AND"),
            ("status='a' OR", 13, "the text ends"),
            ("(status='a' AND)", 15, "a comparison is expected here"),
            ("NOT", 3, "the text ends"),
            ("()", 1, "a comparison is expected here, not ')'"),
            ("(status='a'", 0, "never closed"),
            ("((status='a')", 0, "never closed"),
            ("status='a')", 10, "never opened"),
            ("status='it''s'", 11, "the other kind of quotes"),
            ("status='a' status='b'", 11, "AND or OR is expected before 'status'"),
            ("status='a', status='b'", 10, "joined by AND or OR"),
            ("status='a' && status='b'", 11, "write AND"),
            ("status='a' || status='b'", 11, "write OR"),
            ("!status='a'", 0, "write NOT"),
            ("'a' = status", 0, "the value stands on the right"),
            ("1 = 1", 0, "the value stands on the right"),
            ("status == 'a'", 7, "write ="),
            ("status <> 'a'", 7, "write !="),
            ("status", 6, "an operator is expected here, and the text ends"),
            ("status 'a'", 7, "an operator is expected after status"),
            ("status NOT 'a'", 7, "an operator is expected after status"),
            ("status NOT LIKE 'a'", 7, "NOT status LIKE"),
            ("params.p IS 'a'", 12, "after IS only NULL or NOT NULL"),
            ("params.p IS NOT", 15, "after IS only NULL or NOT NULL"),
            ("params.p IS NULL 'a'", 17, "AND or OR is expected"),
            ("start_time BETWEEN 1 AND 2", 11, "start_time >= … AND start_time <= …"),
        ],
    )
    def test_what_stands_in_the_wrong_place_is_pointed_at(self, text: str, column: int, message: str) -> None:
        fault = refused(text)
        assert message in fault.message
        assert fault.column == column


class TestNamesWithTypos:
    @pytest.mark.parametrize(
        ("kind", "text", "suggestion"),
        [
            (Kind.RUNS, "metrcs.loss > 1", "metrics.loss"),
            (Kind.RUNS, "attributes.stauts = 'x'", "attributes.status"),
            (Kind.RUNS, "attr.stauts = 'x'", "attr.status"),
            (Kind.RUNS, "run_nam = 'x'", "run_name"),
            (Kind.RUNS, "starttime > 1", "start_time"),
            (Kind.RUNS, "tgs.team = 'x'", "tags.team"),
            (Kind.RUNS, "prams.`a b` = 'x'", "params.`a b`"),
            (Kind.RUNS, "dataset.nme = 'x'", "dataset.name"),
            (Kind.RUNS, "datset.name = 'x'", "dataset.name"),
            (Kind.EXPERIMENTS, "nmae = 'x'", "name"),
            (Kind.EXPERIMENTS, "last_updated_time > 1", "last_update_time"),
            (Kind.REGISTERED_MODELS, "Name = 'x'", "name"),
            (Kind.MODEL_VERSIONS, "version_num = 1", "version_number"),
        ],
    )
    def test_the_nearest_name_is_suggested(self, kind: Kind, text: str, suggestion: str) -> None:
        fault = refused(text, kind)
        assert f"did you mean '{suggestion}'?" in fault.message
        assert fault.column == 0
        assert fault.width == len(text.split(" = ")[0].split(" > ")[0])

    @pytest.mark.parametrize(
        ("kind", "text", "message"),
        [
            (Kind.RUNS, "loss > 1", "metrics.loss or params.loss or tags.loss"),
            (Kind.RUNS, "lifecycle_stage = 'active'", "run_view_type"),
            (Kind.RUNS, "attributes.experiment_id = '1'", "experiment_ids"),
            (Kind.RUNS, "name = 'x'", "run_name"),
            (Kind.RUNS, "xyzzy.a = 'x'", "before the dot may stand metrics, params, tags, attributes, datasets"),
            (Kind.RUNS, "metrics = 1", "such as metrics.loss"),
            (Kind.RUNS, "run = 'x'", "such as run.run_id"),
            (Kind.RUNS, "metrics. = 1", "a name is missing after 'metrics.'"),
            (Kind.RUNS, "tags.`` = 'x'", "a name is missing after 'tags.'"),
            (Kind.EXPERIMENTS, "lifecycle_stage = 'active'", "view_type"),
            (Kind.EXPERIMENTS, "artifact_location = 'x'", "name, experiment_id, creation_time, last_update_time"),
            (Kind.EXPERIMENTS, "metrics.x > 1", "before the dot may stand tags, attribute"),
            (Kind.REGISTERED_MODELS, "run_id = 'x'", "no attribute 'run_id'"),
            (Kind.REGISTERED_MODELS, "last_updated_timestamp > 1", "can be sorted by last_updated_timestamp but not filtered"),
            (Kind.REGISTERED_MODELS, "tags.x IS NULL", "NOT tags.x LIKE '%'"),
            (Kind.RUNS, "params.alpha < 0.5", "params are text: log a metric to compare numbers"),
            (Kind.REGISTERED_MODELS, "tags.x IS NOT NULL", "cannot be compared with IS NOT NULL"),
            (Kind.MODEL_VERSIONS, "creation_timestamp > 1", "can be sorted by creation_timestamp but not filtered"),
            (Kind.MODEL_VERSIONS, "current_stage = 'Production'", "only name, run_id, source_path"),
            (Kind.MODEL_VERSIONS, "aliases.x = '1'", "only name, run_id, source_path"),
            (Kind.MODEL_VERSIONS, "version = 1", "version_number"),
        ],
    )
    def test_other_unknown_names_come_with_a_way_out(self, kind: Kind, text: str, message: str) -> None:
        assert message in refused(text, kind).message

    @pytest.mark.parametrize(
        "text",
        [
            "{} = 'x'",
            "{}.a = 'x'",
            "metrcs.{} = 1",
            "metrics.{} = '1'",
            "metrics.{} LIKE '1'",
            "metrics.`a`.{} = 1",
            "params.`{}`.min = '1'",
            "params.{} = 1",
            "datasets.{} = 'x'",
            "params.p = {}",
            "params.p {} 'x'",
            "params.p NOT LIKE '{}'",
            "params.{} NOT LIKE ''",
            "metrics.{} BETWEEN 1 AND 2",
            "metrics.x = '{}'",
            "metrics.x = nan{}",
            "{}.x`y`",
            "status = 'x' {}",
            "'{}' = 'x'",
            "start_time = 1.{}5",
        ],
    )
    @pytest.mark.parametrize("filling", ["x", "1", "é.", "x-"])
    def test_a_message_stays_short_and_quick_for_a_name_as_long_as_a_book(self, text: str, filling: str) -> None:
        fault = refused(text.format(filling * 50_000))
        assert len(fault.message) < 500
        assert len(str(fault)) < 900


class TestPrompts:
    TAG = "tags.`mlflow.prompt.is_prompt`"
    IS_PROMPT = NO_PROMPTS.part

    @pytest.mark.parametrize("kind", [Kind.REGISTERED_MODELS, Kind.MODEL_VERSIONS])
    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ("", NO_PROMPTS),
            ("name = 'm'", And((attribute("name", Op.EQ, "m"), NO_PROMPTS))),
            ("name = 'm' OR name = 'n'", And((Or((attribute("name", Op.EQ, "m"), attribute("name", Op.EQ, "n"))), NO_PROMPTS))),
            ("TAG = 'true'", IS_PROMPT),
            ("TAG != 'false'", IS_PROMPT),
            ("TAG != 'true'", NO_PROMPTS),
            ("TAG = 'false'", NO_PROMPTS),
            ("NOT TAG = 'false'", IS_PROMPT),
            ("NOT TAG = 'true'", NO_PROMPTS),
            ("name = 'm' AND TAG = 'true'", And((attribute("name", Op.EQ, "m"), IS_PROMPT))),
            ("TAG = 'true' OR name = 'm'", Or((IS_PROMPT, attribute("name", Op.EQ, "m")))),
            ("TAG LIKE 't%'", Comparison(IS_PROMPT.field, Op.LIKE, "t%")),
            ("TAG = 'x'", Comparison(IS_PROMPT.field, Op.EQ, "x")),
        ],
    )
    def test_prompts_are_left_out_unless_the_filter_speaks_of_them(self, kind: Kind, text: str, expected: Condition) -> None:
        assert where(text.replace("TAG", self.TAG), kind) == expected

    @pytest.mark.parametrize("kind", [Kind.RUNS, Kind.EXPERIMENTS])
    def test_runs_and_experiments_know_no_prompts(self, kind: Kind) -> None:
        assert where(f"{self.TAG} != 'true'", kind) == Comparison(self.IS_PROMPT.field, Op.NE, "true")


class TestLimits:
    def test_parentheses_may_nest_to_the_limit(self) -> None:
        assert where("(" * DEPTH_MAX + "status='a'" + ")" * DEPTH_MAX) == A

    @pytest.mark.parametrize("depth", [DEPTH_MAX + 1, 100_000])
    def test_deeper_nesting_is_refused(self, depth: int) -> None:
        fault = refused("(" * depth + "status='a'" + ")" * depth)
        assert f"deeper than {DEPTH_MAX}" in fault.message
        assert fault.column == DEPTH_MAX

    def test_depth_counts_open_parentheses_and_not_all(self) -> None:
        assert isinstance(where(" AND ".join(["(status='a')"] * (DEPTH_MAX + 1))), And)

    def test_many_nots_need_no_stack(self) -> None:
        assert where("NOT " * 50_001 + "status='a'") == Not(A)

    def test_comparisons_are_counted(self) -> None:
        found = where(" OR ".join(["status='a'"] * COMPARISONS_MAX))
        assert isinstance(found, Or)
        assert len(found.parts) == COMPARISONS_MAX
        assert "use IN" in refused(" OR ".join(["status='a'"] * (COMPARISONS_MAX + 1))).message

    def test_listed_values_are_counted_over_all_lists(self) -> None:
        half = ",".join(["1"] * (LISTED_MAX // 2))
        where(f"metrics.a IN ({half}) AND metrics.b IN ({half})")
        assert "listed values" in refused(f"metrics.a IN ({half}) AND metrics.b IN ({half}, 1)").message


def outcome(kind: Kind, text: str) -> InvalidQuery | None:
    try:
        parse(kind, text)
    except InvalidQuery as fault:
        return fault
    return None


@unhurried
@given(st.sampled_from(list(Kind)), st.text(max_size=60))
def test_any_text_is_a_query_or_an_invalid_query(kind: Kind, text: str) -> None:
    fault = outcome(kind, text)
    assert fault is None or (fault.message and str(fault))


_WORDS = "metrics. params. tags. attributes. dataset. loss status start_time run_id name version_number experiment_id min .min"
_SIGNS = "'x' \"y\" 1 -2.5 inf nan = != < >= == LIKE IN NOT IS NULL AND OR ( ) , . ; ` ' \" é \x00 % [ `a.b` 'true'"
_PIECES = st.sampled_from([*_WORDS.split(), *_SIGNS.split(), "mlflow.prompt.is_prompt", "`a b`"])


@unhurried
@given(st.sampled_from(list(Kind)), st.lists(_PIECES, max_size=14), st.sampled_from([" ", ""]))
def test_any_pieces_of_a_query_are_a_query_or_an_invalid_query(kind: Kind, pieces: list[str], glue: str) -> None:
    text = glue.join(pieces)
    fault = outcome(kind, text)
    if fault is not None:
        assert fault.text == text
        assert 0 <= fault.column <= len(text)
        assert fault.column + fault.width <= len(text) + 1


@pytest.mark.parametrize("filter", [5, b"status = 'a'", ["status = 'a'"], True])
def test_a_filter_that_is_no_text_is_refused(filter: object) -> None:
    with pytest.raises(InvalidQuery, match="a filter is text"):
        parse(Kind.RUNS, filter)  # type: ignore[arg-type]
