"""Whose models load: one's own in any later process, a team's by its server's word, strangers' by none."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import drupe
from drupe.artifacts.manifest import read_manifest
from drupe.errors import ArtifactCorrupt, InvalidSettings, InvalidValue, UntrustedModel
from drupe.models import policy, trusted, vouching
from drupe.models.gate import admit, allow, vouched_by
from drupe.models.opening import admit_uri
from drupe.models.trusted import find_known, forget, known_digests, remember


def _made_here() -> Any:
    def double(model_input: Any) -> Any:  # inside a function, so that it is pickled whole
        return model_input["a"] * 2

    return double


double = _made_here()


@pytest.fixture
def own(tmp_path: Path) -> Path:
    drupe.pyfunc.save_model(tmp_path / "own", python_model=double)
    return tmp_path / "own"


@pytest.fixture
def strange(own: Path) -> Path:
    """The same folder, as it is for somebody who has not made it."""
    forget(admit(own).digest)
    return own


# --- one's own


def test_what_was_saved_or_logged_loads_in_a_later_process_wherever_it_lies(own: Path, tmp_path: Path) -> None:
    with drupe.start_run() as run:
        info = drupe.pyfunc.log_model("m", python_model=double, registered_model_name="doubler")
    shutil.copytree(own, tmp_path / "copied")
    addresses = [str(own), str(tmp_path / "copied"), info.model_uri, f"runs:/{run.info.run_id}/m", "models:/doubler/1"]
    script = "import drupe, sys\nprint([drupe.load_model(uri).predict({'a': 21}) for uri in sys.argv[1:]])"
    done = subprocess.run([sys.executable, "-c", script, *addresses], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "[42, 42, 42, 42, 42]"


def test_one_byte_more_and_it_is_no_longer_ones_own(own: Path) -> None:
    (own / "manifest.json").unlink()
    assert drupe.load_model(own).predict({"a": 1}) == 2
    with (own / "requirements.txt").open("a") as file:
        file.write("#")
    with pytest.raises(UntrustedModel):
        drupe.load_model(own)


@pytest.mark.parametrize("name", ["MLmodel", "python_model.pkl", "manifest.json"])
def test_what_was_kept_of_an_earlier_load_lets_no_exchanged_file_pass(own: Path, name: str) -> None:
    assert drupe.load_model(own).predict({"a": 1}) == 2
    file = own / name
    before, content = file.stat(), file.read_bytes()
    place = content.rindex(b"2") if b"2" in content else content.rindex(b"e")
    other = content[:place] + (b"1" if content[place:][:1] != b"1" else b"0") + content[place + 1 :]
    with file.open("r+b") as stream:  # the same inode, size and time
        stream.write(other)
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))
    for _ in range(2):
        with pytest.raises(ArtifactCorrupt):
            drupe.load_model(own)
    file.write_bytes(content)
    assert drupe.load_model(own).predict({"a": 1}) == 2


def test_an_exchange_of_model_and_manifest_together_is_a_strangers_model(own: Path, tmp_path: Path) -> None:
    assert drupe.load_model(own).predict({"a": 1}) == 2
    drupe.pyfunc.save_model(tmp_path / "other", python_model=lambda model_input: 0, pip_requirements=["cloudpickle"])
    forget(admit(tmp_path / "other").digest)
    for file in (tmp_path / "other").iterdir():
        shutil.copyfile(file, own / file.name)
    for _ in range(2):
        with pytest.raises(UntrustedModel):
            drupe.load_model(own)


def test_what_is_noted_can_be_read_by_its_user_alone(own: Path, tmp_path: Path) -> None:
    digest = admit(own).digest
    (file,) = (tmp_path / "state" / "drupe" / "trust" / "models").glob("??/*.json")
    assert file.stem == digest
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert {stat.S_IMODE(folder.stat().st_mode) for folder in list(file.parents)[:3]} == {0o700}
    known = find_known(digest)
    assert known is not None
    assert (known.why, known.what) == ("made", str(own))
    assert [one.digest for one in known_digests()] == [digest]


def test_notes_that_others_can_write_are_not_believed(own: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "state" / "drupe" / "trust").chmod(0o777)
    with pytest.raises(UntrustedModel):
        drupe.load_model(own)
    assert "can be written by others" in caplog.text


@pytest.mark.skipif(os.name != "posix", reason="permissions of POSIX")
def test_saving_works_where_nothing_can_be_noted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "file"))
    trusted._warned.clear()
    drupe.pyfunc.save_model(tmp_path / "m", python_model=double)
    assert "will not be known again as your own" in caplog.text
    with pytest.raises(UntrustedModel):
        drupe.load_model(tmp_path / "m")


def test_only_digests_are_noted() -> None:
    with pytest.raises(InvalidValue, match="is no digest of a model"):
        remember("../../x", why="made", what="x")


# --- for one call


def test_trust_for_one_call_is_for_one_call(strange: Path) -> None:
    assert drupe.load_model(strange, trust=True).predict({"a": 1}) == 2
    assert drupe.pyfunc.load_model(strange, trust=True).predict({"a": 1}) == 2
    with pytest.raises(UntrustedModel, match=r"python_model.pkl.*load_model\(…, trust=True\)"):
        drupe.load_model(strange)


def test_a_digest_lets_exactly_these_files_load(strange: Path) -> None:
    manifest = read_manifest(strange)
    assert manifest is not None
    assert drupe.load_model(strange, trust=f"sha256:{manifest.digest}").predict({"a": 1}) == 2
    with pytest.raises(UntrustedModel, match="is not the one that is asked for"):
        drupe.load_model(strange, trust="0" * 64)
    with pytest.raises(InvalidValue, match="trust is True, False or the digest"):
        drupe.load_model(strange, trust=1)  # type: ignore[arg-type]


# --- settings


@pytest.mark.parametrize(("value", "loads"), [("nobody", False), ("own", True), ("stores", True), ("everybody", True)])
def test_the_setting_says_whether_ones_own_load(own: Path, monkeypatch: pytest.MonkeyPatch, value: str, loads: bool) -> None:
    monkeypatch.setenv("DRUPE_MODELS_TRUST", value)
    assert (vouched_by(admit(own)) is not None) == loads


def test_nobody_means_nobody(own: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DRUPE_MODELS_TRUST", "nobody")
    with pytest.raises(UntrustedModel, match=r"models\.trust is nobody"):
        drupe.load_model(own, trust=True)


@pytest.mark.parametrize(("switch", "meaning"), [("true", "everybody"), ("1", "everybody"), ("false", "nobody"), ("", "servers")])
def test_mlflows_switch_is_honoured_where_the_setting_is_not_made(monkeypatch: pytest.MonkeyPatch, switch: str, meaning: str) -> None:
    monkeypatch.setenv("MLFLOW_ALLOW_PICKLE_DESERIALIZATION", switch)
    assert policy.trust() == meaning
    monkeypatch.setenv("DRUPE_MODELS_TRUST", "own")
    assert policy.trust() == "own"


def test_an_unknown_word_is_refused_with_those_that_are_known(own: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DRUPE_MODELS_TRUST", "all")
    with pytest.raises(InvalidSettings, match="must be one of nobody, own, servers, stores, everybody"):
        drupe.load_model(own)


def test_a_projects_file_cannot_trust_for_its_reader(workspace: Path) -> None:
    (workspace / "drupe.toml").write_text('[models]\ntrust = "everybody"\n')
    drupe.settings.reset()
    with pytest.raises(InvalidSettings, match=r"models\.trust may not stand in a project's file"):
        policy.trust()


def test_ones_own_file_can(strange: Path, tmp_path: Path) -> None:
    (tmp_path / "config" / "drupe").mkdir(parents=True)
    (tmp_path / "config" / "drupe" / "drupe.toml").write_text(f'[models]\ntrusted_sources = ["{strange.parent}"]\n')
    drupe.settings.reset()
    assert vouched_by(admit(strange)) == f"models.trusted_sources has {strange.parent}"
    beside = strange.parent.with_name(strange.parent.name + "-2")
    shutil.copytree(strange.parent, beside)
    assert vouched_by(admit(beside / "own")) is None


# --- stores


def logged(name: str) -> tuple[str, str]:
    with drupe.start_run():
        info = drupe.pyfunc.log_model("m", python_model=double, registered_model_name=name)
    digest = admit_uri(info.model_uri).digest
    forget(digest)  # somebody else's, then
    return info.model_uri, digest


def test_a_store_in_a_file_counts_only_when_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    uri, _ = logged("doubler")
    with pytest.raises(UntrustedModel, match=r"models\.trusted_sources sqlite:"):
        drupe.load_model(uri)
    monkeypatch.setenv("DRUPE_MODELS_TRUST", "stores")
    for address in (uri, "models:/doubler/1", "models:/doubler/latest"):
        assert drupe.load_model(address).predict({"a": 2}) == 4
    monkeypatch.setenv("DRUPE_MODELS_TRUST", "servers")
    monkeypatch.setenv("DRUPE_MODELS_TRUSTED_SOURCES", drupe.get_tracking_uri())
    assert drupe.load_model("models:/doubler/1").predict({"a": 2}) == 4


def test_files_that_were_changed_behind_the_stores_back_are_refused_even_when_all_is_trusted(monkeypatch: pytest.MonkeyPatch) -> None:
    uri, digest = logged("doubler")
    folder = admit_uri(uri).folder
    (folder / "requirements.txt").write_text("evil\n")
    (folder / "manifest.json").unlink()
    monkeypatch.setenv("DRUPE_MODELS_TRUST", "everybody")
    for address in (uri, "models:/doubler/1"):
        with pytest.raises(ArtifactCorrupt, match=f"is not what was logged.*{digest[:16]}"):
            drupe.load_model(address, trust=True)


def test_the_word_of_a_server_counts_when_its_user_named_it_or_logs_to_it(
    strange: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    server = "http://team.example:5000"

    def is_allowed() -> bool:
        admitted = admit(strange)
        origin = type(admitted.origin)("models:/x/1", "", (vouching.Word(server, "version 1 of x", admitted.digest),))
        try:
            allow(type(admitted)(admitted.folder, admitted.model, admitted.manifest, admitted.found, origin))
        except UntrustedModel:
            return False
        return True

    assert not is_allowed()  # a server that is not in use says so
    Path("drupe.toml").write_text(f'tracking_uri = "{server}"\n')
    drupe.settings.reset()
    assert not is_allowed()  # only the project names it
    trusted.remember_store(server)
    assert is_allowed()  # but this user logs to it
    shutil.rmtree(tmp_path / "state")
    assert not is_allowed()
    monkeypatch.setenv("DRUPE_TRACKING_URI", server)
    assert is_allowed()
    monkeypatch.delenv("DRUPE_TRACKING_URI")
    drupe.set_tracking_uri(server + "/")
    assert not is_allowed()  # another address
    monkeypatch.setenv("DRUPE_TRACKING_URI", server)
    drupe.set_tracking_uri("")
    monkeypatch.setenv("DRUPE_MODELS_TRUST", "own")
    assert not is_allowed()
