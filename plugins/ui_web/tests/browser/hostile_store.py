"""A store whose every field holds what somebody hostile would write there: long, right to left, without width, HTML, script, CSS, templates.

The same seed makes the same store. What HTML there is would mark its elements with `data-taken`, its scripts would set `window.taken`, and
its addresses lead to `taken.invalid`, so that a page can be asked whether any of it came to life.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from random import Random

from attrs import frozen

from plugins.ui_web.tests.browser.making import Home, Made, experiment, keep

__all__ = ["HOST", "Hostile", "hostile_store"]

HOST = "taken.invalid"
SCRIPT = "window.taken=1;try{parent.taken=1;top.taken=1}catch(e){}"
PIECES = (
    f"<script data-taken>{SCRIPT}</script>",
    f'<img data-taken src=x onerror="{SCRIPT}">',
    f"<svg data-taken onload='{SCRIPT}'><script>{SCRIPT}</script></svg>",
    f'"><iframe data-taken src="//{HOST}/frame"></iframe>',
    f"'-->]]></style></title></textarea><b data-taken onmouseover={SCRIPT}>",
    f'<a data-taken href="javascript:{SCRIPT}">here</a>',
    f"<style data-taken>*{{display:none;background:url(//{HOST}/css)}}</style>",
    f"<link data-taken rel=stylesheet href=//{HOST}/link><base data-taken href=//{HOST}/>",
    f"[here](javascript:{SCRIPT}) ![picture](http://{HOST}/picture.png) [data](data:text/html,<script>{SCRIPT}</script>)",
    f"[![x](x)](vbscript:{SCRIPT}) <http://{HOST}/> <javascript:{SCRIPT}> `<b data-taken>`",
    f"expression({SCRIPT});url(javascript:{SCRIPT})}}*{{color:red}}",
    "{{7*7}} ${7*7} <%= 7*7 %> #{7*7} {{constructor.constructor('window.taken=1')()}}",
    "__proto__ constructor toString hasOwnProperty",
    "שלום عالم \u202ereversed\u202c \u2066isolated\u2069",
    "zero\u200bwidth\u200d\u2060\ufeff\u00ad",
    "👩‍👩‍👧‍👦🏳️‍🌈🍒" * 6,
    "Z͑ͫ̓ͪ̂ͫ̽͏̴̙̤̞͉͚̯̞̠͍A̴̵̜̰͔ͫ͗͢L̠ͨͧͩ͘G̴̻͈͍͔̹̑͗̎̅͛́Ǫ̵̹̻̝̳͂̌̌͘",
    "verylongword" * 20,
    "<" * 60,
    "a b " * 40,
    "\t\r\n\x1b[31mred\x1b[0m\x07",
    "%2e%2e%2f&lt;&#x3c;script&gt;\\u003cscript\\x3c",
    "=HYPERLINK(0)",
)
KEYS = ("k" * 240, "מפתח/שלום", "__proto__", "constructor", "a/b/c.d-e f:g", "0", "toString", "ключ " * 30)
CSV_ROWS = 30
BEGAN_MS = 1_760_000_000_000


@frozen
class Hostile:
    """Where it is: every page that shows something of it."""

    experiment_id: str
    run_ids: tuple[str, ...]
    model: str
    model_id: str
    files: tuple[str, ...]


def hostile_store(server: Home, seed: int) -> Hostile:
    """Fill the server's store; what a field cannot hold at all is cut from the texts for it."""
    text = _Texts(Random(seed))
    experiment_id = experiment(server, f"{text.of(120)}/{text.of(200)}/שלום")
    server.post("experiments/set-experiment-tag", experiment_id=experiment_id, key="mlflow.note.content", value=text.of(3000))
    run_ids = keep(server, experiment_id, [_run(text, n) for n in range(4)])
    server.post("runs/log-inputs", run_id=run_ids[0], datasets=[_dataset(text, n) for n in range(3)])
    child = server.new_run(experiment_id, run_name=text.of(250), tags=[{"key": "mlflow.parentRunId", "value": run_ids[0]}])
    files = _files(text)
    for path, content in files.items():
        assert server.put_file(f"{experiment_id}/{run_ids[0]}/artifacts/{path}", content).status == 200, path
    model = text.of(180).translate(str.maketrans("/:\r\n\t", "     ")).strip() + "m"
    server.post("registered-models/create", name=model, description=text.of(2000), tags=_tags(text))
    for _ in range(2):
        source = f"runs:/{run_ids[0]}/model"
        server.post(
            "model-versions/create", name=model, source=source, run_id=run_ids[0], description=text.of(2000), tags=_tags(text),
            run_link=f"javascript:{SCRIPT}",
        )  # fmt: skip
    for alias in ("a" * 200, "שלום", "constructor", "__proto__"):
        server.post("registered-models/alias", name=model, alias=alias, version="1")
    logged = server.post(
        "logged-models", experiment_id=experiment_id, name="שלום" + "m" * 150, model_type=text.of(200), source_run_id=run_ids[0],
        params=[{"key": key, "value": text.of(250)} for key in KEYS[:4]], tags=_tags(text),
    )  # fmt: skip
    return Hostile(experiment_id, (*run_ids, child), model, str(logged["model"]["info"]["model_id"]), tuple(files))


class _Texts:
    """Hostile texts, each another."""

    def __init__(self, random: Random) -> None:
        self._random = random

    def of(self, most: int) -> str:
        """A text of at most so many characters; short ones begin in the middle of things, too."""
        parts = [self._random.choice(PIECES) for _ in range(self._random.randint(1, 6))]
        found = self._random.choice((" ", "", "\n", "/")).join(parts)[:most].replace("\x00", "")
        return found if found.strip() else "<i data-taken>"

    def all(self) -> str:
        """Every piece, one a line."""
        return "\n\n".join(self._random.sample(PIECES, len(PIECES)))


def _run(text: _Texts, n: int) -> Made:
    tags = {f"tag {key}"[:250]: text.of(2000) for key in KEYS} | {
        "mlflow.note.content": text.all() if n == 0 else text.of(3000),
        "mlflow.user": text.of(200),
        "mlflow.source.name": text.of(300),
        "mlflow.source.type": text.of(40),
        "mlflow.source.git.commit": text.of(60),
        "mlflow.source.git.branch": text.of(100),
        "mlflow.source.git.repoURL": f"javascript:{SCRIPT}",
        "mlflow.project.entryPoint": text.of(60),
        "mlflow.log-model.history": text.of(500),
        "drupe.crash.signal": text.of(40),
        "drupe.crash.at": "5",
        "drupe.crash.reason": text.of(800),
    }
    series = {key: [0.5, float("nan"), 1e308 / (n + 1), -1.0 * n] for key in KEYS} | {
        "loss": [1.0 / (n + 1)],
        f"system/{KEYS[0]}": [1.0, 2.0],
    }
    return Made(text.of(250), BEGAN_MS + n, series, {key: text.of(2000) for key in KEYS}, tags)


def _dataset(text: _Texts, n: int) -> Mapping[str, object]:
    schema = json.dumps({"mlflow_colspec": [{"name": text.of(200), "type": text.of(50), "required": True} for _ in range(4)]})
    told = {"name": text.of(300), "digest": text.of(30), "source_type": text.of(50), "source": f"javascript:{SCRIPT}//{text.of(300)}"}
    tags = [{"key": "mlflow.data.context", "value": text.of(200)}]
    return {"dataset": {**told, "schema": schema if n else text.of(500), "profile": text.of(500)}, "tags": tags}


def _tags(text: _Texts) -> list[dict[str, str]]:
    return [{"key": key, "value": text.of(2000)} for key in KEYS[:6]]


def _files(text: _Texts) -> dict[str, bytes]:
    page = f"<!doctype html><title>{PIECES[0]}</title><body>{text.all()}<script>{SCRIPT}</script>"
    nested = {text.of(60): {text.of(60): [text.of(200), None, 1e308, {"__proto__": text.of(50)}]}, "__proto__": 1}
    rows = "".join(",".join('"' + text.of(200).replace('"', '""') + '"' for _ in range(6)) + "\n" for _ in range(CSV_ROWS))
    log = "".join(f"2026-11-26T14:03:0{n % 10}.123Z std{('out', 'err')[n % 2]} F {_line(text)}\n" for n in range(40))
    fault = f"flavors: [{_line(text)}\n"
    known = (
        "flavors:\n  python_function: {loader_module: %s}\n  %s: {a: %s}\nrun_id: %s\nmetadata: %s\nsignature: {inputs: %s, outputs: %s}\n"
    )
    quoted = [json.dumps(text.of(200)) for _ in range(4)]
    columns = json.dumps(json.dumps([{"type": text.of(40), "name": text.of(200)}]))
    environment = {key: text.of(300) for key in ("python", "platform", "command", "host")} | {"packages": [text.of(100)]}
    return {
        "<img data-taken src=x onerror=window.taken=1>.txt": text.all().encode(),
        "page <b data-taken>.html": page.encode(),
        "picture.svg": f'<svg xmlns="http://www.w3.org/2000/svg" onload="{SCRIPT}"><script>{SCRIPT}</script></svg>'.encode(),
        "read me.md": text.all().encode(),
        "rows.csv": (",".join(f'"{text.of(60).replace(chr(34), "")}{n}"' for n in range(6)) + "\n" + rows).encode(),
        "nested.json": json.dumps(nested).encode(),
        "list.yaml": f"- {json.dumps(text.of(300))}\n- !!python/object/apply:os.system [x]\n".encode(),
        "no picture.png": page.encode(),
        "שלום \u202egnp.exe": b"\x00\x01\x02",
        "deep/" + "d" * 120 + "/" + "e" * 120 + ".log": log.encode(),
        "logs/console.0001.log": log.encode(),
        "model/MLmodel": (known % (*quoted, json.dumps({text.of(20): text.of(50)}), columns, columns)).encode(),
        "broken/MLmodel": fault.encode(),
        "environment/environment.json": json.dumps(environment).encode(),
        "environment/requirements.txt": text.all().encode(),
        "environment/uncommitted.diff": f"diff --git a/{PIECES[0]} b/x\n@@ -1 +1 @@\n-{_line(text)}\n+{_line(text)}\n".encode(),
    }


def _line(text: _Texts) -> str:
    return text.of(400).replace("\r", " ").replace("\n", " ")
