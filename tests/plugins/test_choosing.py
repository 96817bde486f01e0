"""Which plugin serves what: keys, conflicts and the setting that decides, missing ones, enabling and disabling, upgrades."""

from __future__ import annotations

from typing import Any

import pytest

HEAD = 'from drupe.extend import Offer, hookimpl\nDRUPE_API = "1.0"\n'
FIND = """
import sys
from drupe.errors import DrupeError
from drupe.loading import catalog, known
try:
    known._PROVIDERS["drupe_model_flavors"]["quantum"] = "flavor-quantum"  # one of ours that is not installed
    print(catalog().find(*sys.argv[1:]).plugin)
except DrupeError as fault:
    print(fault)
"""


def find(house: Any, hook: str, key: str, **environ: str) -> str:
    done = house.run("-c", FIND, hook, key, **environ)
    assert done.code == 0, done.err
    return str(done.out.strip())


def test_a_missing_provider_is_named_with_the_command_that_installs_it(house: Any) -> None:
    assert find(house, "drupe_model_flavors", "quantum", DRUPE_PLUGINS="flavor-python,flavor-sklearn") == (
        "no model flavor for name 'quantum'; installed: python_function, sklearn. flavor-quantum provides it: pip install drupe-flavor-quantum (DRP-0501)"
    )


def test_a_typo_gets_the_nearest_key(house: Any) -> None:
    found = find(house, "drupe_model_flavors", "sklern")
    assert found.startswith("no model flavor for name 'sklern'; installed: ")
    assert found.endswith("; did you mean 'sklearn'? (DRP-0501)")


def test_two_claims_to_one_key_are_an_error_that_names_both_and_the_setting_that_decides(house: Any) -> None:
    offer = HEAD + "@hookimpl\ndef drupe_artifact_repos(): return [Offer('gcs', load='a:b')]\n"
    house.install("store-gcs", offer)
    house.install("fast-gcs", offer)
    assert {name: plugin["offers"][0]["state"] for name, plugin in house.plugins().items() if "gcs" in name} == {
        "fast-gcs": "conflict",
        "store-gcs": "conflict",
    }
    assert find(house, "drupe_artifact_repos", "gcs") == (
        "fast-gcs and store-gcs each offer an artifact repository for scheme 'gcs'; decide in drupe.toml: "
        '[plugins.prefer] "drupe_artifact_repos.gcs" = "fast-gcs", or drupe plugins disable one of them (DRP-0502)'
    )
    assert find(house, "drupe_artifact_repos", "file") == "store-local"
    (house.work / "drupe.toml").write_text('[plugins.prefer]\ndrupe_artifact_repos.gcs = "store-other"\n')
    assert "now it names 'store-other', which is none of them" in find(house, "drupe_artifact_repos", "gcs")
    (house.work / "drupe.toml").write_text('[plugins.prefer]\ndrupe_artifact_repos.gcs = "store-gcs"\n')
    assert find(house, "drupe_artifact_repos", "gcs") == "store-gcs"
    assert house.plugins()["store-gcs"]["offers"][0]["state"] == "ready"


def test_disabling_one_of_two_settles_a_conflict(house: Any) -> None:
    offer = HEAD + "@hookimpl\ndef drupe_artifact_repos(): return [Offer('gcs', load='a:b')]\n"
    house.install("store-gcs", offer)
    house.install("fast-gcs", offer)
    assert house.drupe("plugins", "disable", "fast-gcs").code == 0
    assert find(house, "drupe_artifact_repos", "gcs") == "store-gcs"


def test_disable_and_enable_write_drupe_toml_and_keep_its_comments(house: Any) -> None:
    house.install("sound")
    (house.work / "drupe.toml").write_text('# ours\nexperiment_name = "churn"  # for now\n')
    done = house.drupe("plugins", "disable", "sound")
    assert done.err.splitlines()[-1] == f"sound is disabled: {house.work / 'drupe.toml'} names it"
    assert house.plugins()["sound"]["state"] == "disabled"
    assert house.drupe("plugins", "enable", "sound").code == 0
    assert house.plugins()["sound"]["state"] == "active"
    assert (house.work / "drupe.toml").read_text().startswith('# ours\nexperiment_name = "churn"  # for now\n')


def test_a_disabled_plugin_is_not_imported(house: Any) -> None:
    house.install("loud", "print('imported')")
    assert "imported" in house.drupe("plugins").err
    assert "imported" not in house.drupe("plugins", DRUPE_DISABLE_PLUGINS="loud").err


def test_the_allow_list_of_the_environment_disables_all_others(house: Any) -> None:
    house.install("sound")
    states = {name: plugin["state"] for name, plugin in house.plugins(DRUPE_PLUGINS="sound, store-sqlite").items()}
    assert states == {
        "deploy-docker": "disabled",
        "env-uv": "disabled",
        "evaluator-default": "disabled",
        "flavor-lightgbm": "disabled",
        "flavor-onnx": "disabled",
        "flavor-python": "disabled",
        "flavor-pytorch": "disabled",
        "flavor-sklearn": "disabled",
        "flavor-statsmodels": "disabled",
        "flavor-xgboost": "disabled",
        "import-mlflow": "disabled",
        "server-rest": "disabled",
        "serving": "disabled",
        "signer-openssf": "disabled",
        "source-files": "disabled",
        "source-http": "disabled",
        "sound": "active",
        "store-http": "disabled",
        "store-local": "disabled",
        "store-postgres": "disabled",
        "store-s3": "disabled",
        "store-sqlite": "active",
        "system-metrics": "disabled",
        "ui-web": "disabled",
        "viewer-safetensors": "disabled",
    }
    assert house.plugins(DRUPE_PLUGINS="")["sound"]["reason"] == "DRUPE_PLUGINS does not name it"


def test_what_the_environment_disables_cannot_be_enabled_in_a_file(house: Any) -> None:
    done = house.drupe("plugins", "enable", "store-local", DRUPE_DISABLE_PLUGINS="store-local")
    assert done.code == 1
    assert "DRUPE_DISABLE_PLUGINS, which goes before drupe.toml" in done.err


def test_needing_a_disabled_plugin_says_how_to_enable_it(house: Any) -> None:
    assert find(house, "drupe_artifact_repos", "file", DRUPE_DISABLE_PLUGINS="store-local") == (
        "store-local serves scheme 'file' but is disabled: DRUPE_DISABLE_PLUGINS names it; try: drupe plugins enable store-local (DRP-0504)"
    )


def test_an_unknown_plugin_cannot_be_disabled_and_gets_the_nearest_name(house: Any) -> None:
    done = house.drupe("plugins", "disable", "store-sqlit")
    assert (done.code, done.err) == (3, "drupe: no plugin 'store-sqlit' is installed; did you mean 'store-sqlite'? (DRP-0501)\n")


def test_installing_upgrading_and_uninstalling_are_seen_at_the_next_start(house: Any) -> None:
    assert "sound" not in house.plugins()
    house.install("sound", version="1.0")
    assert house.plugins()["sound"]["version"] == "1.0"
    house.uninstall("acme-sound")
    house.install("sound", version="2.0")
    assert house.plugins()["sound"]["version"] == "2.0"
    house.uninstall("acme-sound")
    assert "sound" not in house.plugins()


def test_the_implementation_is_imported_when_it_is_opened_and_not_before(house: Any) -> None:
    house.install("sound")
    done = house.run(
        "-c",
        """
import sys
from drupe.loading import catalog
from drupe.uris import Uri
catalog()
print("acme_sound.repo" in sys.modules)
repo = catalog().open("drupe_artifact_repos", Uri.parse("sound://host/place"))
print("acme_sound.repo" in sys.modules, repo.root, repo.settings)
""",
    )
    assert done.out == "False\nTrue sound://host/place None\n", done.err


def test_the_options_of_a_plugin_come_from_arguments_then_the_address_then_environment_then_file(house: Any) -> None:
    house.install(
        "tuned",
        HEAD
        + "@hookimpl\ndef drupe_artifact_repos():\n    return [Offer('tuned', load='acme_sound.repo:Repo', settings='acme_tuned.options:Options')]\n",
        files={
            "options.py": """
                from attrs import frozen

                @frozen
                class Options:
                    a: int = 0
                    b: int = 0
                    c: int = 0
                    d: int = 0
                    e: int = 0
            """
        },
    )
    house.install("sound")
    (house.work / "drupe.toml").write_text("[plugins.tuned]\na = 1\nb = 1\nc = 1\nd = 1\n")
    done = house.run(
        "-c",
        """
from drupe.errors import InvalidSettings
from drupe.loading import catalog
from drupe.uris import Uri
uri = Uri.parse("tuned://h/?a=3&b=3", query=True)
print(catalog().open("drupe_artifact_repos", uri, a=4).settings)
try:
    catalog().open("drupe_artifact_repos", Uri.parse("tuned://h/?aa=3", query=True), f=1)
except InvalidSettings as fault:
    print(fault.message)
""",
        DRUPE_TUNED__A="2",
        DRUPE_TUNED__B="2",
        DRUPE_TUNED__C="2",
    )
    assert done.out.splitlines() == [
        "Options(a=4, b=3, c=2, d=1, e=0)",
        "the argument 'f' is no option of tuned; it takes a, b, c, d, e; 'aa' in the address is no option of tuned; did you mean 'a'?",
    ], done.err


@pytest.mark.parametrize(
    ("load", "reason"),
    [
        ("acme_off.missing:Repo", "acme_off.missing:Repo cannot be imported: ModuleNotFoundError: No module named 'acme_off.missing'"),
        ("acme_off:Nothing", "acme_off:Nothing cannot be imported: AttributeError: module 'acme_off' has no attribute 'Nothing'"),
        ("acme_off.leave:Repo", "acme_off.leave:Repo cannot be imported: SystemExit: 5"),
        ("acme_off:Plain", "acme_off:Plain is no subclass of drupe.extend.ArtifactRepo"),
        ("acme_off.part:Half", "acme_off.part:Half lacks delete, get_file, is_file, list and put_file"),
    ],
)
def test_an_offer_that_does_not_keep_its_contract_is_refused_when_it_is_used(house: Any, load: str, reason: str) -> None:
    front = HEAD + f"class Plain: ...\n@hookimpl\ndef drupe_artifact_repos(): return [Offer('off', load='{load}')]\n"
    half = "from drupe.extend import ArtifactRepo\nclass Half(ArtifactRepo):\n    @classmethod\n    def open(cls, uri, settings=None): return cls()\n"
    house.install("off", front, files={"leave.py": "raise SystemExit(5)", "part.py": half})
    code = FIND.replace("find(*sys.argv[1:]).plugin", "load(*sys.argv[1:])")
    assert house.run("-c", code, "drupe_artifact_repos", "off").out == (
        f"artifact repository 'off' of off cannot be used: {reason}; see: drupe plugins check off (DRP-0504)\n"
    )
    assert house.drupe("plugins", "check", "off").code == 3
