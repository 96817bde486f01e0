"""Makes the pictures of the web UI in `docs/images/ui/`: fills a store with `docs/examples/tour.py`, and looks at it in Chromium.

`python docs/ui_pictures.py` from a checkout that `make setup` has prepared, with Debian's `chromium` installed; two minutes. The pictures have
256 colours, so that together they are smaller than half a megabyte.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from urllib.parse import urlencode

from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright

import drupe

ROOT = Path(__file__).parents[1]
PICTURES = ROOT / "docs" / "images" / "ui"
BROWSER = "/usr/bin/chromium"
MODEL = "digit-reader"


def main() -> None:
    PICTURES.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        script = shutil.copy(ROOT / "docs" / "examples" / "tour.py", Path(folder) / "train.py")
        environment = {**os.environ, "LOGNAME": "mara"}
        subprocess.run([sys.executable, script, folder], check=True, stdout=subprocess.DEVNULL, cwd=folder, env=environment)
        with served(Path(folder)) as address, sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=BROWSER, args=["--no-sandbox", "--disable-gpu"])
            Tour(browser, address, f"sqlite:///{folder}/drupe.db").take()
            browser.close()


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """`drupe ui` on the store in a folder; its address."""
    command = [sys.executable, "-m", "drupe", "ui", "--no-browser", "--port", "0"]
    with subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        try:
            yield next(found[0] for line in server.stdout if (found := re.search(r"http://\S+", line)))
        finally:
            server.terminate()


class Tour:
    """One walk through the pages, with a picture of each."""

    def __init__(self, browser: Browser, address: str, store: str) -> None:
        self.browser, self.address = browser, address
        client = drupe.MlflowClient(store)
        experiment = client.get_experiment_by_name("vision/digits/networks")
        assert experiment is not None
        self.digits = experiment.experiment_id
        runs = client.search_runs([self.digits], "tags.stage = 'sweep'", order_by=["metrics.`val/accuracy` DESC"], max_results=6)
        for run in client.search_runs([self.digits]):
            client.set_tag(run.info.run_id, "mlflow.source.name", "train.py")  # and not where it lay on this machine
        self.best = [run.info.run_id for run in runs]
        self.final = client.search_runs([self.digits], "tags.stage = 'final'", order_by=["start_time DESC"])[0].info.run_id

    def take(self) -> None:
        """All pictures, each named as the tour names it."""
        digits, best, sweep = f"/experiments/{self.digits}", f"/runs/{self.best[0]}", {"filter": "tags.stage = 'sweep'"}
        some = {"runs": ",".join(self.best[:4]), "same": "no"}
        self.picture("experiments", "/", ".grid-row", height=420)
        self.picture("runs", digits, "text=mlp-64", {**sweep, "order": "metrics.`val/accuracy` DESC"})
        self.picture("groups", digits, ".grid-row", {**sweep, "group": "params.hidden"}, height=420)
        self.picture("charts", digits, ".chart canvas", {**sweep, "tab": "charts", "bands": "params.learning_rate"})
        self.picture("compare", "/compare", "text=learning_rate", some)
        self.picture("relations", "/compare", "canvas", {**sweep, "experiments": self.digits}, height=1000)
        self.picture("run", f"/runs/{self.final}", "text=accuracy_score")
        self.picture("artifacts", best, "img", {"tab": "artifacts", "path": "evaluation/confusion_matrix.png"})
        self.picture("media", best, "input[type=range]", {"tab": "artifacts", "path": "images", "step": "16"}, height=700)
        self.picture("lineage", f"/runs/{self.final}", "svg rect", {"tab": "lineage"}, height=460)
        self.picture("version", f"/models/{MODEL}/2", "text=Metrics")
        self.picture("versions", f"/models/{MODEL}/2", "text=log_loss", {"tab": "compare", "with": "1"}, height=700)
        self.picture("dark", digits, "text=mlp-64", sweep, is_dark=True)
        self.picture("phone", best, ".chart canvas", {"tab": "charts"}, width=360, height=720)

    def picture(
        self,
        name: str,
        path: str,
        wait: str,
        query: Mapping[str, str] | None = None,
        *,
        width: int = 1280,
        height: int = 800,
        is_dark: bool = False,
    ) -> None:
        """Open a page, wait until it shows what it should, and write what is seen."""
        context = self.browser.new_context(
            viewport={"width": width, "height": height}, color_scheme="dark" if is_dark else "light", reduced_motion="reduce"
        )
        page = context.new_page()
        page.goto(f"{self.address}{path}?{urlencode(query or {})}")
        page.locator(wait).first.wait_for()
        settled(page)
        with Image.open(BytesIO(page.screenshot())) as seen:
            seen.convert("RGB").quantize(256, dither=Image.Dither.NONE).save(PICTURES / f"{name}.png", optimize=True)
        context.close()


def settled(page: Page) -> None:
    """Wait until nothing is asked for any more and nothing says that it is being loaded; the stream of changes never ends."""
    seen = "({ top, bottom }) => bottom > 0 && top < innerHeight"
    page.wait_for_function(
        f"() => ![...document.querySelectorAll('.waiting, .runs-coming')].some((one) => ({seen})(one.getBoundingClientRect()))"
    )
    page.wait_for_timeout(1500)


if __name__ == "__main__":
    main()
