"""`drupe`: the root of the command line. It knows words only; each command is imported when it is run.

Exit codes: 0 done, 1 failure, 2 usage, 3 a problem with a plugin, 130 interrupted. A failure is one paragraph on stderr; `--debug` adds
the traceback.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

import click

from drupe import __version__
from drupe.cli.lazy_group import LazyGroup, plugin_commands
from drupe.errors import DrupeError, PluginError

__all__ = ["COMMANDS", "main", "root"]

COMMANDS = {
    "experiments": ("drupe.cli.experiments:experiments", "Make, find, rename, delete and tag experiments"),
    "runs": ("drupe.cli.runs:runs", "List, show, compare and delete runs"),
    "metrics": ("drupe.cli.metrics:metrics", "Show and plot metric curves"),
    "artifacts": ("drupe.cli.artifacts:artifacts", "List, upload and download files of runs"),
    "models": ("drupe.cli.models:models", "Show logged models and predict with them"),
    "registry": ("drupe.cli.registry:registry", "Register models, move aliases and stages"),
    "plugins": ("drupe.cli.plugins:plugins", "See, check, enable and disable plugins"),
    "config": ("drupe.cli.config:config", "Show and change settings, with where they come from"),
    "doctor": ("drupe.cli.doctor:doctor", "Check that everything works, and say what to do"),
    "store": ("drupe.cli.store:store", "Back up, restore, upgrade, repair and copy a store"),
    "gc": ("drupe.cli.upkeep:gc", "Remove for good what was deleted"),
    "status": ("drupe.cli.status:status", "Show where runs and models are kept, and what is active"),
    "sync": ("drupe.cli.sync:sync", "Ship runs that wait in journals"),
    "import": ("drupe.cli.importing:import_", "Bring runs and models here from MLflow"),
    "export": ("drupe.cli.exporting:export", "Send runs and models to an MLflow server"),
    "completion": ("drupe.cli.completion:completion", "Print the completion script for a shell"),
}
FAILURE, USAGE, PLUGIN, INTERRUPTED = 1, 2, 3, 130


class _Options:
    """What was given before the command."""

    debug = False


@click.group(
    cls=LazyGroup,
    table=COMMANDS,
    plugins=plugin_commands,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Every command has examples: drupe runs list --help",
)
@click.option("--debug", is_flag=True, help="Show the traceback of an error.")
@click.version_option(__version__, prog_name="drupe", message="%(prog)s %(version)s")
@click.pass_context
def root(ctx: click.Context, debug: bool) -> None:
    """Track experiments, keep and load models, compare runs."""
    if isinstance(ctx.obj, _Options):
        ctx.obj.debug = debug
    if ctx.invoked_subcommand is None:
        click.echo(ctx.get_help())


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit code."""
    options = _Options()
    try:
        result = root.main(args=None if arguments is None else list(arguments), prog_name="drupe", obj=options, standalone_mode=False)
    except click.Abort:
        click.echo("Aborted.", err=True)
        return INTERRUPTED
    except click.ClickException as fault:
        fault.show()
        return fault.exit_code
    except Exception as fault:  # of anything that a command calls: models and plugins are other people's code
        return _failed(fault, debug=options.debug)
    return result if isinstance(result, int) else 0


def _failed(fault: Exception, *, debug: bool) -> int:
    if debug:
        import traceback  # here: only --debug pays for it

        traceback.print_exception(fault)
    if isinstance(fault, DrupeError):
        click.echo(f"drupe: {fault}", err=True)
        return PLUGIN if isinstance(fault, PluginError) else FAILURE
    from drupe.loading.calls import in_words  # here: only a fault of the program pays for it

    click.echo(
        f"drupe: unexpected {in_words(fault)}" + ("" if debug else "\nRun it again with drupe --debug for the traceback."),
        err=True,
    )
    return FAILURE


if __name__ == "__main__":
    sys.exit(main())
