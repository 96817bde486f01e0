"""Makes `docs/images/demo.svg`: runs the guided example in a real terminal and draws the last screens of it.

`python docs/screenshot.py` from a checkout that `make setup` has prepared. Colours and letters are the program's own.
"""

from __future__ import annotations

import os
import pty
import re
import struct
import sys
import tempfile
from fcntl import ioctl
from pathlib import Path
from termios import TIOCSWINSZ

import pyte
from rich.console import Console
from rich.style import Style
from rich.terminal_theme import MONOKAI
from rich.text import Text

ROOT = Path(__file__).parents[1]
COLUMNS, LINES, SHOWN = 112, 400, 66


def main() -> None:
    screen = pyte.Screen(COLUMNS, LINES)
    stream = pyte.ByteStream(screen)
    with tempfile.TemporaryDirectory() as folder:
        for chunk in output_of([sys.executable, str(ROOT / "docs/examples/demo.py"), "demo"], Path(folder)):
            stream.feed(chunk)
    lines = [line_of(screen, row) for row in range(screen.cursor.y + 1)]
    first = next(number for number, line in enumerate(lines) if "drupe runs compare" in line.plain)
    console = Console(width=COLUMNS, record=True, file=Path(os.devnull).open("w"), force_terminal=True)  # noqa: SIM115 - the console's
    for line in lines[first : first + SHOWN]:
        console.print(line, soft_wrap=True)
    svg = console.export_svg(title="make demo", theme=MONOKAI)
    # the drawing asks for a font from a foreign host; the system's own monospace font does
    svg = re.sub(r"@font-face \{.*?\}\s*", "", svg, flags=re.DOTALL).replace("Fira Code", "ui-monospace, Menlo, DejaVu Sans Mono")
    (ROOT / "docs/images/demo.svg").write_text(svg)


def output_of(command: list[str], folder: Path):  # type: ignore[no-untyped-def]
    """The bytes that `command` writes to a terminal of its own, as they come."""
    child, terminal = pty.fork()
    if child == 0:
        os.chdir(folder)
        environment = {**os.environ, "TERM": "xterm-256color", "COLORTERM": "truecolor", "COLUMNS": str(COLUMNS), "LINES": "50"}
        os.execvpe(command[0], command, environment)
    ioctl(terminal, TIOCSWINSZ, struct.pack("HHHH", 50, COLUMNS, 0, 0))
    while True:
        try:
            chunk = os.read(terminal, 65536)
        except OSError:  # the program has ended and closed its side
            break
        if not chunk:
            break
        yield chunk
    if os.waitpid(child, 0)[1] != 0:
        raise SystemExit("the example failed; run it by hand to see why")


def line_of(screen: pyte.Screen, row: int) -> Text:
    text = Text()
    for column in range(COLUMNS):
        cell = screen.buffer[row][column]
        colour = cell.fg if cell.fg != "default" else None
        if colour and re.fullmatch("[0-9a-f]{6}", colour):
            colour = "#" + colour
        elif colour:
            colour = {"brown": "yellow"}.get(colour, colour).replace("bright", "bright_").replace("bright_brown", "bright_yellow")
        text.append(cell.data, Style(color=colour, bold=cell.bold, italic=cell.italics, underline=cell.underscore, reverse=cell.reverse))
    text.rstrip()
    return text


if __name__ == "__main__":
    main()
