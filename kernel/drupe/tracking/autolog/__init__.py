"""Autologging: trainings are logged without a line of logging, by watching the functions that train.

`switch` turns it on and off, `on_import` waits for a library to be imported, `watching` is what happens around a call, `patches` puts watched
functions in place and takes them back, `deriving` sees new classes, `guard` keeps faults and repetition away from the user, `runs` is what is logged to, `releases` knows
tested versions. What is logged of a library is its autologger's work, see `drupe.extend.autologger`.
"""

from __future__ import annotations

from drupe.tracking.autolog.switch import autolog, autolog_library, has_autologger, reset

__all__ = ["autolog", "autolog_library", "has_autologger", "reset"]
