"""The scoring server as one ASGI application: the gate, then MLflow's scoring protocol, the Open Inference Protocol, health and figures.

Everything passes here, and everything that is answered, errors too, is answered here.
"""

from __future__ import annotations

import asyncio
import json
import logging
import re
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Any
from urllib.parse import quote

from drupe.errors import DrupeError, InvalidValue
from drupe_asgi.answers import JSON as JSON_HEADER, Answer, fault_answer, json_answer, send_answer, text_answer
from drupe_asgi.bodies import ClientGone, Limits, whole
from drupe_asgi.errors import MethodNotAllowed, NoSuchRoute
from drupe_asgi.exchange import Exchange, Receive, Scope, Send
from drupe_asgi.figures import Counted, Figures, Number
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
CLIENT_GONE = 499
LONG_BODY = 256 << 10  # from here on others are served while a thread reads it
MESSAGE_MAX = 300
LEFT_OUT_HEADER = b"drupe-left-out"
"""Of answers to requests with columns or params that the model does not take: their names, percent-encoded, with commas between them."""
LEFT_OUT_SHOWN = 20
_OWN_ID = re.compile(rb"[\w.:-]{1,128}")

log = logging.getLogger("drupe.serving")
access_log = logging.getLogger("drupe.server.access")
Handler = Callable[[Exchange], Awaitable[Answer]]


class Application:
    """One model, served."""

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
        self._predictor, self._decoder, self._inference, self._shown = predictor, decoder, inference, shown
        self._gate, self._prefix, self._limits, self._inference_log, self._place = (
            gate,
            prefix.rstrip("/"),
            limits or Limits(),
            inference_log,
            place,
        )
        self._figures = Figures()
        self._before: dict[str, float] = {}
        self.is_ready = True
        if place is not None and (before := place.kept()) is not None:
            self._figures.add(before)
            self._before = before["numbers"]
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

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            return
        began = time.perf_counter()
        exchange = Exchange(scope, receive, send, self._prefix)
        try:
            if (own_id := exchange.headers.get(b"x-request-id")) is not None and _OWN_ID.fullmatch(own_id):
                exchange.request_id = own_id.decode()
            if b"%" in scope["raw_path"]:
                exchange.decode_path(scope["raw_path"], self._prefix)
            await send_answer(exchange, await self._answer(exchange))
        except ClientGone:
            exchange.status = CLIENT_GONE
        except RecursionError:  # whatever went down into it
            await self._refuse(exchange, InvalidValue("the request is nested too deeply to be read"))
        except Exception as fault:  # a DrupeError is an answer; anything else is a fault of ours, and is told to the log only
            await self._refuse(exchange, fault)
        took = time.perf_counter() - began
        self._figures.count(exchange.name, exchange.status, took)
        if access_log.isEnabledFor(logging.INFO):
            client = scope.get("client") or ("", 0)
            line = {"id": exchange.request_id, "client": client[0], "method": exchange.method, "path": scope["path"]}
            access_log.info(json.dumps({**line, "status": exchange.status, "ms": round(took * 1000, 2)}))

    def keep_counts(self) -> None:
        """Leave what was counted for the other workers."""
        if self._place is not None:
            self._place.keep(self._counted())

    async def _refuse(self, exchange: Exchange, fault: Exception) -> None:
        if not isinstance(fault, DrupeError):
            log.error("request %s, %s %s: a fault of the server", exchange.request_id, exchange.method, exchange.path[:200], exc_info=fault)
        if exchange.is_answering:  # the connection is closed with the answer unfinished, which is how the client learns of it
            return
        answer = fault_answer(fault, exchange.request_id)
        further: dict[str, Any] = {}
        if isinstance(fault, DrupeError) and (faults := fault.details.get("faults")):
            further["faults"] = faults
        if exchange.path.startswith("/v2"):  # where the message has another name
            further["error"] = json.loads(answer.body)["message"]
        if further:
            answer.body = json.dumps({**json.loads(answer.body), **further}, default=str).encode()
        if not exchange.is_over and not exchange.is_read:
            await exchange.drain()
            if not exchange.is_over:
                answer.headers = (*answer.headers, (b"connection", b"close"))
        await send_answer(exchange, answer)

    async def _answer(self, exchange: Exchange) -> Answer:
        path, method = exchange.path, exchange.method
        if exchange.twins:
            check_told_once(exchange.twins)
        self._gate.check(method, path, exchange.headers)
        methods = self._routes.get(path)
        if methods is None:
            methods = self._routes.get(path.rstrip("/")) if len(path) > 1 else None
        if methods is None:
            if self._inference.is_of_another(path):
                raise NoSuchRoute(f"the model served here is {self._inference.name!r}: see /v2/models/{self._inference.name}")
            raise NoSuchRoute(f"nothing is served under {path[:200]}; predictions are asked with POST /invocations")
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
        answered = await self._predicted(exchange, asked, began)
        headers = (JSON_HEADER,) if not asked.left_out else (JSON_HEADER, (LEFT_OUT_HEADER, _listed(asked.left_out)))
        return Answer(200, answered.answer, headers)

    async def _infer(self, exchange: Exchange) -> Answer:
        began = time.perf_counter()
        body = await whole(exchange.receive, exchange.headers, self._limits)
        length = exchange.headers.get(b"inference-header-content-length")
        read = self._inference.decode
        asked = read(body, length) if len(body) < LONG_BODY else await asyncio.to_thread(read, body, length)
        answered = await self._predicted(exchange, asked, began)
        content, headers = answered.answer
        return Answer(200, content, headers)

    async def _predicted(self, exchange: Exchange, asked: Asked, began: float) -> Answered:
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
            self._inference_log.note(exchange.request_id, asked, answered.predictions, time.perf_counter() - began)
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
        answer = text_answer(self._shown.page(f"http://{host}{self._prefix}"), kind="text/html; charset=utf-8")
        answer.headers = (
            *answer.headers,
            (b"content-security-policy", b"default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'self'"),
        )
        return answer

    async def _metrics(self, exchange: Exchange) -> Answer:
        counted = self._counted()
        figures = Figures()
        figures.add(counted)
        numbers = dict(counted["numbers"])
        if self._place is not None:
            self._place.keep(counted)
            for other in self._place.others():
                figures.add(other)
                for name, value in other["numbers"].items():
                    numbers[name] = numbers.get(name, 0) + value
        text = figures.text(_number(name, numbers.get(name, 0)) for name in _TOLD)
        return text_answer(text, kind="text/plain; version=0.0.4; charset=utf-8")

    def _counted(self) -> Counted:
        predictor, noted = self._predictor, self._inference_log
        numbers = {
            "batches_total": predictor.batches,
            "predicted_total": predictor.predicted,
            "failed_total": predictor.failed,
            "timed_out_total": predictor.timed_out,
            "noted_total": 0 if noted is None else noted.noted,
            "unnoted_total": 0 if noted is None else noted.dropped,
        }
        numbers = {name: value + self._before.get(name, 0) for name, value in numbers.items()}  # type: ignore[misc]
        return self._figures.counted(**numbers, waiting=predictor.waiting, lost=predictor.lost)


def _listed(names: Sequence[Any]) -> bytes:
    return ", ".join([quote(str(name)[:100]) for name in names[:LEFT_OUT_SHOWN]] + ["..."] * (len(names) > LEFT_OUT_SHOWN)).encode()


_TOLD = {
    "predicted_total": ("counter", "Requests that the model has predicted."),
    "failed_total": ("counter", "Requests that the model has failed on."),
    "batches_total": ("counter", "Calls of the model; fewer than requests, where several are predicted together."),
    "timed_out_total": ("counter", "Requests that were answered before the model was."),
    "waiting": ("gauge", "Requests that wait for the model."),
    "lost": ("gauge", "Predictions that nobody waits for any more and that have not come to an end."),
    "noted_total": ("counter", "Requests that the inference log has."),
    "unnoted_total": ("counter", "Requests that the inference log could not keep up with."),
}


def _number(name: str, value: float) -> Number:
    kind, told = _TOLD[name]
    return f"drupe_model_{name}", kind, value, told
