"""Models as folders: saved, logged, loaded, and asked for predictions through their signature. MLflow's format and names.

`saving` and `logged` write, `gate` and `opening` read, `loaded` predicts; `signature`, `schema`, `infer` and `enforce` are about what
goes in and out. How the models of one library are written is a flavor's work, see `drupe.extend.flavor`.
"""

from __future__ import annotations

from typing import Any

from drupe import lazy
from drupe.models.code_model import ModelConfig, set_model
from drupe.models.coercion import Coercion
from drupe.models.confine import inside
from drupe.models.datatypes import AnyType, Array, DataType, Map, Object, Property
from drupe.models.fluent import (
    create_external_model,
    delete_logged_model_tag,
    finalize_logged_model,
    get_logged_model,
    initialize_logged_model,
    last_logged_model,
    log_model_params,
    log_outputs,
    search_logged_models,
    set_active_model,
    set_logged_model_tags,
)
from drupe.models.infer import infer_signature
from drupe.models.loaded import LoadedModel
from drupe.models.logged import log_model
from drupe.models.mlmodel import Model, ModelInfo
from drupe.models.opening import get_model_info, load_model
from drupe.models.pinning import pinned_requirements
from drupe.models.python_model import PythonModel, PythonModelContext
from drupe.models.saving import save_model
from drupe.models.schema import ColSpec, ParamSchema, ParamSpec, Schema, TensorSpec
from drupe.models.signature import ModelSignature

__all__ = [
    "AnyType",
    "Array",
    "Coercion",
    "ColSpec",
    "DataType",
    "LoadedModel",
    "Map",
    "Model",
    "ModelConfig",
    "ModelInfo",
    "ModelSignature",
    "Object",
    "ParamSchema",
    "ParamSpec",
    "Property",
    "PythonModel",
    "PythonModelContext",
    "Schema",
    "TensorSpec",
    "create_external_model",
    "delete_logged_model_tag",
    "finalize_logged_model",
    "get_logged_model",
    "get_model_info",
    "infer_signature",
    "initialize_logged_model",
    "inside",
    "last_logged_model",
    "load_model",
    "log_model",
    "log_model_params",
    "log_outputs",
    "pinned_requirements",
    "save_model",
    "search_logged_models",
    "set_active_model",
    "set_logged_model_tags",
    "set_model",
]

# where MLflow has them; evaluation is built on models, so that importing it from here would go round in a circle
_OF_EVALUATION = (
    "EvaluationArtifact",
    "EvaluationMetric",
    "EvaluationResult",
    "MetricThreshold",
    "evaluate",
    "list_evaluators",
    "make_metric",
    "validate_evaluation_results",
)


def __getattr__(name: str) -> Any:
    if name in _OF_EVALUATION:
        return lazy.load(f"drupe.evaluation:{name}")
    raise AttributeError(f"module 'drupe.models' has no attribute {name!r}")
