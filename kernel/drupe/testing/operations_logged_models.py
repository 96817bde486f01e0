"""Random operations on logged models, mixed into those on experiments and runs; done where the store has LOGGED_MODELS."""

from __future__ import annotations

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from drupe.entities import LogBatch, LoggedModelStatus, ModelInput, ModelOutput, ModelPoints, NewLoggedModel, Points
from drupe.extend.features import Feature, Support
from drupe.extend.tracking_store import TrackingStore
from drupe.search.query import Query
from drupe.testing.comparison import Pair
from drupe.testing.kit import all_pages
from drupe.testing.random_queries import logged_model_queries, texts, values

__all__ = ["LoggedModelOperations"]

_MODEL_IDS = [f"m-{number:032d}" for number in range(4)]
_models = st.sampled_from([*_MODEL_IDS, *_MODEL_IDS, "m-" + "f" * 32])
_runs = st.sampled_from(["r0", "r1", "r2", "r3", "r0", "r1", "zz"])
_experiments = st.sampled_from(["0", "0", "1", "9"])
_params = st.dictionaries(st.sampled_from(["p", "q"]), st.sampled_from(["", "a", "A"]), max_size=2)
_tags = st.dictionaries(st.sampled_from(["t", "u"]), texts, max_size=2)
_measured = st.lists(
    st.builds(
        ModelPoints,
        _models,
        st.sampled_from(["loss", "acc", "loss.min"]),
        st.lists(st.tuples(st.integers(-1, 3), st.integers(0, 3), values), max_size=4).map(Points.of),
        st.sampled_from([None, "", "iris", "wine"]),
        st.sampled_from([None, "", "d1", "d2"]),
    ),
    min_size=1,
    max_size=3,
)


def _keeps_models(self: LoggedModelOperations) -> bool:
    return self._both.store.features.get(Feature.LOGGED_MODELS) is Support.FULL


class LoggedModelOperations(RuleBasedStateMachine):
    """The rules about logged models; `_both` is the machine's."""

    _both: Pair[TrackingStore]

    @initialize(params=_params)
    def start_with_models(self, params: dict[str, str]) -> None:
        """Three of them, so that most operations meet one."""
        if _keeps_models(self):
            for model in _MODEL_IDS[:3]:
                self.create_logged_model(model, "0", "a", "b", "r0", {}, params)

    @precondition(_keeps_models)
    @rule(
        model=st.sampled_from(_MODEL_IDS),
        experiment=_experiments,
        name=st.sampled_from(["a", "A", "ab"]),
        kind=st.sampled_from([None, "", "a", "b"]),
        run=st.sampled_from([None, "r0", "r1"]),
        tags=_tags,
        params=_params,
    )
    def create_logged_model(
        self, model: str, experiment: str, name: str, kind: str | None, run: str | None, tags: dict[str, str], params: dict[str, str]
    ) -> None:
        new = NewLoggedModel(experiment, model, name, kind, run, tags, params)
        for _ in range(2):  # the same request makes no twin
            self._both.same(lambda store: store.create_logged_model(new))

    @precondition(_keeps_models)
    @rule(model=_models, allow_deleted=st.booleans())
    def read_logged_model(self, model: str, allow_deleted: bool) -> None:
        self._both.same(lambda store: store.get_logged_model(model, allow_deleted=allow_deleted))

    @precondition(_keeps_models)
    @rule(model=_models, status=st.sampled_from(LoggedModelStatus), message=st.sampled_from([None, "", "why"]))
    def set_status(self, model: str, status: LoggedModelStatus, message: str | None) -> None:
        self._both.same(lambda store: store.set_logged_model_status(model, status, message=message))

    @precondition(_keeps_models)
    @rule(model=_models, is_meant=st.sampled_from([True, False, False]))
    def delete_logged_model(self, model: str, is_meant: bool) -> None:
        if is_meant:
            self._both.same(lambda store: store.delete_logged_model(model))

    @precondition(_keeps_models)
    @rule(model=_models, tags=_tags)
    def tag_logged_model(self, model: str, tags: dict[str, str]) -> None:
        self._both.same(lambda store: store.set_logged_model_tags(model, tags))

    @precondition(_keeps_models)
    @rule(model=_models, key=st.sampled_from(["t", "u"]))
    def untag_logged_model(self, model: str, key: str) -> None:
        self._both.same(lambda store: store.delete_logged_model_tag(model, key))

    @precondition(_keeps_models)
    @rule(model=_models, params=_params)
    def log_model_params(self, model: str, params: dict[str, str]) -> None:
        self._both.same(lambda store: store.log_logged_model_params(model, params))

    @precondition(_keeps_models)
    @rule(run=_runs, measured=_measured)
    def measure(self, run: str, measured: list[ModelPoints]) -> None:
        self._both.same(lambda store: store.log_batch(run, LogBatch(model_points=tuple(measured))))
        self._both.same(lambda store: store.get_run(run))

    @precondition(_keeps_models)
    @rule(run=_runs, models=st.lists(_models, max_size=3), steps=st.lists(st.integers(-2, 3), min_size=3, max_size=3))
    def tie(self, run: str, models: list[str], steps: list[int]) -> None:
        self._both.same(lambda store: store.log_model_inputs(run, [ModelInput(one) for one in models]))
        outputs = [ModelOutput(one, step) for one, step in zip(models, steps, strict=False)]
        self._both.same(lambda store: store.log_outputs(run, outputs))

    @precondition(_keeps_models)
    @rule(query=logged_model_queries, experiments=st.none() | st.lists(_experiments, max_size=2), limit=st.integers(1, 3))
    def search_logged_models(self, query: Query, experiments: list[str] | None, limit: int) -> None:
        self._both.same(
            lambda store: [
                list(page)
                for page in all_pages(
                    lambda token: store.search_logged_models(query, experiment_ids=experiments, limit=limit, page_token=token)
                )
            ]
        )

    def _compare_logged_models(self) -> None:
        """All that is left of them."""
        if _keeps_models(self):
            for model in _MODEL_IDS:
                self._both.same(lambda store, model=model: store.get_logged_model(model, allow_deleted=True))  # type: ignore[misc]
