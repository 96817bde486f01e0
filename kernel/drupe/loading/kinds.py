"""What the kernel knows of each hook that collects offers: how it is spoken of, and what an implementation must be.

Also the answers that moment hooks may give. Hooks that plugins add themselves are not here; for those nothing is checked.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

__all__ = ["KINDS", "Kind", "answer_fault", "kind_of"]


class Kind(NamedTuple):
    """`noun` and `key` make the sentence "no <noun> for <key> 's3'"; `contract` is the class ("module:attr") that implementations extend."""

    noun: str
    key: str
    contract: str | None = None
    is_instance: bool = False
    """True where `load` names an instance of the contract and not a subclass."""

    @property
    def article(self) -> str:
        """The indefinite article of the noun."""
        return "an" if self.noun[0] in "aeiou" else "a"


KINDS: dict[str, Kind] = {
    "drupe_tracking_stores": Kind("tracking store", "scheme", "drupe.extend.tracking_store:TrackingStore"),
    "drupe_registry_stores": Kind("registry store", "scheme", "drupe.extend.registry_store:RegistryStore"),
    "drupe_artifact_repos": Kind("artifact repository", "scheme", "drupe.extend.artifact_repo:ArtifactRepo"),
    "drupe_model_flavors": Kind("model flavor", "name", "drupe.extend.flavor:Flavor"),
    "drupe_environment_managers": Kind("environment manager", "name", "drupe.extend.environment_manager:EnvironmentManager"),
    "drupe_evaluators": Kind("evaluator", "name", "drupe.extend.evaluator:Evaluator"),
    "drupe_model_signers": Kind("model signer", "name", "drupe.extend.model_signer:ModelSigner"),
    "drupe_dataset_sources": Kind("dataset source", "scheme", "drupe.extend.dataset_source:DatasetSource"),
    "drupe_system_metrics": Kind("source of system metrics", "name", "drupe.extend.system_metrics:SystemMetricSource"),
    "drupe_autologgers": Kind("autologger", "module", "drupe.extend.autologger:Autologger"),
    "drupe_import_sources": Kind("import source", "scheme", "drupe.extend.import_source:ImportSource"),
    "drupe_server_routes": Kind("set of server routes", "path", "drupe.extend.server_routes:ServerRoutes"),
    "drupe_ui_extensions": Kind("UI extension", "name", "drupe.extend.ui_extension:UiExtension", is_instance=True),
    "drupe_cli_commands": Kind("command", "word", "click:Command", is_instance=True),
}


def kind_of(hook: str) -> Kind:
    """The kind of a hook; a plain one for hooks that a plugin has added."""
    return KINDS.get(hook) or Kind(f"offer of {hook}", "key")


def answer_fault(hook: str, answer: Any) -> str | None:
    """What is wrong with the answer of a moment hook, or None."""
    if answer is None:
        return None
    if hook in ("drupe_flavor_for", "drupe_default_experiment") and not (isinstance(answer, str) and answer):
        return f"must return text or None, returned {answer!r:.100}"
    if hook == "drupe_run_tags" and not (
        isinstance(answer, Mapping) and all(isinstance(key, str) and isinstance(value, str) for key, value in answer.items())
    ):
        return f"must return a mapping of texts to texts, returned {answer!r:.100}"
    return None
