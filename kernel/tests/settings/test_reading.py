"""Settings: which source wins, what is refused and in which words, and that secrets stay hidden."""

from __future__ import annotations

import os
from enum import Enum
from pathlib import Path
from typing import Any, Literal

import pytest
from attrs import field, frozen, validators

from drupe.errors import InvalidSettings
from drupe.settings import KEYS, Setting, Settings, project_file, shown, user_file


class Mode(Enum):
    FAST = "fast"
    SAFE = "safe"


@frozen
class Options:
    timeout_s: float = 1.0
    retries: int = field(default=3, validator=validators.ge(0))
    is_eager: bool = False
    root: Path | None = None
    mode: Mode = Mode.SAFE
    level: Literal["low", "high"] = "low"
    hosts: tuple[str, ...] = ()
    headers: dict[str, str] = field(factory=dict)
    token: str = field(default="", metadata={"environment": ("MLFLOW_TRACKING_TOKEN",)})


@pytest.fixture
def place(tmp_path: Path) -> Path:
    (tmp_path / "project" / "deep").mkdir(parents=True)
    (tmp_path / "home" / ".config" / "drupe").mkdir(parents=True)
    return tmp_path


def read(place: Path, *, project: str = "", user: str = "", **environ: str) -> Settings:
    (place / "project" / "drupe.toml").write_text(project)
    (place / "home" / ".config" / "drupe" / "drupe.toml").write_text(user)
    return Settings.read(place / "project" / "deep", {"HOME": str(place / "home"), **environ})


def test_the_environment_goes_before_the_project_the_project_before_the_user_and_all_before_the_default(place: Path) -> None:
    project, user = 'tracking_uri = "p"\nregistry_uri = "p"', 'tracking_uri = "u"\nregistry_uri = "u"\nrun_name = "u"'
    found = read(place, project=project, user=user, DRUPE_TRACKING_URI="e")
    assert [found.value(key) for key in ("tracking_uri", "registry_uri", "run_name", "progress")] == [
        Setting("tracking_uri", "e", "DRUPE_TRACKING_URI"),
        Setting("registry_uri", "p", str(place / "project" / "drupe.toml")),
        Setting("run_name", "u", str(place / "home" / ".config" / "drupe" / "drupe.toml")),
        Setting("progress", True, "default"),
    ]


def test_a_drupe_variable_goes_before_its_mlflow_twin(place: Path) -> None:
    assert read(place, MLFLOW_RUN_ID="m").value("run_id") == Setting("run_id", "m", "MLFLOW_RUN_ID")
    assert read(place, MLFLOW_RUN_ID="m", DRUPE_RUN_ID="d").get("run_id") == "d"


def test_an_empty_variable_counts_as_not_set_but_for_lists_of_names(place: Path) -> None:
    found = read(place, project='run_id = "f"\n[plugins]\nonly = ["a"]', DRUPE_RUN_ID="", DRUPE_PLUGINS="")
    assert (found.get("run_id"), found.get("plugins.only")) == ("f", ())


def test_the_environment_is_looked_at_whenever_a_value_is_asked_for(monkeypatch: pytest.MonkeyPatch, place: Path) -> None:
    found = Settings.read(place)
    monkeypatch.setenv("DRUPE_RUN_NAME", "later")
    assert found.get("run_name") == "later"


def test_a_default_of_the_caller_stands_in_for_what_nobody_set(place: Path) -> None:
    found = read(place)
    assert (found.get("tracking_uri", "fallback"), found.get("capture_environment", False)) == ("fallback", True)


def test_an_unknown_key_in_the_program_is_refused_with_the_nearest(place: Path) -> None:
    with pytest.raises(InvalidSettings, match=r"there is no setting 'tracking_ur'; did you mean 'tracking_uri'\?"):
        read(place).get("tracking_ur")


def test_all_faults_of_all_files_are_told_at_once(place: Path) -> None:
    with pytest.raises(InvalidSettings) as raised:
        read(
            place,
            project='tracking_url = "x"\nprogress = "yes"\n[plugins]\ndisabeld = 3\nonly = 1\n[plugins.prefer]\nx = 1',
            user="not toml",
        )
    project, user = place / "project" / "drupe.toml", place / "home" / ".config" / "drupe" / "drupe.toml"
    assert raised.value.details["faults"] == [
        f"{project}: there is no setting 'tracking_url'; did you mean 'tracking_uri'?",
        f"{project}: progress must be true or false, not 'yes'",
        f"{project}: plugins.disabeld must be a table of options; did you mean plugins.disabled?",
        f"{project}: plugins.only must be a list of texts, not 1",
        f"{project}: plugins.prefer.x must name a plugin, not 1",
        f"{user} cannot be read: Expected '=' after a key in a key/value pair (at line 1, column 5)",
    ]


@pytest.mark.parametrize(
    ("variable", "text", "fault"),
    [
        ("DRUPE_PROGRESS", "perhaps", "DRUPE_PROGRESS must be 1/true/yes/on or 0/false/no/off, not 'perhaps'"),
        ("DRUPE_ARTIFACT_WORKERS", "many", "DRUPE_ARTIFACT_WORKERS must be a whole number, not 'many'"),
    ],
)
def test_a_bad_variable_is_named(place: Path, variable: str, text: str, fault: str) -> None:
    with pytest.raises(InvalidSettings) as raised:
        list(read(place, **{variable: text}))
    assert raised.value.message == fault


def test_who_serves_contested_keys_can_be_written_with_dots_or_quotes(place: Path) -> None:
    found = read(place, project='[plugins.prefer]\ndrupe_artifact_repos.s3 = "a"\n"drupe_flavor_for.x.Y" = "b"')
    assert {key: setting.value for key, setting in found.prefer().items()} == {"drupe_artifact_repos.s3": "a", "drupe_flavor_for.x.Y": "b"}
    assert found.get("plugins.prefer.drupe_artifact_repos.s3") == "a"


def test_options_of_a_plugin_are_laid_over_each_other_option_by_option(place: Path) -> None:
    found = read(
        place,
        project="[plugins.store-x]\ntimeout_s = 2\nretries = 2",
        user="[plugins.store-x]\ntimeout_s = 1.5\nis_eager = true",
        DRUPE_STORE_X__RETRIES="7",
    )
    assert found.plugin("store-x", Options) == Options(timeout_s=2.0, retries=7, is_eager=True)
    assert found.plugin("store-x", Options, query={"retries": "8"}, given={"timeout_s": 9.5}) == Options(9.5, 8, is_eager=True)


def test_texts_become_the_types_of_the_fields(place: Path) -> None:
    query = {"timeout_s": "2.5", "is_eager": "on", "root": "/data", "mode": "FAST", "level": "high", "hosts": "a, b,"}
    assert read(place).plugin("x", Options, query=query) == Options(2.5, 3, True, Path("/data"), Mode.FAST, "high", ("a", "b"))


def test_values_of_a_file_keep_their_types_and_are_not_bent(place: Path) -> None:
    found = read(place, project='[plugins.x]\nhosts = ["a"]\nheaders = {k = "v"}\nmode = "fast"')
    assert found.plugin("x", Options) == Options(mode=Mode.FAST, hosts=("a",), headers={"k": "v"})
    with pytest.raises(InvalidSettings, match=r"plugins.x.retries in .*drupe.toml must be a whole number, not '3'"):
        read(place, project='[plugins.x]\nretries = "3"').plugin("x", Options)


def test_all_faults_of_options_are_told_at_once_with_their_places(place: Path) -> None:
    found = read(place, project="[plugins.x]\nretires = 1", DRUPE_X__LEVEL="medium")
    with pytest.raises(InvalidSettings) as raised:
        found.plugin("x", Options, query={"is_eager": "maybe"}, given={"colour": 1})
    assert raised.value.details["faults"] == [
        "the argument 'colour' is no option of x; it takes headers, hosts, is_eager, level, mode, retries, root, timeout_s, token",
        "'is_eager' in the address must be 1/true/yes/on or 0/false/no/off, not 'maybe'",
        "DRUPE_X__LEVEL must be one of 'low', 'high', not 'medium'",
        f"plugins.x.retires in {place / 'project' / 'drupe.toml'} is no option of x; did you mean 'retries'?",
    ]


def test_what_the_validators_of_the_class_refuse_is_a_fault_of_the_settings(place: Path) -> None:
    with pytest.raises(InvalidSettings, match=r"the options of x do not go together: 'retries' must be >= 0: -1"):
        read(place, DRUPE_X__RETRIES="-1").plugin("x", Options)


def test_an_option_can_name_variables_of_others_that_come_after_its_own(place: Path) -> None:
    assert read(place, MLFLOW_TRACKING_TOKEN="t").plugin("x", Options).token == "t"
    assert read(place, MLFLOW_TRACKING_TOKEN="t", DRUPE_X__TOKEN="own").plugin("x", Options).token == "own"


def test_the_artifact_root_fills_the_option_of_that_name_unless_the_plugin_has_its_own(place: Path) -> None:
    @frozen
    class Rooted:
        artifact_root: str | None = None

    assert read(place, MLFLOW_ARTIFACT_ROOT="/a").plugin("x", Rooted) == Rooted("/a")
    assert read(place, project='[plugins.x]\nartifact_root = "/own"', DRUPE_ARTIFACT_ROOT="/a").plugin("x", Rooted) == Rooted("/own")
    assert read(place, DRUPE_ARTIFACT_ROOT="/a").plugin("x", Options) == Options()


def test_a_secret_that_does_not_fit_is_not_repeated(place: Path) -> None:
    @frozen
    class Numbered:
        token: int = 0

    with pytest.raises(InvalidSettings) as raised:
        read(place, DRUPE_X__TOKEN="hunter2").plugin("x", Numbered)
    assert raised.value.message == "DRUPE_X__TOKEN does not fit its type"


@pytest.mark.parametrize(
    ("key", "value", "text"),
    [
        ("tracking_uri", "postgresql://me:pw@host/db", "postgresql://***@host/db"),
        ("tracking_uri", "sqlite:///a.db?password=x&mode=ro", "sqlite:///a.db?password=***&mode=ro"),
        ("tracking_uri", "postgresql://me:p@ss@host/db", "postgresql://***@host/db"),
        ("plugins.store-s3.secret_access_key", "abc", "***"),
        ("plugins.store-s3.api_key", "abc", "***"),
        ("plugins.x.headers", {"authorization": "b", "accept": "c"}, {"authorization": "***", "accept": "c"}),
        ("plugins.x.urls", ["http://a:b@c"], ["http://***@c"]),
        ("experiment_name", "monkey tokens", "monkey tokens"),
        ("capture_environment", True, True),
        ("tracking_uri", None, None),
    ],
)
def test_what_is_shown_of_a_value_holds_no_secret(key: str, value: Any, text: Any) -> None:
    assert shown(key, value) == text


def test_variables_that_mean_nothing_are_told_with_the_nearest(place: Path) -> None:
    found = read(place, DRUPE_TRACKING_URL="x", DRUPE_ZZZ="y", DRUPE_STORE_X__A="1", DRUPE_RUN_ID="z")
    assert found.unknown_variables() == {"DRUPE_TRACKING_URL": "DRUPE_TRACKING_URI", "DRUPE_ZZZ": None}


def test_the_settings_can_be_listed_with_those_of_plugins(place: Path) -> None:
    found = {setting.key: setting for setting in read(place, project="[plugins.x]\nretries = 2", DRUPE_X__LEVEL="high")}
    assert set(found) == {*KEYS, "plugins.x.retries", "plugins.x.level"}
    assert found["plugins.x.level"] == Setting("plugins.x.level", "high", "DRUPE_X__LEVEL")


def test_plugins_whose_options_stand_in_the_environment_alone_are_listed_too(place: Path) -> None:
    found = read(place, project="[plugins.my_x]\nn = 1", DRUPE_STORE_X__LEVEL="high", DRUPE_MY_X__N="2", DRUPE_RUN_ID="r")
    assert found.sections() == ["my_x", "store-x"]
    assert list(found)[-2:] == [
        Setting("plugins.my_x.n", "2", "DRUPE_MY_X__N"),
        Setting("plugins.store-x.level", "high", "DRUPE_STORE_X__LEVEL"),
    ]


def test_the_project_file_is_the_nearest_one_above(place: Path) -> None:
    (place / "drupe.toml").write_text("")
    assert project_file(place / "project" / "deep") == place / "drupe.toml"
    (place / "project" / "drupe.toml").write_text("")
    assert project_file(place / "project" / "deep") == place / "project" / "drupe.toml"


@pytest.mark.skipif(not hasattr(os, "getuid") or os.getuid() != 0, reason="only root can give files away")
def test_a_file_of_somebody_else_above_the_folder_does_not_count(place: Path) -> None:
    (place / "drupe.toml").write_text("")
    os.chown(place / "drupe.toml", 4242, 4242)
    assert project_file(place / "project") != place / "drupe.toml"
    assert project_file(place) == place / "drupe.toml"


def test_the_user_file_follows_the_desktop_convention(tmp_path: Path) -> None:
    assert user_file({"HOME": "/home/me"}) == Path("/home/me/.config/drupe/drupe.toml")
    assert user_file({"HOME": "/home/me", "XDG_CONFIG_HOME": str(tmp_path)}) == tmp_path / "drupe" / "drupe.toml"
    assert user_file({"HOME": "/home/me", "XDG_CONFIG_HOME": "relative"}) == Path("/home/me/.config/drupe/drupe.toml")
