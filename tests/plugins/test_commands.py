"""The root of the command line, and the commands that plugins add to it."""

from __future__ import annotations

import json
from importlib.util import find_spec
from typing import Any

HEAD = 'from drupe.extend import Offer, hookimpl\nDRUPE_API = "1.0"\n'
MAIL = HEAD + "@hookimpl\ndef drupe_cli_commands():\n    return [Offer('mail', load='acme_mail.cli:mail', help='Send reports by mail')]\n"
CLI = """
import click
from drupe.errors import InvalidValue

@click.command()
@click.argument("to")
def mail(to):
    '''Send reports.'''
    if to == "fail":
        raise InvalidValue("nobody is called 'fail'; give an address")
    if to == "crash":
        raise ZeroDivisionError("oops")
    if to == "three":
        click.get_current_context().exit(7)
    click.echo(f"sent to {to}")
"""


def test_a_command_of_a_plugin_is_listed_run_and_completed(house: Any) -> None:
    house.install("mail", MAIL, files={"cli.py": CLI})
    assert "mail  Send reports by mail (mail)" in " ".join(house.drupe("--help").out.split()).replace(" Send", "  Send")
    assert house.drupe("mail", "me").out == "sent to me\n"
    done = house.drupe(_DRUPE_COMPLETE="bash_complete", COMP_WORDS="drupe ma", COMP_CWORD="1")
    assert done.out == "plain,mail\n"


def test_a_plugin_cannot_take_a_built_in_word(house: Any) -> None:
    house.install("mail", MAIL.replace("'mail', load", "'config', load"), files={"cli.py": CLI})
    assert house.drupe("config", "path").code == 0
    assert "mail" not in house.drupe("--help").out


def test_a_broken_command_is_a_problem_with_a_plugin_and_only_of_that_command(house: Any) -> None:
    house.install("mail", MAIL, files={"cli.py": "raise SystemExit('no')"})
    done = house.drupe("mail", "me")
    assert (done.code, done.out) == (3, "")
    assert done.err.startswith("drupe: command 'mail' of mail cannot be used: acme_mail.cli:mail cannot be imported: SystemExit: no")
    assert house.drupe("--help").code == 0


def test_a_failure_is_one_paragraph_and_the_exit_code_one(house: Any) -> None:
    house.install("mail", MAIL, files={"cli.py": CLI})
    done = house.drupe("mail", "fail")
    assert (done.code, done.out, done.err) == (1, "", "drupe: nobody is called 'fail'; give an address (DRP-0100)\n")


def test_a_fault_of_the_program_shows_its_traceback_only_with_debug(house: Any) -> None:
    house.install("mail", MAIL, files={"cli.py": CLI})
    plain, debug = house.drupe("mail", "crash"), house.drupe("--debug", "mail", "crash")
    assert (plain.code, debug.code) == (1, 1)
    assert "Traceback" not in plain.err
    assert "ZeroDivisionError: oops" in plain.err
    assert 'acme_mail/cli.py", line' in debug.err


def test_a_command_can_choose_its_exit_code(house: Any) -> None:
    house.install("mail", MAIL, files={"cli.py": CLI})
    assert house.drupe("mail", "three").code == 7


def test_wrong_usage_has_the_exit_code_two_and_a_typo_gets_the_nearest_word(house: Any) -> None:
    typo, missing = house.drupe("exprements"), house.drupe("config", "get")
    assert (typo.code, missing.code) == (2, 2)
    assert "there is no command 'exprements'; did you mean 'experiments'?" in typo.err
    assert house.drupe("--nope").code == 2


def test_drupe_alone_shows_the_help_and_version_the_version(house: Any) -> None:
    assert house.drupe().out == house.drupe("--help").out
    assert house.drupe("--version").out.startswith("drupe 0.")


def test_a_bad_settings_file_leaves_help_and_the_commands_that_repair_it(house: Any) -> None:
    file = house.work / "drupe.toml"
    file.write_text('traking_uri = "x"\n')
    shown = house.drupe("--help")
    assert shown.code == 0
    assert f"{file}: there is no setting 'traking_uri'; did you mean 'tracking_uri'?" in shown.err
    assert house.drupe("plugins").code == 1
    assert house.drupe("config", "path").code == 0


def test_check_names_every_rule_that_a_front_door_breaks(house: Any) -> None:
    front = "import json\nfrom drupe.errors import DrupeError\n" + HEAD + "# filler\n" * 40
    front += "@hookimpl\ndef drupe_artifact_repos():\n    import csv\n    return [Offer('far', load='acme_far.repo:Repo', requires=('acme_x',))]\n"
    front += "@hookimpl\ndef drupe_event(event):\n    import smtplib\n"
    house.install("far", front)
    done = house.drupe("plugins", "check", "far", "--json")
    assert done.code == 3
    found = {finding["rule"]: (finding["is_kept"], finding["detail"]) for finding in json.loads(done.out)}
    assert found == {
        "it is active": (True, "active"),
        "the front door imports only __future__, typing, drupe.extend": (False, "it imports csv, drupe.errors, json"),
        "the front door has fewer than 40 lines": (False, "51 lines"),
        "DRUPE_API says for which API it was written": (True, "1.0; this drupe has 1.0"),
        "drupe_artifact_repos: far loads and keeps its contract": (
            False,
            "artifact repository 'far' of far needs acme_x, which is not installed: pip install acme_x",
        ),
    }


def test_every_plugin_of_this_repository_keeps_the_rules(house: Any) -> None:
    done = house.drupe("plugins", "check", "--json")
    absent = [f"needs {name}, which is not installed" for name in ("torch", "shap") if find_spec(name) is None]
    broken = [one for one in json.loads(done.out) if not one["is_kept"] and not any(reason in one["detail"] for reason in absent)]
    assert broken == []


def test_show_tells_why_a_plugin_is_broken_and_debug_shows_where(house: Any) -> None:
    house.install("faulty", "raise ValueError('no')")
    assert "importing it raised ValueError: no" in house.drupe("plugins", "show", "faulty").out
    assert "Traceback" in house.drupe("--debug", "plugins", "show", "faulty").err


def test_a_command_can_stand_below_a_built_in_noun(house: Any) -> None:
    house.install("mail", MAIL.replace("'mail', load", "'models mail', load"), files={"cli.py": CLI})
    assert "mail  Send reports by mail (mail)" in " ".join(house.drupe("models", "--help").out.split()).replace(" Send", "  Send")
    assert house.drupe("models", "mail", "me").out == "sent to me\n"
    assert "reports" not in house.drupe("--help").out
    done = house.drupe(_DRUPE_COMPLETE="bash_complete", COMP_WORDS="drupe models ma", COMP_CWORD="2")
    assert done.out == "plain,mail\n"


def test_a_plugin_cannot_take_a_built_in_verb(house: Any) -> None:
    house.install("mail", MAIL.replace("'mail', load", "'models show', load"), files={"cli.py": CLI})
    assert "Send reports" not in house.drupe("models", "--help").out
    assert house.drupe("models", "show", "me").code == 1
