"""The scoring server as one ASGI application: the gate, then MLflow's scoring protocol, the Open Inference Protocol, health and figures.

What is done with every request and every error is in `drupe_asgi.application`; here is what this server answers.
"""

from __future__ import annotations

import asyncio
import json
import logging
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Any
from urllib.parse import quote

from drupe.errors import DrupeError
from drupe_asgi.answers import JSON as JSON_HEADER, Answer, json_answer, text_answer
from drupe_asgi.application import HttpApplication, Measured
from drupe_asgi.bodies import Limits, whole
from drupe_asgi.errors import MethodNotAllowed, NoSuchRoute
from drupe_asgi.exchange import Exchange
from drupe_asgi.gate import Gate, check_told_once
from drupe_asgi.workers import Place
from drupe_serving.asked import Asked
from drupe_serving.decoding import Decoder
from drupe_serving.errors import ModelFailed, Overloaded
from drupe_serving.infer import Inference
from drupe_serving.inference_log import InferenceLog
from drupe_serving.predictor import Answered, Predictor
from drupe_serving.showing import Shown

__all__ = ["SPOKEN", "UNGUARDED", "Application"]

SPOKEN = "3.17.2"  # of MLflow's scoring protocol
UNGUARDED = ("/ping", "/health", "/version", "/v2/health/live", "/v2/health/ready")  # for load balancers, which call by address
LONG_BODY = 256 << 10  # from here on others are served while a thread reads it
MESSAGE_MAX = 300
LEFT_OUT_HEADER = b"drupe-left-out"
"""Of answers to requests with columns or params that the model does not take: their names, percent-encoded, with commas between them."""
LEFT_OUT_SHOWN = 20

log = logging.getLogger("drupe.serving")
Handler = Callable[[Exchange], Awaitable[Answer]]


class Application(HttpApplication):
    """One model, served."""

    log = log
    takes_request_ids = True
    measured = tuple(
        Measured(key, f"drupe_model_{key}", kind, told)
        for key, kind, told in (
            ("predicted_total", "counter", "Requests that the model has predicted."),
            ("failed_total", "counter", "Requests that the model has failed on."),
            ("batches_total", "counter", "Calls of the model; fewer than requests, where several are predicted together."),
            ("timed_out_total", "counter", "Requests that were answered before the model was."),
            ("waiting", "gauge", "Requests that wait for the model."),
            ("lost", "gauge", "Predictions that nobody waits for any more and that have not come to an end."),
            ("noted_total", "counter", "Requests that the inference log has."),
            ("unnoted_total", "counter", "Requests of the sample that the inference log lacks: it could not keep up, or not write them."),
        )
    )

    def __init__(
        self,
        predictor: Predictor,
        decoder: Decoder,
        inference: Inference,
        shown: Shown,
        gate: Gate,
        *,
        prefix: str = "",
        limits: Limits | None = None,
        inference_log: InferenceLog | None = None,
        place: Place | None = None,
    ) -> None:
        super().__init__(prefix=prefix, place=place)
        self._predictor, self._decoder, self._inference, self._shown = predictor, decoder, inference, shown
        self._gate, self._limits, self._inference_log = gate, limits or Limits(), inference_log
        self.is_ready = True
        self._routes: dict[str, dict[str, Handler]] = {
            "/invocations": {"POST": self._invocations},
            "/ping": {"GET": self._ping},
            "/health": {"GET": self._ping},
            "/version": {"GET": self._version},
            "/metrics": {"GET": self._metrics},
            "/openapi.json": {"GET": self._openapi},
            "/": {"GET": self._page},
            "/v2": {"GET": self._server_metadata},
            "/v2/health/live": {"GET": self._live},
            "/v2/health/ready": {"GET": self._ready},
        }
        for path in inference.paths():
            self._routes[path] = {"GET": self._model_metadata}
            self._routes[f"{path}/ready"] = {"GET": self._model_ready}
            self._routes[f"{path}/infer"] = {"POST": self._infer}

    def add_to_refusal(self, answer: Answer, fault: Exception, exchange: Exchange) -> None:
        """The faults of single columns; and the message under another name, where the Open Inference Protocol has it."""
        further: dict[str, Any] = {}
        if isinstance(fault, DrupeError) and (faults := fault.details.get("faults")):
            further["faults"] = faults
        if exchange.path.startswith("/v2"):
            further["error"] = json.loads(answer.body)["message"]
        if further:
            answer.body = json.dumps({**json.loads(answer.body), **further}, default=str).encode()

    async def answer(self, exchange: Exchange) -> Answer:
        """What the route answers. Raises DrupeError."""
        path, method = exchange.path, exchange.method
        if exchange.twins:
            check_told_once(exchange.twins)
        self._gate.check(method, path, exchange.headers)
        methods = self._routes.get(path)
        if methods is None:
            path = path.rstrip("/")  # which figures must not know it by: there is no end to such spellings
            methods = self._routes.get(path) if path else None
        if methods is None:
            if self._inference.is_of_another(path):
                raise NoSuchRoute(f"the model served here is {self._inference.name!r}: see /v2/models/{self._inference.name}")
            raise NoSuchRoute(f"nothing is served under {exchange.path[:200]}; predictions are asked with POST /invocations")
        handler = methods.get("GET" if method == "HEAD" else method)
        if handler is None:
            allowed = sorted({*methods, *(("HEAD",) if "GET" in methods else ())})
            raise MethodNotAllowed(f"{path} is asked with {' or '.join(allowed)}, not {method}", allowed=allowed)
        exchange.name = f"{method} {self._inference.route_of(path)}"
        return await handler(exchange)

    async def _invocations(self, exchange: Exchange) -> Answer:
        began = time.perf_counter()
        body = await whole(exchange.receive, exchange.headers, self._limits)
        content_type = exchange.headers.get(b"content-type")
        kind = None if content_type is None else content_type.decode("latin-1")
        if len(body) < LONG_BODY:
            asked = self._decoder.decode(body, kind)
        else:
            asked = await asyncio.to_thread(self._decoder.decode, body, kind)
        answered = await self._predicted(exchange, asked, began, len(body))
        headers = (JSON_HEADER,) if not asked.left_out else (JSON_HEADER, (LEFT_OUT_HEADER, _listed(asked.left_out)))
        return Answer(200, answered.answer, headers)

    async def _infer(self, exchange: Exchange) -> Answer:
        began = time.perf_counter()
        body = await whole(exchange.receive, exchange.headers, self._limits)
        length = exchange.headers.get(b"inference-header-content-length")
        read = self._inference.decode
        asked = read(body, length) if len(body) < LONG_BODY else await asyncio.to_thread(read, body, length)
        answered = await self._predicted(exchange, asked, began, len(body))
        content, headers = answered.answer
        return Answer(200, content, headers)

    async def _predicted(self, exchange: Exchange, asked: Asked, began: float, size_bytes: int) -> Answered:
        try:
            answered = await self._predictor.ask(asked)
        except DrupeError:
            raise
        except Exception as fault:  # the model's own
            log.warning("request %s: the model failed", exchange.request_id, exc_info=fault)
            told = str(fault).partition("\n")[0][:MESSAGE_MAX]
            raise ModelFailed(
                f"the model failed on this input: {type(fault).__name__}: {told} (request {exchange.request_id}, which the server's log has "
                f"more about). {self._shown.hint}",
                request_id=exchange.request_id,
            ) from fault
        if self._inference_log is not None:
            self._inference_log.note(exchange.request_id, asked, answered.predictions, time.perf_counter() - began, size_bytes)
        return answered

    async def _ping(self, exchange: Exchange) -> Answer:
        self._check_ready()
        return text_answer("\n")

    async def _version(self, exchange: Exchange) -> Answer:
        return text_answer(SPOKEN)

    def _check_ready(self) -> None:
        if not self.is_ready or self._predictor.is_stuck:
            raise Overloaded(
                "the server is about to end" if not self.is_ready else f"{self._predictor.lost} predictions have not come to an end"
            )

    async def _live(self, exchange: Exchange) -> Answer:
        return json_answer({"live": True})

    async def _ready(self, exchange: Exchange) -> Answer:
        self._check_ready()
        return json_answer({"ready": True})

    async def _server_metadata(self, exchange: Exchange) -> Answer:
        return json_answer(self._inference.server_metadata())

    async def _model_metadata(self, exchange: Exchange) -> Answer:
        return json_answer(self._inference.model_metadata())

    async def _model_ready(self, exchange: Exchange) -> Answer:
        self._check_ready()
        return json_answer({"name": self._inference.name, "ready": True})

    async def _openapi(self, exchange: Exchange) -> Answer:
        return json_answer(self._shown.openapi())

    async def _page(self, exchange: Exchange) -> Answer:
        host = exchange.headers.get(b"host", b"127.0.0.1").decode("latin-1")
        answer = text_answer(self._shown.page(f"http://{host}{self.prefix}"), kind="text/html; charset=utf-8")
        answer.headers = (
            *answer.headers,
            (b"content-security-policy", b"default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'self'"),
        )
        return answer

    async def _metrics(self, exchange: Exchange) -> Answer:
        return self.figures_answer()

    def numbers(self) -> dict[str, int]:
        """What the model was asked, and what of it the inference log has."""
        predictor, noted = self._predictor, self._inference_log
        return {
            "batches_total": predictor.batches,
            "predicted_total": predictor.predicted,
            "failed_total": predictor.failed,
            "timed_out_total": predictor.timed_out,
            "noted_total": 0 if noted is None else noted.noted,
            "unnoted_total": 0 if noted is None else noted.dropped,
            "waiting": predictor.waiting,
            "lost": predictor.lost,
        }


def _listed(names: Sequence[Any]) -> bytes:
    return ", ".join([quote(str(name)[:100]) for name in names[:LEFT_OUT_SHOWN]] + ["..."] * (len(names) > LEFT_OUT_SHOWN)).encode()
