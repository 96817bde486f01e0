"""Whatever an installed plugin does wrong, it is a line in a report: `import drupe`, the command line and other plugins go on."""

from __future__ import annotations

from typing import Any

import pytest

HEAD = 'from drupe.extend import Offer, hookimpl\nDRUPE_API = "1.0"\n'
BUILT_IN = {
    "deploy-docker",
    "evaluator-default",
    "env-uv",
    "flavor-lightgbm",
    "flavor-onnx",
    "flavor-python",
    "flavor-pytorch",
    "flavor-sklearn",
    "flavor-statsmodels",
    "flavor-xgboost",
    "import-mlflow",
    "server-rest",
    "serving",
    "signer-openssf",
    "source-files",
    "source-http",
    "store-http",
    "store-local",
    "store-postgres",
    "store-s3",
    "store-sqlite",
    "system-metrics",
    "ui-web",
    "viewer-safetensors",
}

FAULTS = {
    "raises at import": ('raise RuntimeError("no licence")', "broken", "importing it raised RuntimeError: no licence"),
    "is no Python": ("def broken(:\n", "broken", "importing it raised SyntaxError: invalid syntax"),
    "exits at import": ("import sys\nsys.exit('bye')", "broken", "importing it raised SystemExit: bye"),
    "raises what is no Exception": ("class Odd(BaseException): ...\nraise Odd('x')", "broken", "importing it raised Odd: x"),
    "imports what is missing": (
        "import acme_engine.turbo",
        "broken",
        "importing it raised ModuleNotFoundError: No module named 'acme_engine'",
    ),
    "takes a wrong argument": (
        HEAD + "@hookimpl\ndef drupe_run_tags(kontext): return {}\n",
        "broken",
        "definition: drupe_run_tags(kontext)",
    ),
    "implements an unknown hook": (
        HEAD + "@hookimpl\ndef drupe_artifact_repo(): return []\n",
        "broken",
        "there is no hook drupe_artifact_repo; did you mean 'drupe_artifact_repos'?",
    ),
    "wraps a hook": (
        HEAD + "@hookimpl(wrapper=True)\ndef drupe_event(event):\n    return (yield)\n",
        "broken",
        "drupe_event is a wrapper, and hooks of drupe cannot be wrapped",
    ),
    "raises in a collecting hook": (
        HEAD + "@hookimpl\ndef drupe_model_flavors(): raise KeyError('x')\n",
        "broken",
        "drupe_model_flavors raised KeyError: 'x'",
    ),
    "exits in a collecting hook": (
        HEAD + "@hookimpl\ndef drupe_model_flavors(): raise SystemExit(0)\n",
        "broken",
        "drupe_model_flavors raised SystemExit: 0",
    ),
    "returns rubbish": (
        HEAD + "@hookimpl\ndef drupe_model_flavors(): return 42\n",
        "broken",
        "drupe_model_flavors must return a list of offers, returned 42",
    ),
    "returns something else in the list": (
        HEAD + "@hookimpl\ndef drupe_model_flavors(): return ['sklearn']\n",
        "broken",
        "drupe_model_flavors must return a list of offers, 'sklearn' is none",
    ),
    "makes a bad offer": (
        HEAD + "@hookimpl\ndef drupe_model_flavors(): return [Offer('x', load='no_colon')]\n",
        "broken",
        "drupe_model_flavors: offer 'x': load must have the form 'module:attr', got 'no_colon'",
    ),
    "gives one text in place of a tuple of keys": (
        HEAD + "@hookimpl\ndef drupe_model_flavors(): return [Offer('x', load='a:b', keys='s3')]\n",
        "broken",
        "drupe_model_flavors: offer 'x': keys must be a tuple of texts that are not empty, got 's3'",
    ),
    "offers a key twice": (
        HEAD + "@hookimpl\ndef drupe_model_flavors(): return [Offer('x', load='a:b'), Offer('y', load='a:c', keys=('x',))]\n",
        "broken",
        "drupe_model_flavors offers 'x' twice",
    ),
    "offers a key twice in one offer": (
        HEAD + "@hookimpl\ndef drupe_model_flavors(): return [Offer('x', load='a:b', keys=('y', 'y'))]\n",
        "broken",
        "drupe_model_flavors offers 'y' twice",
    ),
    "offers a key from two functions": (
        HEAD
        + "@hookimpl(specname='drupe_model_flavors')\ndef more(): return [Offer('x', load='a:b')]\n"
        + "@hookimpl\ndef drupe_model_flavors(): return [Offer('x', load='a:c')]\n",
        "broken",
        "drupe_model_flavors offers 'x' twice",
    ),
    "gives a class in place of the name of one": (
        HEAD + "@hookimpl\ndef drupe_model_flavors(): return [Offer('x', load='a:b', help=dict, settings=dict)]\n",
        "broken",
        "help must be text, got <class 'dict'>; settings must have the form 'module:Class', or be None, got <class 'dict'>",
    ),
    "makes offers that find nothing wrong with themselves": (
        HEAD + "class Own(Offer):\n    def faults(self): return []\n@hookimpl\ndef drupe_model_flavors(): return [Own(5, load=6)]\n",
        "broken",
        "name must be text that is not empty, got 5",
    ),
    "names what cannot be written": (
        HEAD + "@hookimpl\ndef drupe_model_flavors(): return [Offer('\\ud800', load='a:b')]\n",
        "broken",
        "name must be text that is not empty, got '\\ud800'",
    ),
    "raises what cannot be written": ("raise ValueError('\\ud800')", "broken", "importing it raised ValueError: \\ud800"),
    "raises what raises when it is shown": (
        "class Odd(Exception):\n    def __str__(self): raise KeyError\nraise Odd",
        "broken",
        "importing it raised Odd, whose message cannot be shown, as making it raised KeyError",
    ),
    "raises when it is configured": (
        HEAD + "@hookimpl\ndef drupe_configure(settings): raise OSError('no disk')\n",
        "broken",
        "drupe_configure raised OSError: no disk",
    ),
    "raises when it adds specifications": (
        HEAD + "@hookimpl\ndef drupe_add_hookspecs(manager): manager.add_hookspecs(HEAD)\n",
        "broken",
        "drupe_add_hookspecs raised NameError: name 'HEAD' is not defined",
    ),
    "asks for the catalog while it is loaded": (
        "from drupe.loading import catalog\ncatalog()",
        "broken",
        "importing it raised PluginUnusable: a front door may not use the catalog while it is being built",
    ),
    "says no API": ("from drupe.extend import Offer", "refused", "DRUPE_API = '1.0' is missing in acme_faulty"),
    "says its API as a number": ("DRUPE_API = 1.0", "refused", "its DRUPE_API is 1.0; it must be a text such as '1.0'"),
    "is for the next major": ('DRUPE_API = "2.0"', "refused", "it needs API 2.0, this drupe has 1.0"),
    "is for a later minor": ('DRUPE_API = "1.7"', "refused", "it needs API 1.7, this drupe has 1.0"),
    "is for an earlier major": ('DRUPE_API = "0.9"', "refused", "it was written for API 0.9, this drupe has 1.0"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_plugin_is_reported_when_it(house: Any, fault: str) -> None:
    front_door, state, reason = FAULTS[fault]
    house.install("faulty", front_door)
    house.install("sound")
    found = house.plugins()
    assert (found["faulty"]["state"], found["faulty"]["offers"]) == (state, [])
    assert reason in found["faulty"]["reason"]
    assert {name for name, plugin in found.items() if plugin["state"] == "active"} == BUILT_IN | {"sound"}


@pytest.mark.parametrize("fault", ["is no Python", "exits at import", "raises what is no Exception", "raises in a collecting hook"])
def test_import_and_help_do_not_notice_a_plugin_that(house: Any, fault: str) -> None:
    house.install("faulty", FAULTS[fault][0])
    assert house.run("-c", "import drupe; print(drupe.__version__)").code == 0
    shown = house.drupe("--help")
    assert (shown.code, shown.err) == (0, "")
    assert "experiments" in shown.out


def test_what_a_front_door_prints_does_not_mix_with_results(house: Any) -> None:
    house.install("chatty", HEAD + "print('hello')\n")
    shown = house.drupe("plugins", "--json")
    assert "chatty" in {plugin["name"] for plugin in shown.json()}
    assert shown.err == "hello\n"


def test_objects_that_raise_when_they_are_looked_at_are_no_fault_of_a_front_door(house: Any) -> None:
    house.install("lazy", HEAD + "class Later:\n    def __getattr__(self, name): raise RuntimeError(name)\nlater = Later()\n")
    assert house.plugins()["lazy"]["state"] == "active"


def test_a_plugin_whose_own_module_is_gone_is_to_be_installed_again(house: Any) -> None:
    house.install("gone", "", entry="[drupe.plugins]\ngone = acme_gone_door\n")
    found = house.plugins()["gone"]
    assert found["reason"] == "importing it raised ModuleNotFoundError: No module named 'acme_gone_door'"
    assert found["advice"] == "pip install --force-reinstall acme-gone"


def test_the_refusal_of_a_plugin_says_what_to_upgrade(house: Any) -> None:
    house.install("old", 'DRUPE_API = "0.9"', distribution="acme-old-store")
    house.install("new", 'DRUPE_API = "1.1"')
    found = house.plugins()
    assert found["old"]["advice"] == "pip install --upgrade acme-old-store"
    assert found["new"]["advice"] == "pip install --upgrade drupe-kernel"


def test_a_plugin_that_needs_something_newer_of_drupe_says_so(house: Any) -> None:
    house.install("eager", "from drupe.extend import Telepathy")
    assert house.plugins()["eager"]["advice"] == "pip install --upgrade drupe-kernel"


def test_the_report_names_the_line_that_raised(house: Any) -> None:
    module = house.install("faulty", "x = 1\n\nraise ValueError(x)\n")
    assert house.plugins()["faulty"]["raised_at"].endswith(f"{module}/__init__.py:3")


def test_an_interrupt_of_the_user_is_not_taken_for_a_fault(house: Any) -> None:
    house.install("slow", "raise KeyboardInterrupt")
    done = house.run("-c", "from drupe.loading import catalog\ntry: catalog()\nexcept KeyboardInterrupt: print('stopped')")
    assert done.out == "stopped\n"


def test_the_command_line_ends_quietly_when_it_is_interrupted(house: Any) -> None:
    house.install("slow", "raise KeyboardInterrupt")
    done = house.drupe("plugins")
    assert done.code == 130
    assert "Traceback" not in done.err


def test_an_offer_whose_library_is_missing_says_so_and_the_plugin_stays_active(house: Any) -> None:
    house.install(
        "needy",
        HEAD + "@hookimpl\ndef drupe_artifact_repos(): return [Offer('sftp', load='a:b', requires=('acme-ssh=acme_ssh', 'acme_x'))]\n",
    )
    found = house.plugins()["needy"]
    assert (found["state"], found["offers"][0]["state"]) == ("active", "needs acme-ssh, acme_x")
    done = house.run(
        "-c",
        """
from drupe.errors import MissingRequirement
from drupe.loading import catalog
try:
    catalog().find("drupe_artifact_repos", "sftp")
except MissingRequirement as fault:
    print(fault.message)
""",
    )
    assert done.out == (
        "artifact repository 'sftp' of needy needs acme-ssh and acme_x, which are not installed: pip install acme-ssh acme_x\n"
    ), done.err


def test_of_two_plugins_with_one_name_one_is_refused_and_a_stranger_never_takes_over_a_built_in(house: Any) -> None:
    house.install("store-local", distribution="aaa-impostor")
    house.install("twin", distribution="acme-one")
    house.install("twin", distribution="acme-two")
    listed = house.drupe("plugins", "--json").json()
    states = {(plugin["name"], plugin["distribution"]): (plugin["state"], plugin["reason"]) for plugin in listed}
    assert states["store-local", "drupe-store-local"] == ("active", "")
    assert states["store-local", "aaa-impostor"] == ("refused", "the name 'store-local' is taken by drupe-store-local")
    assert states["twin", "acme-one"] == ("active", "")
    assert states["twin", "acme-two"] == ("refused", "the name 'twin' is taken by acme-one")


def test_an_entry_point_that_is_no_module_is_reported(house: Any) -> None:
    house.install("odd", entry="[drupe.plugins]\nodd = acme_odd:plugin\n")
    assert house.plugins()["odd"]["reason"] == (
        "its entry point names 'acme_odd:plugin'; a front door is a module, as in drupe.plugins: name = package.module"
    )


@pytest.mark.parametrize("entry", ["[drupe.plugins\nx y z\n\x00", "[drupe.plugins]\nthis line has no sign\n= \n", ""])
def test_garbage_for_entry_points_stops_nobody_else(house: Any, entry: str) -> None:
    house.install("garbled", entry=entry or "\n")
    house.install("sound")
    assert house.plugins()["sound"]["state"] == "active"


def test_a_failed_registration_leaves_nothing_behind(house: Any) -> None:
    house.install(
        "faulty",
        HEAD
        + """
@hookimpl
def drupe_event(event): raise SystemExit("still here")

@hookimpl
def drupe_run_tags(context): return {"still": "here"}

@hookimpl
def drupe_tracking_stores(): raise ValueError
""",
    )
    done = house.run(
        "-c",
        "from drupe.loading import catalog\nc = catalog()\nc.notify(None)\nprint(c.collect('drupe_run_tags', context=None), c.implementers('drupe_event'))",
    )
    assert (done.out, done.err) == ("[] []\n", "")
