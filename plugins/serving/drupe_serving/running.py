"""Running the scoring server: load the model, warm it up, answer, and end in order on SIGTERM."""

from __future__ import annotations

import json
import logging
import re
import socket
import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import uvloop

from drupe.errors import DrupeError, InvalidSettings
from drupe.models import LoadedModel, load_model
from drupe_asgi.bodies import Limits
from drupe_asgi.gate import Gate
from drupe_asgi.running import BACKLOG, answer_requests, check_may_listen, collect_seldom, listening, url_of
from drupe_asgi.workers import Place, supervise
from drupe_serving.app import UNGUARDED, Application
from drupe_serving.decoding import JSON, Decoder
from drupe_serving.independence import may_be_joined, predicts_alike
from drupe_serving.infer import Inference
from drupe_serving.inference_log import InferenceLog
from drupe_serving.predictor import Predictor
from drupe_serving.settings import ServingSettings
from drupe_serving.showing import Shown, valid_request

__all__ = ["make_application", "name_of", "serve"]

HAND_OVER_S = 0.0005  # how long the event loop keeps a thread waiting that has predicted, and the other way round
_VERSION = re.compile(r"models:/+([^/@#]+)(?:/([^/@]+)|@([^/@]+))?/?")
_UNSAFE = re.compile(r"[^\w.-]+")

log = logging.getLogger("drupe.serving")


def serve(
    model_uri: str, settings: ServingSettings, started: Callable[[str, str], None], *, model_config: str | None = None, trust: bool = False
) -> None:
    """Serve until SIGTERM or SIGINT; then finish what is being answered. `started` is called with the name and URL once it can be asked.

    Raises InvalidSettings, StoreUnavailable, and what `load_model` does.
    """
    check_may_listen(settings.host, settings.open_to_all)
    if settings.batching not in ("auto", "on", "off"):
        raise InvalidSettings(f"batching is auto, on or off, not {settings.batching!r}")
    name, version = name_of(model_uri)
    name = settings.name or name
    config = None if model_config is None else _config(model_config)
    with listening(settings.host, settings.port) as listener:

        def work(place: Place | None, ready: Callable[[], None]) -> None:
            with warnings.catch_warnings():
                warnings.simplefilter("default")
                model = load_model(model_uri, model_config=config, trust=trust or None)
            app, predictor, noted = make_application(model, settings, name, version, place)
            collect_seldom()
            sys.setswitchinterval(HAND_OVER_S)
            try:
                uvloop.run(_run(app, settings, listener, ready, place))
            finally:
                predictor.close()
                if noted is not None:
                    noted.close()

        def all_ready() -> None:
            started(name, url_of(listener, settings.prefix))

        if settings.workers == 1:
            work(None, all_ready)
        else:
            listener.listen(BACKLOG)
            supervise(settings.workers, lambda place: work(place, place.tell_ready), all_ready)


def make_application(
    model: LoadedModel, settings: ServingSettings, name: str, version: str | None = None, place: Place | None = None
) -> tuple[Application, Predictor, InferenceLog | None]:
    """The application for a loaded model, which has predicted its own example. Close the predictor and the log when it is not used any more."""
    request = valid_request(model)
    shown = Shown(model, name, version, request)
    decoder = Decoder(model, shown.example)
    noted = None
    if settings.inference_log is not None:
        known = f"{name}/{version}" if version else name
        most_bytes = settings.inference_log_mb << 20  # of all workers: each sees to the whole folder
        noted = InferenceLog(
            Path(settings.inference_log), known, model.signature, sample=settings.inference_log_sample, most_bytes=most_bytes
        )
    predictor = Predictor(
        model,
        together=_warmed_up(model, decoder, request, may_be_joined(model, settings.batching)),
        threads=settings.threads,
        batch_rows=settings.batch_rows,
        batch_wait_s=settings.batch_wait_ms / 1000,
        timeout_s=settings.timeout,
        max_waiting=settings.max_waiting,
    )
    gate = Gate(
        settings.host,
        hosts=settings.allowed_hosts,
        origins=settings.allowed_origins,
        command="drupe models serve",
        unguarded=UNGUARDED,
    )
    app = Application(
        predictor,
        decoder,
        Inference(model, name, version, shown.example),
        shown,
        gate,
        prefix=settings.prefix,
        limits=Limits(settings.max_body_mb << 20, settings.patience_s),
        inference_log=noted,
        place=place,
    )
    return app, predictor, noted


def _config(text: str) -> dict[str, Any]:
    try:
        config = json.loads(text)
    except (ValueError, RecursionError) as fault:
        raise InvalidSettings(f"--model-config is no JSON: {fault}") from fault
    if not isinstance(config, dict):
        raise InvalidSettings(f'--model-config is an object of name and value, such as {{"threshold": 0.5}}, not {text[:40]}')
    return config


def name_of(model_uri: str) -> tuple[str, str | None]:
    """What the model is called, and its version: by its place in the registry, else by the last part of its address."""
    found = _VERSION.fullmatch(model_uri)
    if found is not None:
        return found[1], found[2] or found[3]
    last = _UNSAFE.sub("-", Path(model_uri.rstrip("/")).name).strip("-.")
    return last or "model", None


def _warmed_up(model: LoadedModel, decoder: Decoder, request: dict[str, object], together: bool) -> bool:
    """Predict the example, so that the first client does not wait for what is loaded late; True when rows may still be predicted together.

    Only an example that the model was saved with must be predicted; one that was made up may be refused.
    """
    has_example = bool(model.metadata.saved_input_example_info)
    if not has_example and (model.signature is None or model.signature.inputs is None):
        return together
    try:
        asked = decoder.decode(json.dumps(request).encode(), JSON)
        if together:
            return predicts_alike(model, asked) if asked.rows is not None else together
        model.predict(asked.given(), asked.params)
    except DrupeError as fault:
        log.warning("the model refuses its own example: %s", fault)
    except Exception as fault:  # the model's own
        if has_example:
            log.warning("the model fails on its own example: %s: %s", type(fault).__name__, fault)
    return together


async def _run(
    app: Application, settings: ServingSettings, listener: socket.socket, ready: Callable[[], None], place: Place | None
) -> None:
    def ending() -> None:
        app.is_ready = False

    await answer_requests(app, listener, ready, patience_s=settings.patience_s, ending=ending, place=place)
