"""The first thing that a script does: import the library, start a run, log one value."""

import importlib
import time

from opened import given, opened, say

began = time.perf_counter()
importlib.import_module(given["library"])
imported = time.perf_counter()
subject = opened()
opening = time.perf_counter()
subject.begin()
subject.log("loss", 0.5, step=0)
first = time.perf_counter() - opening
subject.finish()
say(import_ms=(imported - began) * 1000, first_ms=first * 1000)
