"""Runs in MLflow's environment, where there is no drupe: takes jobs as lines of JSON, and forks MLflow's own server.

A job is a function of a script, with arguments; the answer is a line of JSON with what it returns or the traceback of its fault. The server is what
`mlflow server` starts, without the seconds that the command spends on starting more processes; it is a child, so that MLflow is imported once.
"""

import importlib.util
import json
import os
import shutil
import signal
import socket
import sys
import traceback
from pathlib import Path

_scripts = {}
_children = {}  # by port
_EMPTY = Path("empty.db")  # a database of a server that has just begun: making one takes seconds


def _script(path):
    if path not in _scripts:
        spec = importlib.util.spec_from_file_location(Path(path).stem, path)
        _scripts[path] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(_scripts[path])
    return _scripts[path]


def serve(store, artifacts, port=0):
    """Fork a server, on that port or one that is free; its address, when it takes connections."""
    import mlflow
    import mlflow.server.handlers  # in the parent, so that a second server does not import it again

    database = Path(store.removeprefix("sqlite:///"))
    if store.startswith("sqlite:") and _EMPTY.exists() and not database.exists():
        shutil.copyfile(_EMPTY, database)
    listening = socket.socket()
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listening.bind(("127.0.0.1", port))
    listening.listen(128)  # so connections wait from now on, and nobody has to ask whether it is up
    port = listening.getsockname()[1]
    child = os.fork()
    if child == 0:
        try:
            _serve(int(mlflow.__version__.split(".")[0]), store, artifacts, listening)
        finally:
            os._exit(1)
    _children[port] = child
    listening.close()
    return f"http://127.0.0.1:{port}"


def kill(address):
    """End a server as a power cut would."""
    child = _children.pop(int(address.rpartition(":")[2]))
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)


def _serve(major, store, artifacts, listening):
    signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.environ.update(
        {
            "_MLFLOW_SERVER_FILE_STORE": store,
            "_MLFLOW_SERVER_REGISTRY_STORE": store,
            "_MLFLOW_SERVER_ARTIFACT_ROOT": "mlflow-artifacts:/",
            "_MLFLOW_SERVER_ARTIFACT_DESTINATION": artifacts,
            "_MLFLOW_SERVER_SERVE_ARTIFACTS": "true",
        }
    )
    os.environ.pop("MLFLOW_TRACKING_URI", None)
    from mlflow.server import handlers

    handlers.initialize_backend_stores(store, store, "mlflow-artifacts:/")
    if store.startswith("sqlite:") and not _EMPTY.exists():
        shutil.copyfile(store.removeprefix("sqlite:///"), f"{_EMPTY}.part")
        os.replace(f"{_EMPTY}.part", _EMPTY)
    if major >= 3:
        import uvicorn
        from mlflow.server.fastapi_app import app

        uvicorn.Server(uvicorn.Config(app, log_level="warning")).run(sockets=[listening])
    else:
        from mlflow.server import app
        from werkzeug.serving import make_server

        make_server("127.0.0.1", 0, app, threaded=True, fd=listening.fileno()).serve_forever()


def apart(path, job, *arguments):
    """Do a job of a script in a child that is gone afterwards: what it sets, patches and imports is nobody else's."""
    work = getattr(_script(path), job)
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.close(reading)
            try:
                answer = {"answer": work(*arguments)}
            except BaseException:  # told to the test
                answer = {"fault": traceback.format_exc()}
            with open(writing, "w") as answers:
                json.dump(answer, answers)
        finally:
            os._exit(0)
    os.close(writing)
    with open(reading) as answers:
        told = answers.read()
    _, status = os.waitpid(child, 0)
    answer = json.loads(told) if told else {"fault": f"the child ended with status {status}"}
    if "fault" in answer:
        raise RuntimeError(answer["fault"])
    return answer["answer"]


_OWN = {"serve": serve, "kill": kill, "apart": apart}


def main():
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what libraries print is no answer
    try:
        for line in sys.stdin:
            asked = json.loads(line)
            try:
                job = _OWN.get(asked["job"]) or getattr(_script(asked["script"]), asked["job"])
                answer = {"answer": job(*asked["arguments"])}
            except BaseException:  # told to the test
                answer = {"fault": traceback.format_exc()}
            answers.write(json.dumps(answer) + "\n")
            answers.flush()
    finally:
        for child in _children.values():
            os.kill(child, signal.SIGKILL)


if __name__ == "__main__":
    main()
