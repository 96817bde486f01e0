"""Names, sizes and numbers: what is accepted, what it becomes, and one clear error for the rest."""

import math
from collections.abc import Callable
from decimal import Decimal
from enum import Enum, StrEnum
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from drupe.entities import Dataset, DatasetInput, InputTag
from drupe.entities.limits import (
    ALIAS_MAX,
    EXPERIMENT_NAME_MAX,
    EXPERIMENT_TAG_VALUE_MAX,
    KEY_MAX,
    PARAM_VALUE_MAX,
    REGISTRY_TAG_VALUE_MAX,
    RUN_TAG_VALUE_MAX,
    STEP_MAX,
    STEP_MIN,
    TEXT_MAX,
    check_alias,
    check_dataset_input,
    check_experiment_name,
    check_key,
    check_limit,
    check_metric,
    check_model_name,
    check_param,
    check_run_id,
    check_tag,
    check_tags,
)
from drupe.errors import InvalidName, InvalidValue, ValueTooLong

HUGE, MINUS_HUGE = pytest.param(10**5000, id="huge"), pytest.param(-(10**5000), id="minus-huge")  # Python prints no more than 4300 digits
LONG = pytest.param("x/" * 5_000_000, id="long")


class Keys(StrEnum):
    LOSS = "loss"


class OldKeys(str, Enum):  # noqa: UP042  # older code writes text enums like this
    LOSS = "loss"


class Unprintable:
    """Its repr fails, as that of a half-built object may."""

    def __repr__(self) -> str:
        raise RuntimeError("no repr")


class Failing:
    """Fails on conversion with an error of its own, as tensors do."""

    def __float__(self) -> float:
        raise RuntimeError("a tensor with 2 elements has no single value")

    __int__ = __float__  # type: ignore[assignment]


class TestKeys:
    @pytest.mark.parametrize(
        "key",
        [
            *(
                "loss",
                "a.b",
                "a-b",
                "a_b",
                "a:b",
                "a b",
                "a/b/c",
                "1",
                " ",
                " a ",
                "é",
                "日本",
                "²",
                "_",
                "-",
                ":",
                ".a",
                "a.",
                "a..",
                "a/.b",
            ),
            *("mlflow.runName", "system/cpu_utilization_percentage", "x" * KEY_MAX),
        ],
    )
    def test_names_of_letters_digits_and_a_few_signs_are_accepted(self, key: str) -> None:
        assert check_key("metric", key) == key
        assert check_key("metric", key) == key  # the second time it is known

    @pytest.mark.parametrize(
        ("key", "message"),
        [
            ("", "this one is empty"),
            ("a#b", "holds '#'"),
            ("a#b$c#", r"holds '#', '\$'; names use letters"),
            ("a\nb", r"holds '\\n'"),
            ("loss\n", r"holds '\\n'"),
            ("a\x00", r"holds '\\x00'"),
            ("a\\b", "names use letters"),
            ("a\ud800", "names use letters"),
            ("a'b", "names use letters"),
            ("/a", "not a plain path"),
            ("//a", "not a plain path"),
            ("a/", "not a plain path"),
            ("a//b", "not a plain path"),
            (".", "not a plain path"),
            ("..", "not a plain path"),
            ("./a", "not a plain path"),
            ("../a", "not a plain path"),
            ("a/../b", "not a plain path"),
            ("a/./b", "not a plain path"),
            ("a/..", "not a plain path"),
            ("..a", "not a plain path"),
            ("...", "not a plain path"),
            (math.nan, r"text, not float \(nan\)"),
            (None, "text, not NoneType"),
            (5, "text, not int"),
            (b"loss", "text, not bytes"),
            (["loss"], "text, not list"),
            (Unprintable(), "something of type Unprintable"),
            (["x"] * 1_000_000, "text, not list"),
        ],
    )
    def test_other_names_are_refused_with_what_is_wrong(self, key: object, message: str) -> None:
        with pytest.raises(InvalidName, match=message) as caught:
            check_key("param", key)
        assert caught.value.message.startswith(("param name", "a param needs a name"))
        assert len(caught.value.message) < 300

    def test_a_refused_name_is_refused_again(self) -> None:
        for _ in range(2):
            with pytest.raises(InvalidName):
                check_key("tag", "a//b")

    @pytest.mark.parametrize("length", [KEY_MAX + 1, 10_000_000])
    def test_long_names_are_refused_and_not_repeated(self, length: int) -> None:
        with pytest.raises(ValueTooLong, match=f"metric name of {length} characters: 'xxx.*at most 250") as caught:
            check_key("metric", "x" * length)
        assert len(caught.value.message) < 200

    @pytest.mark.parametrize("member", [Keys.LOSS, OldKeys.LOSS, np.str_("loss")])
    def test_members_of_text_enums_become_plain_text(self, member: str) -> None:
        key = check_key("metric", member)
        assert key == "loss"
        assert type(key) is str

    @settings(deadline=None)
    @given(st.text(alphabet="ab./: -_#é\n", max_size=10))
    def test_an_accepted_name_stays_below_any_folder(self, key: str) -> None:
        try:
            check_key("tag", key)
        except InvalidName:
            return
        parts = key.split("/")
        assert all(part not in ("", ".", "..") for part in parts)


class TestMetrics:
    @pytest.mark.parametrize(
        ("value", "number"),
        [
            (1, 1.0),
            (1.5, 1.5),
            (True, 1.0),
            (-0.0, 0.0),
            (math.inf, math.inf),
            (-math.inf, -math.inf),
            (Decimal("0.25"), 0.25),
            (Fraction(1, 4), 0.25),
            (2**60, float(2**60)),
            (np.float32(0.5), 0.5),
            (np.int64(3), 3.0),
            (np.bool_(True), 1.0),
            (np.array(2.0), 2.0),
            (np.array([2.0]), 2.0),
            (np.array([[2]]), 2.0),
            ("0.93", 0.93),
        ],
    )
    def test_numbers_of_every_kind_become_floats(self, value: object, number: float) -> None:
        name, found, timestamp, step = check_metric("m", value, 5, 3)
        assert (name, found, timestamp, step) == ("m", number, 5, 3)
        assert type(found) is float

    @pytest.mark.parametrize("value", [math.nan, np.nan, np.float32("nan"), Decimal("nan")])
    def test_nan_is_a_value(self, value: object) -> None:
        assert math.isnan(check_metric("m", value, 0, 0)[1])

    @pytest.mark.parametrize(
        "value",
        [
            *(None, "", "high", b"1", bytearray(b"1"), [1], {}, object(), 1j, 10**400, HUGE, np.array([1.0, 2.0]), np.array([])),
            *(Failing(), Unprintable(), LONG, Decimal("sNaN")),
        ],
    )
    def test_what_is_no_single_number_is_refused(self, value: object) -> None:
        with pytest.raises(InvalidValue, match="metric 'm' needs a number") as caught:
            check_metric("m", value, 0, 0)
        assert len(caught.value.message) < 200

    @pytest.mark.parametrize(
        ("given", "step"),
        [
            (0, 0),
            (-5, -5),
            (STEP_MIN, STEP_MIN),
            (STEP_MAX, STEP_MAX),
            (2.0, 2),
            (True, 1),
            (np.int64(4), 4),
            (np.float64(2.0), 2),
            ("7", 7),
        ],
    )
    def test_steps_are_whole_numbers_of_64_bits(self, given: object, step: int) -> None:
        found = check_metric("m", 1.0, 0, given)[3]
        assert found == step
        assert type(found) is int

    @pytest.mark.parametrize(
        "step", [1.5, math.nan, math.inf, None, "x", "1.5", [1], STEP_MAX + 1, STEP_MIN - 1, 1e300, HUGE, Failing(), Unprintable()]
    )
    def test_other_steps_are_refused(self, step: object) -> None:
        with pytest.raises(InvalidValue, match="the step of metric 'm'") as caught:
            check_metric("m", 1.0, 0, step)
        assert len(caught.value.message) < 200

    @pytest.mark.parametrize(
        ("given", "timestamp"), [(0, 0), (STEP_MAX, STEP_MAX), (1732352000123.9, 1732352000123), (np.int64(4), 4), ("7", 7), (-0.5, 0)]
    )
    def test_timestamps_are_whole_ms_and_a_fraction_is_cut(self, given: object, timestamp: int) -> None:
        found = check_metric("m", 1.0, given, 0)[2]
        assert found == timestamp
        assert type(found) is int

    @pytest.mark.parametrize("timestamp", [-1, -1.5, math.nan, math.inf, None, "x", STEP_MAX + 1, HUGE, MINUS_HUGE, Failing()])
    def test_other_timestamps_are_refused(self, timestamp: object) -> None:
        with pytest.raises(InvalidValue, match="the timestamp of metric 'm'") as caught:
            check_metric("m", 1.0, timestamp, 0)
        assert len(caught.value.message) < 200

    def test_the_name_is_checked_first(self) -> None:
        with pytest.raises(InvalidName, match="metric name"):
            check_metric("a#b", None, -1, None)


class TestTexts:
    @pytest.mark.parametrize(
        ("value", "text"), [("", ""), ("x", "x"), (None, "None"), (0.1, "0.1"), (True, "True"), ([1, 2], "[1, 2]"), ("é\n", "é\n")]
    )
    def test_params_and_tags_are_text_of_any_value(self, value: object, text: str) -> None:
        assert check_param("p", value) == ("p", text)
        assert check_tag("run tag", "p", value, limit=None) == ("p", text)
        assert check_tag("experiment tag", "p", value, limit=EXPERIMENT_TAG_VALUE_MAX) == ("p", text)

    @pytest.mark.parametrize(
        ("check", "limit"),
        [
            (lambda text: check_param("p", text), PARAM_VALUE_MAX),
            (lambda text: check_tag("run tag", "p", text, limit=None), RUN_TAG_VALUE_MAX),
        ],
    )
    def test_long_params_and_run_tags_are_cut_and_huge_ones_refused(self, check: Callable[[str], tuple[str, str]], limit: int) -> None:
        assert check("x" * limit)[1] == "x" * limit
        assert check("x" * (limit + 1))[1] == "x" * limit
        assert check("é" * TEXT_MAX)[1] == "é" * limit
        with pytest.raises(ValueTooLong, match=f"{TEXT_MAX + 1} characters; {limit} are kept.*log_text"):
            check("x" * (TEXT_MAX + 1))

    @pytest.mark.parametrize("limit", [EXPERIMENT_TAG_VALUE_MAX, REGISTRY_TAG_VALUE_MAX])
    def test_tags_with_a_limit_are_refused_beyond_it(self, limit: int) -> None:
        assert check_tag("model tag", "k", "x" * limit, limit=limit) == ("k", "x" * limit)
        with pytest.raises(ValueTooLong, match=f"model tag 'k' has {limit + 1} characters; at most {limit}"):
            check_tag("model tag", "k", "x" * (limit + 1), limit=limit)

    @pytest.mark.parametrize(("text", "message"), [("a\ud800b", "lone surrogate"), ("caf\udce9", "lone surrogate"), ("a\x00b", "NUL")])
    @pytest.mark.parametrize(
        "check",
        [
            lambda text: check_param("p", text),
            lambda text: check_tag("run tag", "p", text, limit=None),
            lambda text: check_tag("model tag", "p", text, limit=100),
            check_experiment_name,
            check_model_name,
        ],
    )
    def test_text_that_no_database_keeps_is_refused(self, check: Callable[[str], object], text: str, message: str) -> None:
        with pytest.raises(InvalidValue, match=message) as caught:
            check(text)
        caught.value.message.encode()

    def test_text_beyond_the_cut_does_not_matter(self) -> None:
        assert check_param("p", "x" * PARAM_VALUE_MAX + "\x00")[1] == "x" * PARAM_VALUE_MAX

    def test_several_tags_are_checked_at_once(self) -> None:
        assert check_tags("run tag", {"a": 1, "b": "x"}, limit=None) == {"a": "1", "b": "x"}
        assert check_tags("run tag", {}, limit=None) == {}
        with pytest.raises(InvalidName, match="tag name 'b#'"):
            check_tags("run tag", {"a": 1, "b#": "x"}, limit=None)


class TestIds:
    @pytest.mark.parametrize("run_id", ["a", "0", "0123456789abcdef" * 2, "A-b_c", "a" * 256])
    def test_run_ids(self, run_id: str) -> None:
        assert check_run_id(run_id) == run_id

    @pytest.mark.parametrize("run_id", ["", "-a", "_a", "a b", "a/b", "../a", "a.b", "a\n", "a" * 257, None, 5, b"a", Unprintable(), LONG])
    def test_what_is_no_run_id_is_refused(self, run_id: object) -> None:
        with pytest.raises(InvalidName, match="is not one; run ids use") as caught:
            check_run_id(run_id)
        assert len(caught.value.message) < 200

    @pytest.mark.parametrize("name", ["a", "Default", "a/b:c", " a ", "é\n", "..", "x" * EXPERIMENT_NAME_MAX])
    def test_experiments_take_any_name_that_is_not_blank(self, name: str) -> None:
        assert check_experiment_name(name) == name

    @pytest.mark.parametrize("name", ["", " ", "\t\n", None, 5, b"a", "a\x00"])
    def test_blank_experiment_names_are_refused(self, name: object) -> None:
        with pytest.raises(InvalidName, match="experiment"):
            check_experiment_name(name)

    @pytest.mark.parametrize("name", ["a", "my model", "a.b", "...", "a@b", "%2e", "é", "x" * KEY_MAX])
    def test_models_take_names_without_slash_and_colon(self, name: str) -> None:
        assert check_model_name(name) == name

    @pytest.mark.parametrize("name", ["", " ", "a/b", "a:b", "/", ".", "..", "a\x00", None, 5, ["a"] * 100_000])
    def test_other_model_names_are_refused(self, name: object) -> None:
        with pytest.raises(InvalidName) as caught:
            check_model_name(name)
        assert len(caught.value.message) < 200

    @pytest.mark.parametrize(
        ("check", "limit"), [(check_experiment_name, EXPERIMENT_NAME_MAX), (check_model_name, KEY_MAX), (check_alias, ALIAS_MAX)]
    )
    @pytest.mark.parametrize("more", [1, 10_000_000])
    def test_long_names_are_refused_and_not_repeated(self, check: Callable[[str], str], limit: int, more: int) -> None:
        with pytest.raises(ValueTooLong, match=f"{limit + more} characters; at most {limit}") as caught:
            check("x" * (limit + more))
        assert len(caught.value.message) < 200

    @pytest.mark.parametrize("alias", ["champion", "a-b_c", "1", "v", "v1a", "xv1", "latest1", "é", "x" * ALIAS_MAX])
    def test_aliases(self, alias: str) -> None:
        assert check_alias(alias) == alias

    @pytest.mark.parametrize(
        ("alias", "message"),
        [
            *(("latest", "reserved"), ("Latest", "reserved"), ("LATEST", "reserved"), ("v1", "reserved"), ("V007", "reserved")),
            *((alias, "aliases use letters") for alias in ("", "a b", "a.b", "a/b", "a@b", "a\n", "a\x00", None, 5)),
        ],
    )
    def test_other_aliases_are_refused(self, alias: object, message: str) -> None:
        with pytest.raises(InvalidName, match=message):
            check_alias(alias)


class TestPageSizes:
    @pytest.mark.parametrize("limit", [1, 2, 50_000])
    def test_one_to_the_maximum(self, limit: int) -> None:
        assert check_limit(limit) == limit

    @pytest.mark.parametrize("limit", [0, -1, 50_001, HUGE, 1.0, "5", None, True, math.nan])
    def test_anything_else_is_refused(self, limit: object) -> None:
        with pytest.raises(InvalidValue, match=r"max_results is .* from 1 to 50000"):
            check_limit(limit)

    def test_maximum_and_name_are_the_callers(self) -> None:
        assert check_limit(200_000, maximum=200_000) == 200_000
        with pytest.raises(InvalidValue, match="limit is 11; it must be a whole number from 1 to 10"):
            check_limit(11, maximum=10, name="limit")


class TestDatasets:
    FULL = DatasetInput(
        Dataset("n" * 500, "d" * 36, "local", "s" * 65_535, "c" * 1_048_575, None),
        (InputTag("k" * 255, "v" * 500), InputTag("mlflow.data.context", "")),
    )

    def test_texts_up_to_their_limits(self) -> None:
        assert check_dataset_input(self.FULL) is self.FULL

    @pytest.mark.parametrize(
        ("dataset", "tags", "message"),
        [
            (Dataset("n" * 501, "d"), (), "the name of a dataset of 'nnn.* has 501 characters; at most 500"),
            (Dataset("n", "d" * 37), (), "the digest of a dataset of 'n' has 37"),
            (Dataset("n", "d", source="s" * 65_536), (), "the source"),
            (Dataset("n", "d", schema="s" * 1_048_576), (), "the schema"),
            (Dataset("n", "d", profile="s" * 16_777_216), (), "the profile"),
            (Dataset("n", "d"), (InputTag("k" * 256, ""),), "the key of a dataset tag of 'n' has 256"),
            (Dataset("n", "d"), (InputTag("a", "b"), InputTag("k", "v" * 501)), "the value of a dataset tag of 'n' has 501"),
        ],
    )
    def test_longer_ones_are_refused_by_name(self, dataset: Dataset, tags: tuple[InputTag, ...], message: str) -> None:
        with pytest.raises(ValueTooLong, match=message):
            check_dataset_input(DatasetInput(dataset, tags))
