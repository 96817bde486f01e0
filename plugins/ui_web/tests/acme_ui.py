"""A plugin of nobody's with parts of the UI that work, that fail in every way, and that cannot be offered; installed into a folder."""

from __future__ import annotations

from pathlib import Path

__all__ = ["install", "with_plugin"]

FRONT = """\
from drupe.extend import Offer, hookimpl
DRUPE_API = "1.0"

@hookimpl
def drupe_ui_extensions():
    from acme_ui import parts
    return [Offer(name, load=f"acme_ui.parts:{name}") for name in vars(parts) if name.isupper()] + [Offer("gone", load="acme_ui.parts:GONE")]
"""
PARTS = """\
from drupe.extend import UiExtension, UiPlace

def tab(title, module):
    return UiExtension(UiPlace.RUN_TAB, title, "acme_ui", f"ui/{module}.js")

FACTS = tab("Facts", "facts")
THROWS = tab("Throws", "throws")
LATER = tab("Throws later", "later")
ENDLESS = tab("Endless", "endless")
OTHER_API = tab("Other API", "other_api")
NO_MOUNT = tab("No mount", "no_mount")
NO_MODULE = tab("No module", "no_module")
NO_SYNTAX = tab("No syntax", "no_syntax")
WORDS = UiExtension(UiPlace.ARTIFACT_VIEWER, "Words", "acme_ui", "ui/words.js", matches=("*.txt",), max_bytes=1000)
ANY = UiExtension(UiPlace.ARTIFACT_VIEWER, "Any file", "acme_ui", "ui/words.js", matches=("*",))
CHART = UiExtension(UiPlace.CHART, "Last values", "acme_ui", "ui/chart.js")
PANEL = UiExtension(UiPlace.REGISTRY_PANEL, "Gates", "acme_ui", "ui/panel.js")
"""
FILES = {
    "__init__.py": FRONT,
    "parts.py": PARTS,
    "ui/facts.js": """\
import { line } from "./inside/line.js";
export const api = 1;
export async function mount(element, { run }, host) {
  const told = await host.fetchJson("api/2.0/mlflow/experiments/get", { query: { experiment_id: run.info.experiment_id } });
  const note = document.createElement("button");
  note.textContent = "Note it";
  note.addEventListener("click", () => host.setView("noted"));
  const value = line("");
  const show = (now) => (value.textContent = `last ${(now.data.metrics ?? []).map((one) => one.value).join()}`);
  show(run);
  host.onContext((context) => show(context.run));
  const theme = line("");
  host.onTheme((name) => (theme.textContent = `theme ${name}`));
  element.append(line(`${told.experiment.name}, ${host.formatBytes(1234567)}, view ${host.view}`), value, theme, note);
  return () => (document.body.dataset.left = "yes");
}
""",
    "ui/inside/line.js": "export const line = (text) => Object.assign(document.createElement('p'), { textContent: text });\n",
    "ui/throws.js": "export const api = 1;\nlet turn = 0;\nexport function mount(element) { element.append('half'); if (!globalThis.mended) throw new Error('no luck'); element.append(' done'); }\n",
    "ui/later.js": """\
export const api = 1;
export function mount(element, context, host) {
  const click = (text, act) => element.append(Object.assign(document.createElement("button"), { textContent: text, onclick: act }));
  click("In a listener", () => { throw new Error("thrown in a listener"); });
  click("In a promise", () => void Promise.reject(new Error("thrown in a promise")));
  host.onTheme((name) => { if (name === "dark") throw new Error("thrown in the dark"); });
  return () => { throw new Error("thrown at the end"); };
}
""",
    "ui/endless.js": "export const api = 1;\nexport const mount = () => new Promise(() => {});\n",
    "ui/other_api.js": "export const api = 2;\nexport function mount() {}\n",
    "ui/no_mount.js": "export const api = 1;\nexport default function mount() {}\n",
    "ui/no_syntax.js": "export const api = ;\n",
    "ui/words.js": """\
export const api = 1;
export async function mount(element, { file }, host) {
  const [text, part] = await Promise.all([file.text(1e6), file.read(2, 5)]);
  element.textContent = `${text.split(/\\s+/).length} words in ${file.address.replace(/.*\\//, "")}; bytes ${[...part].join()}`;
}
""",
    "ui/chart.js": """\
export const api = 1;
export function mount(element, { runs }, host) {
  element.textContent = `drawn: ${runs.map((run) => `${run.name} ${host.token(run.color)}`).join("; ")}`;
}
""",
    "ui/panel.js": "export const api = 1;\nexport function mount(element, { version }) { element.textContent = `gates of ${version.name} ${version.version}`; }\n",
    "ui/secret.py": "KEY = 'cherry-stone'\n",
    "hidden.js": "export const key = 'cherry-stone';\n",
}


def install(site: Path) -> Path:
    """Put the package and its metadata into a folder for PYTHONPATH; returns the folder of the package."""
    package = site / "acme_ui"
    for name, text in FILES.items():
        (package / name).parent.mkdir(parents=True, exist_ok=True)
        (package / name).write_text(text)
    (package / "ui/leads-out.js").symlink_to(package / "hidden.js")
    facts = site / "acme_ui-1.5.dist-info"
    facts.mkdir()
    (facts / "METADATA").write_text("Metadata-Version: 2.1\nName: acme-ui\nVersion: 1.5\n")
    (facts / "entry_points.txt").write_text("[drupe.plugins]\nacme-ui = acme_ui\n")
    return package


def with_plugin(site: Path) -> dict[str, str]:
    """The environment of a server that has the plugin."""
    return {"PYTHONPATH": str(site)}
