"""Everything that a plugin author imports.

A front door needs only `Offer`, `hookimpl` and `API`; names resolve on first use, so importing them costs next to nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

_ROOMS = {
    "API": "drupe.extend.offers",
    "Offer": "drupe.extend.offers",
    "hookimpl": "drupe.extend.markers",
    "hookspec": "drupe.extend.markers",
    "ArtifactRepo": "drupe.extend.artifact_repo",
    "FileOnDisk": "drupe.extend.transfers",
    "Incoming": "drupe.extend.transfers",
    "OpenArtifact": "drupe.extend.transfers",
    "PartedUpload": "drupe.extend.transfers",
    "SignedAddress": "drupe.extend.transfers",
    "Staged": "drupe.extend.transfers",
    "DatasetSource": "drupe.extend.dataset_source",
    "Fetched": "drupe.extend.dataset_source",
    "EnvironmentManager": "drupe.extend.environment_manager",
    "EnvironmentSpec": "drupe.extend.environment_manager",
    "SourceStat": "drupe.extend.dataset_source",
    "AutologOptions": "drupe.extend.autologger",
    "Autologger": "drupe.extend.autologger",
    "Call": "drupe.extend.autologger",
    "Patches": "drupe.extend.autologger",
    "Training": "drupe.extend.autologger",
    "TrainingRun": "drupe.extend.autologger",
    "Evaluation": "drupe.extend.evaluator",
    "EvaluationMetric": "drupe.extend.evaluator",
    "Evaluator": "drupe.extend.evaluator",
    "Findings": "drupe.extend.evaluator",
    "JudgedModel": "drupe.extend.evaluator",
    "MetricValue": "drupe.extend.evaluator",
    "Flavor": "drupe.extend.flavor",
    "FlavorRecord": "drupe.extend.flavor",
    "FoundExperiment": "drupe.extend.import_source",
    "FoundLoggedModel": "drupe.extend.import_source",
    "FoundRun": "drupe.extend.import_source",
    "ImportSource": "drupe.extend.import_source",
    "Loss": "drupe.extend.import_source",
    "ModelSigner": "drupe.extend.model_signer",
    "Signed": "drupe.extend.model_signer",
    "SignedFile": "drupe.extend.model_signer",
    "RegistryStore": "drupe.extend.registry_store",
    "Access": "drupe.extend.server_routes",
    "ServedStore": "drupe.extend.server_routes",
    "ServerRoutes": "drupe.extend.server_routes",
    "WebReply": "drupe.extend.server_routes",
    "WebRequest": "drupe.extend.server_routes",
    "WebRoute": "drupe.extend.server_routes",
    "SystemMetricSource": "drupe.extend.system_metrics",
    "TrackingStore": "drupe.extend.tracking_store",
    "UiExtension": "drupe.extend.ui_extension",
    "UiPlace": "drupe.extend.ui_extension",
    "Feature": "drupe.extend.features",
    "Support": "drupe.extend.features",
    "RunContext": "drupe.extend.context",
    "AliasDeleted": "drupe.extend.events",
    "AliasSet": "drupe.extend.events",
    "Event": "drupe.extend.events",
    "ModelLogged": "drupe.extend.events",
    "ModelRegistered": "drupe.extend.events",
    "RunDeleted": "drupe.extend.events",
    "RunEnded": "drupe.extend.events",
    "RunMoved": "drupe.extend.events",
    "RunRestored": "drupe.extend.events",
    "RunStarted": "drupe.extend.events",
    "StageChanged": "drupe.extend.events",
    "VersionCreated": "drupe.extend.events",
    "VersionDeleted": "drupe.extend.events",
}

__all__ = sorted(_ROOMS)


def __getattr__(name: str) -> Any:
    room = _ROOMS.get(name)
    if room is None:
        raise AttributeError(f"module 'drupe.extend' has no attribute {name!r}")
    found = getattr(import_module(room), name)
    globals()[name] = found
    return found
