"""The files that say what a model needs, and where their lines come from."""

from __future__ import annotations

import platform
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

import pytest
import yaml

from drupe.errors import InvalidValue
from drupe.models.environment import Requirements, choose_requirements
from drupe.models.pinning import pinned_requirements


@pytest.mark.skipif(find_spec("pip") is None, reason="this environment has no pip to name")
def test_the_files_are_as_mlflow_writes_them(tmp_path: Path) -> None:
    Requirements(("numpy==2.0", "pandas==2.2")).write(tmp_path)
    python = platform.python_version()
    assert (tmp_path / "requirements.txt").read_bytes() == b"numpy==2.0\npandas==2.2"
    assert yaml.safe_load((tmp_path / "conda.yaml").read_text()) == {
        "channels": ["conda-forge"],
        "dependencies": [f"python={python}", f"pip<={version('pip')}", {"pip": ["numpy==2.0", "pandas==2.2"]}],
        "name": "mlflow-env",
    }
    lines = (tmp_path / "python_env.yaml").read_text().splitlines()
    assert lines[0] == f"python: {python}"
    assert lines[1:3] == ["build_dependencies:", f"- pip=={version('pip')}"]
    assert lines[-3:] == ["- wheel", "dependencies:", "- -r requirements.txt"]
    assert not (tmp_path / "constraints.txt").exists()


def test_constraints_get_a_file_and_a_line_that_names_it(tmp_path: Path) -> None:
    (tmp_path / "limits.txt").write_text("numpy<3\n")
    chosen = choose_requirements([], given=["numpy", f"-c {tmp_path / 'limits.txt'}"])
    chosen.write(tmp_path)
    assert (tmp_path / "requirements.txt").read_text() == "numpy\n-c constraints.txt"
    assert (tmp_path / "constraints.txt").read_text() == "numpy<3"


def test_modules_and_distributions_are_pinned_to_what_is_installed() -> None:
    assert pinned_requirements(["sklearn", "numpy", "yaml", "no_such_module"]) == [
        f"numpy=={version('numpy')}",
        f"PyYAML=={version('PyYAML')}",
        f"scikit-learn=={version('scikit-learn')}",
    ]


def test_given_requirements_replace_those_that_were_found() -> None:
    assert choose_requirements(["a==1"], given=["b", " c>=2  # why", "", "# only a comment"]).lines == ("b", "c>=2")


def test_extra_requirements_win_over_found_ones_of_the_same_name() -> None:
    assert choose_requirements(["Scikit_Learn==1.9", "b==1"], extra=["scikit-learn==1.8", "z"]).lines == ("b==1", "scikit-learn==1.8", "z")


def test_files_of_requirements_are_read_in_with_what_they_include(tmp_path: Path) -> None:
    (tmp_path / "more").mkdir()
    (tmp_path / "requirements.txt").write_text(
        "a==1 \\\n  --hash=sha256:00\n-r more/extra.txt\n-c limits.txt\n--extra-index-url https://host/simple\n"
    )
    (tmp_path / "more" / "extra.txt").write_text("b\n")
    (tmp_path / "limits.txt").write_text("c<2\n")
    chosen = choose_requirements(["found"], given=str(tmp_path / "requirements.txt"))
    assert chosen.lines == ("a==1    --hash=sha256:00", "b", "--extra-index-url https://host/simple")
    assert chosen.constraints == ("c<2",)


def test_a_conda_environment_is_kept_and_its_pip_part_is_the_requirements(tmp_path: Path) -> None:
    conda = {"name": "mine", "channels": ["x"], "dependencies": ["python=3.11", "pip", {"pip": ["a==1"]}]}
    choose_requirements(["found"], conda=conda).write(tmp_path)
    assert yaml.safe_load((tmp_path / "conda.yaml").read_text()) == conda
    assert (tmp_path / "requirements.txt").read_text() == "a==1"
    again = choose_requirements([], conda=str(tmp_path / "conda.yaml"))
    assert again.lines == ("a==1",)


@pytest.mark.parametrize(
    ("line", "kept"),
    [
        ("--index-url https://user:s3cret@host/simple", "--index-url https://host/simple"),
        ("pkg @ git+https://ghp_token@host/org/pkg.git@v1", "pkg @ git+https://host/org/pkg.git@v1"),
        ("--index-url https://user:s3cret@again@host/simple", "--index-url https://host/simple"),
        ("git+ssh://git:s3cret@host/pkg.git", "git+ssh://git@host/pkg.git"),
        ("ftp://user:s3cret@host/pkg.whl", "ftp://host/pkg.whl"),
        ("--extra-index-url=http://a%40b:c@host:8080/x http://d:e@other/y", "--extra-index-url=http://host:8080/x http://other/y"),
    ],
)
def test_logins_never_get_into_the_files(line: str, kept: str, tmp_path: Path) -> None:
    with pytest.warns(UserWarning, match=r"was left out of the model's environment files"):
        choose_requirements([], given=[line]).write(tmp_path)
    assert (tmp_path / "requirements.txt").read_text() == kept
    for file in tmp_path.iterdir():
        assert file.is_dir() or "s3cret" not in file.read_text()


def test_logins_of_a_conda_environment_do_not_get_in_either(tmp_path: Path) -> None:
    with pytest.warns(UserWarning, match="was left out"):
        choose_requirements(
            [],
            conda={
                "channels": ["https://u:s3cret@host/channel"],
                "dependencies": ["https://u:s3cret@host/other::b", {"pip": ["--index-url https://u:s3cret@host/simple", "a"]}],
            },
        ).write(tmp_path)
    assert "s3cret" not in (tmp_path / "conda.yaml").read_text()


@pytest.mark.parametrize(
    "line", ["--index-url https://${TOKEN}@host/simple", "--index-url https://user:${TOKEN}@host/s", "p @ git+ssh://git@host/p.git"]
)
def test_placeholders_and_ssh_users_are_no_secrets(line: str) -> None:
    assert choose_requirements([], given=[line]).lines == (line,)


def test_bad_requirements_are_refused_in_words(tmp_path: Path) -> None:
    (tmp_path / "loop.txt").write_text("-r loop.txt\n")
    with pytest.raises(InvalidValue, match="give one of pip_requirements"):
        choose_requirements([], given=["a"], extra=["b"])
    with pytest.raises(InvalidValue, match="cannot be read"):
        choose_requirements([], given="no/such/file.txt")
    with pytest.raises(InvalidValue, match="include each other"):
        choose_requirements([], given=tmp_path / "loop.txt")
    with pytest.raises(InvalidValue, match="not 3"):
        choose_requirements([], given=[3])  # type: ignore[list-item]
    with pytest.raises(InvalidValue, match="list of dependencies"):
        choose_requirements([], conda={"dependencies": "python"})


@pytest.mark.parametrize(
    ("line", "kept"),
    [
        ("p @ https://host/p.whl?token=abc&v=1", "p @ https://host/p.whl?token=***&v=1"),
        ("p @ https://host/p.whl?token=${TOKEN}", "p @ https://host/p.whl?token=${TOKEN}"),
    ],
)
def test_a_token_among_the_options_of_an_address_is_left_out(line: str, kept: str) -> None:
    assert choose_requirements([], given=[line]).lines == (kept,)


@pytest.mark.parametrize("line", ["====", "pandas=2", "pandas 2.2", "pandas==", "pandas>=2,<", "two words here", "!numpy", "[extra]"])
def test_a_line_that_pip_would_not_take_is_refused_where_it_is_given(line: str) -> None:
    with pytest.raises(InvalidValue, match="is no requirement; write it as pip takes it"):
        choose_requirements([], extra=[line])
    with pytest.raises(InvalidValue, match="is no requirement"):
        choose_requirements([], conda={"dependencies": ["python=3.11", {"pip": [line]}]})


@pytest.mark.parametrize(
    "line",
    [
        "pandas",
        "pandas[excel, plot] >= 2.1, < 3",
        "pandas (>=2)",
        "zope.interface~=6.0,",
        "torch==2.9.1+cpu",
        "odd===1!2.0.dev3",
        "numpy==2.*; python_version < '3.13'",
        "numpy==2.0 --hash=sha256:00ff",
        "own @ https://example.com/own.whl",
        "own@git+ssh://git@example.com/own.git@v1",
        "git+https://example.com/own.git#egg=own",
        "own-1.0-py3-none-any.whl",
        "./own",
        "C:\\wheels\\own.whl",
        "-e .",
        "--extra-index-url https://example.com/simple",
        "${WHEELS}",
    ],
)
def test_whatever_pip_takes_is_taken(line: str) -> None:
    assert choose_requirements([], given=[line]).lines == (line,)
