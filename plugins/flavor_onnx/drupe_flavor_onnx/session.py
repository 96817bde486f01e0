"""Which execution providers and session options a model may ask ONNX Runtime for: closed lists, since some options load libraries or write files."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import onnxruntime

from drupe.errors import InvalidModelFolder

__all__ = ["DEFAULT_PROVIDERS", "checked_options", "checked_providers", "open_session"]

log = logging.getLogger("drupe.models")

DEFAULT_PROVIDERS = ["CUDAExecutionProvider", "CPUExecutionProvider"]
_CPU = "CPUExecutionProvider"
_LEVELS = (0, 1, 2, 99)
_MODES = {
    "sequential": onnxruntime.ExecutionMode.ORT_SEQUENTIAL,
    "parallel": onnxruntime.ExecutionMode.ORT_PARALLEL,
}
_THREADS = ("inter_op_num_threads", "intra_op_num_threads")
_OPTIONS = (*_THREADS, "execution_mode", "graph_optimization_level", "extra_session_config")
_PROVIDER_OPTIONS = {
    *("device_id", "gpu_mem_limit", "arena_extend_strategy", "cudnn_conv_algo_search", "cudnn_conv_use_max_workspace"),
    *("do_copy_in_default_stream", "enable_cuda_graph", "use_tf32", "prefer_nhwc", "device_type", "num_of_threads", "precision"),
}
"""What speeds a provider up; not what names a file, a library or an address in memory."""
_CONFIG = {
    *("session.intra_op.allow_spinning", "session.inter_op.allow_spinning", "session.force_spinning_stop", "session.dynamic_block_base"),
    *("session.set_denormal_as_zero", "session.disable_prepacking", "session.use_env_allocators", "session.disable_quant_qdq"),
    *("session.use_device_allocator_for_initializers", "session.enable_quant_qdq_cleanup", "optimization.enable_gelu_approximation"),
}


def checked_providers(given: Any, fault: Callable[[str], Exception]) -> list[Any]:
    """The providers as a list of names and pairs of name and options; `fault` makes the error for what is not in the closed lists."""
    if given is None or given in ([], ()):
        return list(DEFAULT_PROVIDERS)
    if isinstance(given, str):
        given = [given]
    if not isinstance(given, Sequence):
        raise fault(f"execution providers are a list of names such as {DEFAULT_PROVIDERS}, not {given!r:.100}")
    known = onnxruntime.get_all_providers()
    providers: list[Any] = []
    for entry in given:
        name, options = entry if isinstance(entry, list | tuple) and len(entry) == 2 else (entry, None)
        if name not in known:
            raise fault(f"there is no execution provider {name!r:.100}; ONNX Runtime has {', '.join(known)}")
        if options is None:
            providers.append(name)
            continue
        if not isinstance(options, Mapping) or not all(isinstance(value, str | int | float) for value in options.values()):
            raise fault(f"the options of {name} are a dict of names and plain values, not {options!r:.100}")
        if unknown := sorted(map(str, set(options) - _PROVIDER_OPTIONS)):
            raise fault(f"a model may not set {', '.join(unknown)} of {name}; it may set {', '.join(sorted(_PROVIDER_OPTIONS))}")
        providers.append([name, dict(options)])
    return providers


def checked_options(given: Any, fault: Callable[[str], Exception]) -> dict[str, Any] | None:
    """The session options, or None; `fault` makes the error for what is not in the closed lists."""
    if given is None:
        return None
    if not isinstance(given, Mapping):
        raise fault(f"session options are a dict, not {type(given).__name__}; known are {', '.join(_OPTIONS)}")
    if unknown := sorted(map(str, set(given) - set(_OPTIONS))):
        raise fault(f"a model may not set the session options {', '.join(unknown)}; it may set {', '.join(_OPTIONS)}")
    for name in _THREADS:
        value = given.get(name)
        if value is not None and (isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= 4096):
            raise fault(f"the session option {name} is {value!r:.100}; it must be a whole number from 0 (all cores) to 4096")
    mode = given.get("execution_mode")
    if mode is not None and str(mode).lower() not in _MODES:
        raise fault(f"the session option execution_mode is {mode!r:.100}; it must be sequential or parallel")
    level = given.get("graph_optimization_level")
    if level is not None and (isinstance(level, bool) or level not in _LEVELS):
        raise fault(f"the session option graph_optimization_level is {level!r:.100}; it must be one of {', '.join(map(str, _LEVELS))}")
    config = given.get("extra_session_config")
    if config is not None and not isinstance(config, Mapping):
        raise fault(f"the session option extra_session_config is a dict, not {type(config).__name__}")
    if unknown := sorted(map(str, set(config or {}) - _CONFIG)):
        raise fault(f"a model may not set {', '.join(unknown)} in extra_session_config; it may set {', '.join(sorted(_CONFIG))}")
    return {key: dict(value) if isinstance(value, Mapping) else value for key, value in given.items()}


def open_session(file: Path, providers: Any, options: Any) -> Any:
    """An InferenceSession with what MLmodel asks for, of which only what is installed is used. Raises InvalidModelFolder."""
    asked = checked_providers(providers, InvalidModelFolder)
    chosen = checked_options(options, InvalidModelFolder) or {}
    there = onnxruntime.get_available_providers()
    usable = [tuple(entry) if isinstance(entry, list) else entry for entry in asked if _name(entry) in there]
    if missing := [_name(entry) for entry in asked if _name(entry) not in there and asked != DEFAULT_PROVIDERS]:
        log.warning("the model asks for %s, which this ONNX Runtime does not have; it runs on %s", ", ".join(missing), usable or _CPU)
    settings = onnxruntime.SessionOptions()
    settings.log_severity_level = 3  # errors: the rest is for those who build models
    for name in _THREADS:
        setattr(settings, name, chosen.get(name) or 0)
    if chosen.get("execution_mode"):
        settings.execution_mode = _MODES[str(chosen["execution_mode"]).lower()]
    if chosen.get("graph_optimization_level") is not None:
        settings.graph_optimization_level = onnxruntime.GraphOptimizationLevel(chosen["graph_optimization_level"])
    for name, value in (chosen.get("extra_session_config") or {}).items():
        settings.add_session_config_entry(name, str(value))
    try:
        return onnxruntime.InferenceSession(str(file), settings, providers=usable or [_CPU])
    except Exception as fault:  # ONNX Runtime has a dozen exceptions of its own, without a common parent
        raise InvalidModelFolder(f"ONNX Runtime cannot open {file.name}: {str(fault).splitlines()[0]}", path=str(file)) from fault


def _name(entry: Any) -> str:
    return str(entry if isinstance(entry, str) else entry[0])
