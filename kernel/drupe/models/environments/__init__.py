"""The environments that models need: what they are to hold, made and kept by managers that plugins offer, and what is run in them.

`preparing` plans and makes, `packing` does so for another place, `kept` lists and prunes, `verifying` tries a model in a fresh one. The files in
a model's folder are written by `drupe.models.environment`; what a model imports is found out by `drupe.models.recording`.
"""

from __future__ import annotations

from drupe.models.environments.kept import KeptEnvironment, kept_environments, kept_root, prune_environments
from drupe.models.environments.packing import PackedEnvironment, pack_environment
from drupe.models.environments.preparing import (
    LOCAL,
    Plan,
    lock_requirements,
    plan_environment,
    prepared_environment,
    run_in_environment,
    vouched_model,
)
from drupe.models.environments.verifying import Verified, verify_environment

__all__ = [
    "LOCAL",
    "KeptEnvironment",
    "PackedEnvironment",
    "Plan",
    "Verified",
    "kept_environments",
    "kept_root",
    "lock_requirements",
    "pack_environment",
    "plan_environment",
    "prepared_environment",
    "prune_environments",
    "run_in_environment",
    "verify_environment",
    "vouched_model",
]
