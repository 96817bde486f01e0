"""Hooks that are called when something happens: faults are said once, and the user's code never sees them."""

from __future__ import annotations

from typing import Any

HEAD = 'from drupe.extend import Offer, hookimpl\nDRUPE_API = "1.0"\n'


def test_a_raising_observer_is_one_warning_and_the_others_are_told(house: Any) -> None:
    house.install("angry", HEAD + "@hookimpl\ndef drupe_event(event): raise SystemExit('no')\n")
    house.install("calm", HEAD + "@hookimpl\ndef drupe_event(event): print('told', event)\n")
    done = house.run(
        "-c", "from drupe.loading import catalog\nfor n in range(3): catalog().notify(n)\nprint(len(catalog().plugin('angry').reports))"
    )
    assert done.out == "told 0\ntold 1\ntold 2\n3\n"
    assert done.err == "drupe_event of plugin angry raised SystemExit: no (said once; see: drupe plugins show angry)\n"


def test_rubbish_from_one_plugin_is_left_out_of_the_tags(house: Any) -> None:
    house.install("bad", HEAD + "@hookimpl\ndef drupe_run_tags(context): return {'n': 3}\n")
    house.install("good", HEAD + "@hookimpl\ndef drupe_run_tags(): return {'team': 'fruit'}\n")
    house.install("silent", HEAD + "@hookimpl\ndef drupe_run_tags(context): return None\n")
    done = house.run("-c", "from drupe.loading import catalog\nprint(catalog().collect('drupe_run_tags', context=None))")
    assert done.out == "[('good', {'team': 'fruit'})]\n"
    assert "drupe_run_tags of plugin bad must return a mapping of texts to texts, returned {'n': 3}" in done.err


def test_the_first_answer_wins_and_a_raising_plugin_is_passed_over(house: Any) -> None:
    house.install("a", HEAD + "@hookimpl\ndef drupe_flavor_for(model): raise ValueError\n")
    house.install("b", HEAD + "@hookimpl\ndef drupe_flavor_for(model): return None\n")
    house.install("c", HEAD + "@hookimpl\ndef drupe_flavor_for(model): return 'sklearn'\n")
    house.install("d", HEAD + "@hookimpl\ndef drupe_flavor_for(model): raise AssertionError('never asked')\n")
    done = house.run("-c", "from drupe.loading import catalog\nprint(catalog().flavor_for(3).offer.name, catalog().plugin('d').reports)")
    assert done.out == "sklearn []\n"


def test_hooks_are_called_in_the_order_of_names_unless_they_ask_to_be_first_or_last(house: Any) -> None:
    for name, how in {"m": "", "b": "(trylast=True)", "z": "(tryfirst=True)", "c": ""}.items():
        house.install(name, HEAD + f"@hookimpl{how}\ndef drupe_run_tags(context): return {{'from': '{name}'}}\n")
    done = house.run("-c", "from drupe.loading import catalog\nprint([p for p, _ in catalog().collect('drupe_run_tags', context=None)])")
    assert done.out == "['z', 'c', 'm', 'b']\n"


def test_a_plugin_can_add_hooks_that_others_implement_whatever_their_names(house: Any) -> None:
    adder = HEAD + "@hookimpl\ndef drupe_add_hookspecs(manager):\n    from . import specs\n    manager.add_hookspecs(specs)\n"
    specs = "from drupe.extend import hookspec\n@hookspec\ndef acme_themes():\n    '''Offer themes.'''\n"
    house.install("middle", adder, files={"specs.py": specs})
    house.install("before", HEAD + "@hookimpl(specname='acme_themes')\ndef ours(): return [Offer('dark', load='a:b')]\n")
    house.install("wrong", HEAD + "@hookimpl\ndef acme_themes(colour): return []\n")
    found = house.plugins()
    assert [found[name]["state"] for name in ("middle", "before", "wrong")] == ["active", "active", "broken"]
    assert found["before"]["offers"][0]["hook"] == "acme_themes"
    hooks = {hook["name"]: hook for hook in house.drupe("plugins", "hooks", "--json").json()}
    assert hooks["acme_themes"] == {"name": "acme_themes", "kind": "offers", "arguments": [], "doc": "Offer themes.", "plugins": ["before"]}


def test_a_plugin_is_given_the_settings_once(house: Any) -> None:
    house.install("level", HEAD + "@hookimpl\ndef drupe_configure(settings): print(settings.get('plugins.level.depth'))\n")
    (house.work / "drupe.toml").write_text("[plugins.level]\ndepth = 7\n")
    assert house.run("-c", "from drupe.loading import catalog\ncatalog(), catalog()").err == "7\n"


def test_strict_settings_turn_faults_into_errors(house: Any) -> None:
    house.install("angry", HEAD + "@hookimpl\ndef drupe_event(event): raise ValueError('no')\n")
    code = "from drupe.loading import catalog\ntry: catalog().notify(1)\nexcept Exception as e: print(e)"
    assert house.run("-c", code, DRUPE_STRICT_PLUGINS="1").out == "drupe_event of plugin angry raised ValueError: no (DRP-0504)\n"
    house.install("faulty", "raise OSError('gone')")
    done = house.drupe("plugins", DRUPE_STRICT_PLUGINS="1")
    assert (done.code, done.err) == (
        3,
        "drupe: plugin faulty is broken: importing it raised OSError: gone; DRUPE_STRICT_PLUGINS makes that an error at once (DRP-0504)\n",
    )


def test_tracing_prints_every_call_with_its_time(house: Any) -> None:
    house.install("sound")
    done = house.drupe("plugins", DRUPE_TRACE_PLUGINS="1")
    lines = [line.split() for line in done.err.splitlines()]
    assert [(line[3], line[4], line[5]) for line in lines if line[3] == "sound"] == [
        ("sound", "import", "ok"),
        ("sound", "drupe_artifact_repos", "ok"),
    ]
    assert all(line[0] == "drupe:" and float(line[1]) >= 0 and line[2] == "ms" for line in lines)


def test_the_calls_of_one_command_can_be_traced(house: Any) -> None:
    house.install("sound")
    live = house.drupe("plugins", "trace", "plugins", "list", "--json")
    assert "sound  drupe_artifact_repos  ok" in live.err
    assert '"name": "sound"' in live.out
    assert ("sound", "import", "ok") in {
        (call["plugin"], call["hook"], call["outcome"]) for call in house.drupe("plugins", "trace", "--json").json()
    }


def test_plugins_are_imported_in_the_order_of_their_names(house: Any) -> None:
    for name in ("zeta", "alpha", "mid"):
        house.install(name)
    calls = house.drupe("plugins", "trace", "--json").json()
    imported = [call["plugin"] for call in calls if call["hook"] == "import"]
    assert imported == sorted(imported)
    assert {"alpha", "mid", "zeta"} < set(imported)
