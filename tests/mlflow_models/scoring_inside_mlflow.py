"""Runs in MLflow's environment: asks MLflow's scoring server, by its application, a table of requests."""

import asyncio

import mlflow.pyfunc
from mlflow.pyfunc import scoring_server


def ask(argument):
    """(status, content type, body) for each request of `argument["requests"]`, which are [model, method, path, content type, body]."""
    apps = {name: scoring_server.init(mlflow.pyfunc.load_model(folder)) for name, folder in argument["folders"].items()}
    send = _by_flask if hasattr(next(iter(apps.values())), "test_client") else _by_asgi
    return [send(apps[model], method, path, kind, body.encode("latin-1")) for model, method, path, kind, body in argument["requests"]]


def _by_flask(app, method, path, kind, body):
    reply = app.test_client().open(path, method=method, data=body, content_type=kind)
    return [reply.status_code, reply.data.decode("utf-8", "replace")]


def _by_asgi(app, method, path, kind, body):
    headers = [(b"host", b"127.0.0.1"), (b"content-length", str(len(body)).encode())]
    headers += [] if kind is None else [(b"content-type", kind.encode())]
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "headers": headers,
        "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 80),
    }
    told = {"status": 500, "body": b""}
    given = [{"type": "http.request", "body": body, "more_body": False}]

    async def receive():
        if given:
            return given.pop()
        await asyncio.Event().wait()
        return None

    async def send(message):
        if message["type"] == "http.response.start":
            told["status"] = message["status"]
        else:
            told["body"] += message.get("body", b"")

    try:
        asyncio.run(app(scope, receive, send))
    except Exception:  # what its server answers with 500
        told["status"] = 500
    return [told["status"], told["body"].decode("utf-8", "replace")]
