"""The environments that models need: what they are to hold, made and kept by managers that plugins offer, and what is run in them.

`preparing` plans and makes, `kept` lists and prunes, `verifying` tries a model in a fresh one, `recording` finds out what a model imports,
`difference` compares the environment that runs with what a model asks for. The files in a model's folder are written by
`drupe.models.environment`.
"""

from __future__ import annotations

from drupe.models.environments.kept import KeptEnvironment, kept_environments, kept_root, prune_environments
from drupe.models.environments.preparing import LOCAL, Plan, lock_requirements, plan_environment, prepared_environment, run_in_environment
from drupe.models.environments.verifying import Verified, verify_environment

__all__ = [
    "LOCAL",
    "KeptEnvironment",
    "Plan",
    "Verified",
    "kept_environments",
    "kept_root",
    "lock_requirements",
    "plan_environment",
    "prepared_environment",
    "prune_environments",
    "run_in_environment",
    "verify_environment",
]
