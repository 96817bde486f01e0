"""Runs `drupe server` in children that are forked from a process which has imported it already: starting takes milliseconds.

Reads a folder a line, prints the child's process id and then its address.
"""

from __future__ import annotations

import os
import signal
import sys

import drupe_server_rest.command
import drupe_server_rest.serving
import drupe_store_local.repo
import drupe_store_sqlite.stores
from drupe.cli.main import main

READY = (drupe_server_rest.command, drupe_server_rest.serving, drupe_store_local.repo, drupe_store_sqlite.stores)

signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for the children
for line in sys.stdin:
    pid = os.fork()
    if pid == 0:
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        os.chdir(line.strip())
        sys.argv = ["drupe", "server", "--port", "0", "--durability", "normal"]
        main()
        os._exit(0)
    print("pid", pid, flush=True)
