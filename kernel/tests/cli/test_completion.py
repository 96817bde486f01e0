"""Shell completion: the scripts, and what they offer from the store."""

from __future__ import annotations

from typing import Any

import pytest

from drupe.client import Client


@pytest.fixture
def offered(drupe_cli: Any, monkeypatch: pytest.MonkeyPatch, capsysbinary: pytest.CaptureFixture[bytes]) -> Any:
    """What bash would offer after these words; the last one is being typed."""

    def complete(*words: str) -> list[str]:
        with monkeypatch.context() as env:
            env.setenv("_DRUPE_COMPLETE", "bash_complete")
            env.setenv("COMP_WORDS", " ".join(["drupe", *words]))
            env.setenv("COMP_CWORD", str(len(words)))
            with pytest.raises(SystemExit):
                drupe_cli()
        return [line.partition(",")[2] for line in capsysbinary.readouterr().out.decode().splitlines() if line]

    return complete


@pytest.mark.parametrize(
    ("shell", "piece"), [("bash", "complete -o nosort"), ("zsh", "#compdef drupe"), ("fish", "complete --no-files --command drupe")]
)
def test_the_script_of_each_shell_is_printed(drupe_cli: Any, shell: str, piece: str) -> None:
    told = drupe_cli("completion", shell)
    assert told.code == 0
    assert piece in told.out
    assert "_DRUPE_COMPLETE" in told.out


def test_an_unknown_shell_is_a_usage_fault(drupe_cli: Any) -> None:
    assert drupe_cli("completion", "cmd").code == 2


def test_words_and_verbs_are_offered(offered: Any) -> None:
    assert offered("exp") == ["experiments", "export"]
    assert offered("runs", "re") == ["rename", "restore"]


def test_names_of_experiments_are_offered(offered: Any, three_runs: list[str]) -> None:
    assert sorted(offered("experiments", "get", "")) == ["Default", "churn", "flights"]
    assert offered("runs", "list", "-e", "fl") == ["flights"]


def test_runs_are_offered_by_id_and_by_name(offered: Any, three_runs: list[str]) -> None:
    assert offered("runs", "show", "") == three_runs[::-1]
    assert offered("runs", "show", three_runs[0][:5]) == [three_runs[0]]
    assert offered("runs", "compare", "baseline", "de") == ["deeper"]
    assert offered("runs", "move", "baseline", "de") == ["deeper"]
    assert offered("runs", "move", "baseline", "-e", "fl") == ["flights"]


def test_metrics_of_the_named_run_are_offered(offered: Any, three_runs: list[str]) -> None:
    assert offered("metrics", "show", "baseline", "") == ["auc", "loss"]
    assert offered("metrics", "show", "baseline:l") == ["baseline:loss"]


def test_models_their_versions_and_aliases_are_offered(offered: Any, store: Client) -> None:
    store.create_registered_model("churn")
    store.create_model_version("churn", "runs:/x/m")
    store.set_registered_model_alias("churn", "champion", 1)
    assert offered("registry", "show", "ch") == ["churn"]
    assert offered("registry", "stage", "churn", "") == ["1"]
    assert offered("registry", "alias", "delete", "churn", "ch") == ["champion"]


def test_paths_of_artifacts_are_offered_below_a_run(offered: Any, store: Client, three_runs: list[str]) -> None:
    store.log_text(three_runs[0], "x", "notes/a.txt")
    assert offered("artifacts", "cat", "base") == ["baseline/"]
    assert offered("artifacts", "cat", "baseline/n") == ["baseline/notes/"]
    assert offered("artifacts", "cat", "baseline/notes/") == ["baseline/notes/a.txt"]


def test_a_store_that_cannot_be_opened_offers_nothing_and_complains_of_nothing(offered: Any, workspace: Any) -> None:
    (workspace / "drupe.db").write_bytes(b"no database at all" * 100)
    assert offered("experiments", "get", "") == []
