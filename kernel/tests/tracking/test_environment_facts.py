"""What is kept of a run's environment: command and diff without secrets, machine, packages, git; and what the card says of it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from importlib.metadata import distributions
from pathlib import Path
from typing import Any

import pytest

import drupe
from drupe.cli.run_card import show_card
from drupe.cli.run_environment import environment_of, environment_rows
from drupe.tracking import capture
from drupe.tracking.command import VARIABLES, command_line, kept_variables, without_secrets
from drupe.tracking.git import git_state, uncommitted_diff, untracked_files
from drupe.tracking.machine import container_facts, gpu_facts, machine_facts
from drupe.tracking.packages import installed_packages

TOKEN = "hf_" + "aB3" * 10
KEY_BLOCK = "-----BEGIN RSA PRIVATE KEY-----\nMIIEow\nabc\n-----END RSA PRIVATE KEY-----"


# --- the command line


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("--api-key hunter2 --lr 0.1", "--api-key *** --lr 0.1"),
        ("--api_key=hunter2", "--api_key=***"),
        ("--dbPassword hunter2", "--dbPassword ***"),
        ("-password hunter2", "-password ***"),
        ("--token --verbose", "--token --verbose"),
        ("db.password=hunter2 db.user=me", "db.password=*** db.user=me"),
        ("+secrets.token=hunter2", "+secrets.token=hunter2"),
        ("AWS_SECRET_ACCESS_KEY=hunter2", "AWS_SECRET_ACCESS_KEY=***"),
        ("--data https://me:hunter2@host/x?token=hunter2", "--data https://***@host/x?token=***"),
        (f"--hub {TOKEN}", "--hub ***"),
        (f"--hub={TOKEN}", "--hub=***"),
        ("--max-tokens 512 --max_tokens=512", "--max-tokens 512 --max_tokens=512"),
        ("--tokenizer bert --author me --monkey 3", "--tokenizer bert --author me --monkey 3"),
        ("model=resnet50 optimizer.lr=0.1", "model=resnet50 optimizer.lr=0.1"),
    ],
)
def test_secrets_on_the_command_line_are_hidden_and_nothing_else(given: str, kept: str) -> None:
    if given.startswith("+"):
        given, kept = given.lstrip("+"), "secrets.token=***"
    assert " ".join(command_line(["/usr/bin/python3.11", "train.py", *given.split()])) == f"python3.11 train.py {kept}"


def test_long_command_lines_are_cut_and_say_so() -> None:
    kept = command_line(["python", "-c", "x" * 5000, *map(str, range(500))])
    assert kept[2] == "x" * 500 + "… (5000 characters)"
    assert kept[-1] == "… (503 arguments)"
    assert len(kept) == 201


def test_only_variables_that_say_where_the_program_runs_are_kept() -> None:
    environ = {"RANK": "3", "CUDA_VISIBLE_DEVICES": "0,1", "SLURM_JOB_ID": "77", "HOME": "/root", "SECRET": "x", "WORLD_SIZE": ""}
    assert kept_variables(environ) == {"CUDA_VISIBLE_DEVICES": "0,1", "RANK": "3", "SLURM_JOB_ID": "77"}
    assert len(set(VARIABLES)) == len(VARIABLES)


# --- texts


@pytest.mark.parametrize(
    "line",
    [
        '+API_KEY = "hunter2hunter2"',
        "+    'password': 'hunter2hunter2',",
        '-db_password: str = "hunter2hunter2"',
        "+export AWS_SECRET_ACCESS_KEY=hunter2hunter2",
        "+  access_token: hunter2hunter2",
        '+client = Client(secret_key="hunter2hunter2", region="eu")',
        "+url = https://me:hunter2hunter2@host/x",
        "+login('ghp_hunter2hunter2hunter2hunter2')",
    ],
)
def test_secrets_in_a_text_are_hidden(line: str) -> None:
    shown = without_secrets(f" before\n{line}\n after\n")
    assert "hunter2" not in shown
    assert "***" in shown
    assert shown.startswith(" before\n")
    assert shown.endswith("\n after\n")


@pytest.mark.parametrize(
    "line",
    [
        "+token = tokenizer.encode(text)",
        "+password = getpass()",
        "+    token=token,",
        "+def check(password: str, token: str | None = None) -> bool:",
        "+max_tokens = 4096",
        '+max_tokens = "512"',
        "+key = 'a'",
        "+for key, value in pairs:",
        '+author = "someone with a long name"',
    ],
)
def test_code_that_only_speaks_of_secrets_stays_as_it_is(line: str) -> None:
    assert without_secrets(line) == line


@pytest.mark.parametrize("part", ["x", "a=", "?a", "eyJ-", "-", " ", '"', "token=", "a:", "-----BEGIN PRIVATE KEY", "://a"])
def test_no_line_takes_long_whatever_it_holds_and_longer_ones_are_cut(part: str) -> None:
    line = part * (1_900 // len(part)) + "\n"
    assert len(without_secrets(line * 50).splitlines()) >= 50
    assert f"… ({len(part) * 100_000} characters)" in without_secrets(part * 100_000)[-60:]


def test_private_keys_are_cut_out() -> None:
    assert without_secrets(f"a\n{KEY_BLOCK}\nb") == "a\n-----BEGIN RSA PRIVATE KEY----- *** -----END RSA PRIVATE KEY-----\nb"
    assert without_secrets(f"a\n{KEY_BLOCK[:-10]}") == "a\n-----BEGIN RSA PRIVATE KEY----- *** "


# --- git


def git(folder: Path, *arguments: str) -> str:
    identity = {"GIT_AUTHOR_NAME": "a", "GIT_AUTHOR_EMAIL": "a@b", "GIT_COMMITTER_NAME": "a", "GIT_COMMITTER_EMAIL": "a@b"}
    environ = {**os.environ, **identity, "GIT_CONFIG_GLOBAL": os.devnull}
    return subprocess.run(["git", *arguments], cwd=folder, env=environ, check=True, capture_output=True, text=True).stdout.strip()


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    folder = tmp_path / "repository"
    (folder / "conf").mkdir(parents=True)
    git(folder, "init", "-q", "-b", "main")
    (folder / "train.py").write_text("a = 1\n")
    (folder / ".gitignore").write_text("*.log\n")
    (folder / "conf" / ".env").write_text("NAME=1\n")
    git(folder, "add", "-A")
    git(folder, "commit", "-qm", "first")
    return folder


def test_a_clean_tree_has_an_empty_diff_and_nothing_untracked(repository: Path) -> None:
    assert (uncommitted_diff(repository), untracked_files(repository)) == ("", [])


def test_a_diff_keeps_changes_but_no_secrets_and_files_of_secrets_only_by_name(repository: Path) -> None:
    (repository / "train.py").write_text('a = 2\nAPI_KEY = "hunter2hunter2"\n')
    (repository / "conf" / ".env").write_text("HARMLESS=hunter2\n")
    (repository / "new file.py").write_text("")
    (repository / "noise.log").write_text("")
    diff = uncommitted_diff(repository) or ""
    assert "+a = 2" in diff
    assert "hunter2" not in diff
    assert diff.endswith("[changed, but not kept: conf/.env]\n")
    assert untracked_files(repository) == ["new file.py"]


def test_where_git_does_not_answer_nothing_is_claimed(tmp_path: Path) -> None:
    assert (uncommitted_diff(tmp_path), untracked_files(tmp_path)) == (None, None)


# --- the machine


def tree(root: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    return root


def test_the_machine_is_told_by_what_the_system_says(tmp_path: Path) -> None:
    root = tree(
        tmp_path,
        {
            "proc/cpuinfo": "processor\t: 0\nmodel name\t: Fast CPU @ 3GHz\n\nprocessor\t: 1\nmodel name\t: other\n",
            "etc/os-release": 'NAME="Debian"\nPRETTY_NAME="Debian GNU/Linux 12"\n',
        },
    )
    facts = machine_facts(root)
    assert (facts["cpu"], facts["distribution"]) == ("Fast CPU @ 3GHz", "Debian GNU/Linux 12")
    assert facts["memory_bytes"] == os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    assert facts["cpus_usable"] <= facts["cpu_count"]
    assert machine_facts(tmp_path / "nothing")["system"] == "Linux"


def test_gpus_are_those_that_the_driver_lists(tmp_path: Path) -> None:
    root = tree(
        tmp_path,
        {
            "proc/driver/nvidia/version": "NVRM version: NVIDIA UNIX x86_64 Kernel Module  535.104.05  Sat Aug 19 2023\nGCC version: 12\n",
            "proc/driver/nvidia/gpus/0000:01:00.0/information": "Model: \t\t NVIDIA A100-SXM4-80GB\nIRQ:   \t\t 33\n",
            "proc/driver/nvidia/gpus/0000:02:00.0/information": "Model: \t\t NVIDIA A100-SXM4-80GB\n",
        },
    )
    assert gpu_facts(root) == {"names": ["NVIDIA A100-SXM4-80GB"] * 2, "driver": "535.104.05"}
    assert gpu_facts(tmp_path / "nothing") == {}


@pytest.mark.parametrize(
    ("files", "facts"),
    [
        ({}, {}),
        ({".dockerenv": "", "sys/fs/cgroup/memory.max": "max\n", "sys/fs/cgroup/cpu.max": "max 100000\n"}, {"kind": "docker"}),
        (
            {"proc/self/cgroup": "0::/\n", "sys/fs/cgroup/memory.max": "1000000\n", "sys/fs/cgroup/cpu.max": "150000 100000\n"},
            {"memory_limit_bytes": 1_000_000, "cpu_limit": 1.5},
        ),
        (
            {
                "proc/self/cgroup": "0::/a.slice/b.scope\n",
                "sys/fs/cgroup/a.slice/b.scope/memory.max": "max\n",
                "sys/fs/cgroup/a.slice/memory.max": "2000000\n",
                "sys/fs/cgroup/a.slice/b.scope/cpu.max": "50000 100000\n",
                "sys/fs/cgroup/a.slice/cpu.max": "400000 100000\n",
            },
            {"memory_limit_bytes": 2_000_000, "cpu_limit": 0.5},
        ),
        (
            {
                "run/.containerenv": "",
                "sys/fs/cgroup/memory/memory.limit_in_bytes": "9223372036854771712\n",
                "sys/fs/cgroup/cpu/cpu.cfs_quota_us": "200000\n",
                "sys/fs/cgroup/cpu/cpu.cfs_period_us": "100000\n",
            },
            {"kind": "podman", "cpu_limit": 2.0},
        ),
    ],
)
def test_limits_of_containers_are_those_of_their_control_groups(tmp_path: Path, files: dict[str, str], facts: dict[str, Any]) -> None:
    assert container_facts(tree(tmp_path, files), {}) == facts


def test_a_pod_is_known_by_its_environment(tmp_path: Path) -> None:
    assert container_facts(tmp_path, {"KUBERNETES_SERVICE_HOST": "10.0.0.1"}) == {"kind": "kubernetes"}


# --- packages


def test_packages_are_those_that_the_long_way_finds() -> None:
    oracle: dict[str, str] = {}
    for found in distributions():
        oracle.setdefault(str(found.metadata["Name"]).lower(), f"{found.metadata['Name']}=={found.version}")
    assert set(installed_packages()) == set(oracle.values())


def test_damaged_and_odd_packages_do_not_cost_the_others(tmp_path: Path) -> None:
    tree(
        tmp_path,
        {
            "whole-1.0.dist-info/METADATA": "Metadata-Version: 2.1\nName: Whole_One\nVersion: 1.0\n\nName: in the text\n",
            "no_version.dist-info/METADATA": "Name: nothing\n",
            "empty-1.dist-info/RECORD": "",
            "old.egg-info": "Metadata-Version: 1.0\nName: old\nVersion: 0.5\n",
            "develop.egg-info/PKG-INFO": "Name: develop\nVersion: 2\n",
            "second/whole_one-2.0.dist-info/METADATA": "Name: whole-one\nVersion: 2.0\n",
        },
    )
    folders = [str(tmp_path), str(tmp_path / "second"), str(tmp_path / "missing.zip")]
    assert installed_packages(folders) == ["develop==2", "old==0.5", "Whole_One==1.0"]


# --- together


def test_a_run_keeps_its_environment_and_the_card_shows_it(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    script = repository / "train.py"
    script.write_text("import drupe\nwith drupe.start_run() as run:\n    print(run.info.run_id)\n")
    monkeypatch.setenv("COLUMNS", "300")
    store = f"sqlite:///{repository.parent}/drupe.db"
    environ = {
        **os.environ,
        "DRUPE_CAPTURE_ENVIRONMENT": "true",
        "DRUPE_CAPTURE_GIT_DIFF": "true",
        "RANK": "0",
        "DRUPE_TRACKING_URI": store,
    }
    command = [sys.executable, str(script), "--api-key", "hunter2", "--lr", "0.1"]
    done = subprocess.run(command, env=environ, cwd=repository, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    client = drupe.Client(store)
    run_id = done.stdout.strip()
    facts = environment_of(client, run_id)
    assert facts["command"][1:] == [str(script), "--api-key", "***", "--lr", "0.1"]
    assert facts["git"]["is_dirty"] is True
    assert facts["git"]["commit"] == git_state(repository).commit  # type: ignore[union-attr]
    assert facts["variables"]["RANK"] == "0"
    kept = Path(client.download_artifacts(run_id, "environment"))
    assert "hunter2" not in "".join(file.read_text() for file in kept.iterdir())


def test_the_card_names_command_machine_python_and_changes(
    workspace: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "300")
    facts = {
        "command": ["python", "my train.py", "--lr", "0.1"],
        "platform": {"host": "box", "cpu": "Fast CPU", "cpus_usable": 8, "memory_bytes": 64_000_000_000, "distribution": "Debian 12"},
        "container": {"kind": "docker", "cpu_limit": 1.5},
        "gpu": {"names": ["A100", "A100"]},
        "python": {"version": "3.12.1", "conda": "torch"},
        "git": {"is_dirty": True},
    }
    with drupe.start_run(tags={"mlflow.source.git.commit": "a" * 40}) as run:
        drupe.log_dict(facts, "environment/environment.json")
    client = drupe.Client()
    show_card(client, client.get_run(run.info.run_id))
    shown = capsys.readouterr().out
    assert "python 'my train.py' --lr 0.1" in shown
    assert "box, Fast CPU, 1.5 cores, 64" in shown
    assert "2 × A100, docker" in shown
    assert "3.12.1 in torch on Debian 12" in shown
    assert "with uncommitted changes" in shown


@pytest.mark.parametrize("text", ["", "[]", "{", '{"command": 5, "platform": [], "gpu": {"names": "x"}, "git": "x"}', "[" * 100_000])
def test_a_file_that_somebody_else_wrote_does_no_harm_to_the_card(workspace: Path, text: str) -> None:
    with drupe.start_run() as run:
        drupe.log_text(text, "environment/environment.json")
    facts = environment_of(drupe.Client(), run.info.run_id)
    assert [value for _, value in environment_rows(facts)] == ["", "", ""]


def test_without_git_changes_are_not_claimed(workspace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DRUPE_CAPTURE_ENVIRONMENT", "true")
    monkeypatch.setattr(capture, "code_state", lambda: None)
    drupe.settings.reset()
    capture.environment_files.cache_clear()
    files = capture.environment_files()
    capture.environment_files.cache_clear()
    assert set(files) == {"environment.json", "requirements.txt"}
    assert "git" not in json.loads(files["environment.json"])
