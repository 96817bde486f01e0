"""The catalog in one process, with front doors made on the spot; real distributions are in tests/plugins."""

from __future__ import annotations

import logging
import os
import threading
from types import ModuleType
from typing import Any

import pytest
from attrs import field, frozen

from drupe import loading
from drupe.errors import ConflictingOffers, InvalidSettings, NoProvider, PluginUnusable
from drupe.extend import ArtifactRepo, Offer, hookimpl
from drupe.loading import Catalog, State
from drupe.loading.discovery import Claim
from drupe.loading.hooks import HookKind
from drupe.settings import Settings
from drupe.uris import Uri


def front(**hooks: Any) -> ModuleType:
    """A front door whose hooks return these values; `drupe_x=[...]`."""
    module = ModuleType("front")
    module.DRUPE_API = "1.0"  # type: ignore[attr-defined]
    for name, answer in hooks.items():
        setattr(module, name, hookimpl(answer if callable(answer) else _returning(answer)))
    return module


def _returning(answer: Any) -> Any:
    return lambda: answer


def catalog(settings: Settings | None = None, **fronts: ModuleType) -> Catalog:
    made = Catalog.build(settings or Settings(environ={}), [])
    for name, door in fronts.items():
        made.add(name, door)
    return made


def flavors(**handles: tuple[str, ...]) -> ModuleType:
    return front(drupe_model_flavors=[Offer(name, load=f"nowhere:{name}", handles=paths) for name, paths in handles.items()])


class Animal: ...


class Dog(Animal): ...


class Puppy(Dog): ...


HERE = __name__


def test_the_flavor_of_the_class_that_stands_earliest_is_chosen_whatever_the_order_of_plugins() -> None:
    found = catalog(a=flavors(animal=(f"{HERE}.Animal", "*")), b=flavors(dog=(f"{HERE}.Dog",)), c=flavors(thing=("builtins.object",)))
    assert found.flavor_for(Puppy()).offer.name == "dog"
    assert found.flavor_for(Animal()).offer.name == "animal"
    assert found.flavor_for(3).offer.name == "thing"


def test_a_flavor_for_anything_comes_last() -> None:
    found = catalog(a=flavors(anything=("*",)), b=flavors(dog=(f"{HERE}.Dog",)))
    assert [found.flavor_for(model).offer.name for model in (Dog(), 3)] == ["dog", "anything"]


def test_no_flavor_for_a_model_is_an_error_that_names_its_class() -> None:
    with pytest.raises(NoProvider, match=r"no installed flavor saves a builtins.int; installed: dog;"):
        catalog(b=flavors(dog=(f"{HERE}.Dog",))).flavor_for(3)


def test_two_flavors_for_one_class_are_a_conflict_that_a_setting_decides() -> None:
    doors = {"a": flavors(one=(f"{HERE}.Dog",)), "b": flavors(two=(f"{HERE}.Dog",))}
    with pytest.raises(ConflictingOffers) as raised:
        catalog(**doors).flavor_for(Puppy())
    assert f'[plugins.prefer] "drupe_flavor_for.{HERE}.Dog" = "a"' in raised.value.message
    assert raised.value.details["plugins"] == ["a", "b"]


def test_a_hook_names_the_flavor_before_classes_are_looked_at() -> None:
    chooser = front(drupe_flavor_for=lambda model: "two" if isinstance(model, Puppy) else None)
    found = catalog(a=flavors(one=(f"{HERE}.Dog",), two=()), b=chooser)
    assert [found.flavor_for(model).offer.name for model in (Puppy(), Dog())] == ["two", "one"]


def test_a_flavor_is_made_once() -> None:
    door = front(drupe_model_flavors=[Offer("f", load=f"{Fox.__module__}:Fox")])
    found = catalog(a=door)
    with pytest.raises(PluginUnusable, match="Fox cannot be imported"):
        catalog(a=front(drupe_model_flavors=[Offer("f", load="json:Fox")])).flavor("f")
    entry = found.find("drupe_model_flavors", "f")
    entry._loaded = Fox
    assert found.flavor("f") is found.flavor("f")


class Fox: ...


class Repo(ArtifactRepo):
    def __init__(self, root: Uri, settings: Any) -> None:
        self.root, self.settings = root, settings

    @classmethod
    def open(cls, uri: Uri, settings: Any = None) -> Repo:
        return cls(uri, settings)

    def put_file(self, source: Any, path: Any) -> None: ...
    def get_file(self, path: Any, target: Any) -> None: ...
    def list(self, path: Any = None) -> list[Any]:
        return []

    def delete(self, path: Any) -> None: ...
    def is_file(self, path: Any) -> bool:
        return False


@frozen
class Options:
    depth: int = 0


@frozen
class Untyped:
    place: Nowhere = None  # type: ignore[name-defined]  # noqa: F821


@frozen
class Failing:
    depth: int = field(factory=lambda: 1 // 0)


@frozen
class Leaving:
    def __attrs_post_init__(self) -> None:
        raise SystemExit(9)


@pytest.fixture
def rooms(monkeypatch: pytest.MonkeyPatch) -> None:
    """A module that offers can name in `load`."""
    import sys

    module = ModuleType("drupe_rooms")
    for found in (Repo, Options, Untyped, Failing, Leaving, Fox):
        setattr(module, found.__name__, found)
    monkeypatch.setitem(sys.modules, "drupe_rooms", module)


@pytest.mark.usefixtures("rooms")
def test_opening_fills_the_settings_class_or_refuses_options() -> None:
    tuned = front(drupe_artifact_repos=[Offer("xa", load="drupe_rooms:Repo", settings="drupe_rooms:Options")])
    plain = front(drupe_artifact_repos=[Offer("xb", load="drupe_rooms:Repo")])
    wrong = front(drupe_artifact_repos=[Offer("xc", load="drupe_rooms:Repo", settings="drupe_rooms:Fox")])
    found = catalog(tuned=tuned, plain=plain, wrong=wrong)
    assert found.open("drupe_artifact_repos", Uri.parse("xa://x/?depth=2", query=True)).settings == Options(2)
    assert found.open("drupe_artifact_repos", Uri.parse("xb://x/")).settings is None
    with pytest.raises(InvalidSettings, match="plain takes no options, and was given depth"):
        found.open("drupe_artifact_repos", Uri.parse("xb://x/"), depth=3)
    with pytest.raises(PluginUnusable, match="its settings drupe_rooms:Fox are no attrs class"):
        found.open("drupe_artifact_repos", Uri.parse("xc://x/"))


@pytest.mark.usefixtures("rooms")
@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ("Untyped", "the types of its settings drupe_rooms:Untyped cannot be read: NameError: name 'Nowhere' is not defined"),
        ("Failing", "its settings drupe_rooms:Failing cannot be made: ZeroDivisionError: "),
        ("Leaving", "its settings drupe_rooms:Leaving cannot be made: SystemExit: 9"),
    ],
)
def test_a_settings_class_that_does_not_work_is_a_problem_with_its_plugin(options: str, reason: str) -> None:
    found = catalog(odd=front(drupe_artifact_repos=[Offer("xa", load="drupe_rooms:Repo", settings=f"drupe_rooms:{options}")]))
    with pytest.raises(PluginUnusable, match=reason):
        found.open("drupe_artifact_repos", Uri.parse("xa://x/"))


def test_a_plugin_that_is_added_later_joins_in_and_its_name_must_be_free() -> None:
    found = catalog(a=flavors(one=()))
    assert found.add("b", flavors(two=())).state is State.ACTIVE
    assert [entry.offer.name for entry in found.offers("drupe_model_flavors")] == ["one", "two"]
    again = found.add("a", flavors(three=()))
    assert (again.state, again.reason) == (State.REFUSED, "the name 'a' is taken by front")
    assert found.find("drupe_model_flavors", "one").plugin == "a"


def test_a_plugin_cannot_have_the_name_of_a_setting() -> None:
    assert catalog().add("prefer", flavors(x=())).reason == "no plugin can be named 'prefer': that is a key of [plugins] in drupe.toml"


def test_offers_come_in_the_order_of_plugin_names() -> None:
    found = catalog(c=flavors(x=()), a=flavors(z=()), b=flavors(y=()))
    assert [entry.plugin for entry in found.offers("drupe_model_flavors")] == ["a", "b", "c"]


def test_an_observer_that_raises_is_logged_once_and_never_raises(caplog: pytest.LogCaptureFixture) -> None:
    def drupe_event(event: Any) -> None:
        raise GeneratorExit(event)

    found = catalog(a=front(drupe_event=drupe_event))
    with caplog.at_level(logging.WARNING):
        found.notify(1)  # type: ignore[arg-type]
        found.notify(2)  # type: ignore[arg-type]
    assert [record.getMessage() for record in caplog.records] == [
        "drupe_event of plugin a raised GeneratorExit: 1 (said once; see: drupe plugins show a)"
    ]
    assert found.plugin("a").reports == ["drupe_event raised GeneratorExit: 1", "drupe_event raised GeneratorExit: 2"]


def test_an_interrupt_passes_through_an_observer() -> None:
    def drupe_event(event: Any) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        catalog(a=front(drupe_event=drupe_event)).notify(1)  # type: ignore[arg-type]


def test_a_plugin_that_keeps_raising_does_not_fill_the_memory() -> None:
    def drupe_event(event: Any) -> None:
        raise ValueError(event)

    found = catalog(a=front(drupe_event=drupe_event))
    for number in range(500):
        found.notify(number)  # type: ignore[arg-type]
    assert len(found.plugin("a").reports) == 100


def test_the_kinds_of_hooks_are_read_from_their_specifications() -> None:
    kinds = {hook.name: hook.kind for hook in catalog().hooks()}
    assert kinds["drupe_tracking_stores"] is HookKind.OFFERS
    assert kinds["drupe_flavor_for"] is HookKind.FIRST
    assert kinds["drupe_run_tags"] is HookKind.ALL
    assert kinds["drupe_event"] is HookKind.OBSERVERS
    assert kinds["drupe_configure"] is HookKind.ONCE


def test_a_listener_is_told_of_every_call() -> None:
    calls: list[Any] = []
    found = Catalog.build(Settings(environ={}), [Claim("x", "no.such.module")], listener=calls.append)
    assert [(call.plugin, call.hook, call.outcome) for call in calls] == [
        ("x", "import", "raised ModuleNotFoundError: No module named 'no'")
    ]
    assert found.trouble() == [found.plugin("x")]


def test_the_catalog_of_the_process_is_built_once_by_many_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    built: list[int] = []
    begin = threading.Barrier(8)
    real = Catalog.build

    def build(*given: Any, **named: Any) -> Catalog:
        built.append(1)
        return real(Settings(environ={}), [])

    monkeypatch.setattr(Catalog, "build", build)
    loading.reset()
    found: list[Catalog] = []

    def ask() -> None:
        begin.wait()
        found.append(loading.catalog())

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    loading.reset()
    assert (len(built), len(set(map(id, found)))) == (1, 1)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
def test_a_child_of_a_fork_can_build_its_catalog_while_a_thread_of_the_parent_builds_one() -> None:
    loading.reset()
    is_held, may_go = threading.Event(), threading.Event()

    def hold() -> None:
        with loading._lock:
            is_held.set()
            may_go.wait()

    thread = threading.Thread(target=hold)
    thread.start()
    is_held.wait()
    child = os.fork()
    if child == 0:
        try:
            os._exit(0 if loading.catalog().plugins is not None else 1)
        except BaseException:
            os._exit(2)
    may_go.set()
    thread.join()
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
