"""Stands in the place of `python` and `drupe`: has the program forked by the nest, and is to its caller as the program is.

Signals are passed on, the exit status and the signal that killed the program are its own, and when this is killed so is the program. What the nest
cannot do as the real one would, the real one does. Only the standard library's quickest parts are imported.
"""

import _socket
import os
import select
import signal
import sys

PASSED_ON = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT, signal.SIGUSR1, signal.SIGUSR2)
OF_THE_INTERPRETER = (
    "PYTHONPATH",
    "PYTHONWARNINGS",
    "PYTHONDEVMODE",
    "PYTHONSTARTUP",
    "PYTHONFAULTHANDLER",
    "PYTHONHASHSEED",
    "PYTHONUTF8",
    "PYTHONIOENCODING",
)


def main(nest: str, name: str, words: list[str]) -> None:
    program = ["drupe", *words] if name == "drupe" else words
    if (
        not program
        or (program[0].startswith("-") and program[0] not in ("-c", "-m"))
        or any(os.environ.get(one) for one in OF_THE_INTERPRETER)
        or not streams()
    ):
        real = os.path.join(os.path.dirname(sys.executable), name)
        os.execv(real, [real, *words])
    signals = hear_signals()
    environment = b"\0".join(name + b"=" + value for name, value in os.environb.items())
    asked = b"\0".join([os.fsencode(os.getcwd()), environment, b"", b"\0".join(map(os.fsencode, program))]) + b"\0\0\n"
    connection = _socket.socket(_socket.AF_UNIX, _socket.SOCK_STREAM)
    connection.connect(nest)
    number = b"".join(one.to_bytes(4, sys.byteorder) for one in (0, 1, 2))
    sent = connection.sendmsg([asked], [(_socket.SOL_SOCKET, _socket.SCM_RIGHTS, number)])
    while sent < len(asked):
        sent += connection.send(asked[sent:])
    told = b""
    while b"\n" not in told:
        told += connection.recv(100)
    child = int(told.split()[1])
    poll = select.poll()
    poll.register(connection, select.POLLIN)
    poll.register(signals, select.POLLIN)
    while b"status" not in told or not told.endswith(b"\n"):
        for descriptor, _ in poll.poll():
            if descriptor == signals:
                for one in os.read(signals, 100):
                    pass_on(child, one)
                continue
            more = connection.recv(100)
            if not more:
                os._exit(125)
            told += more
    status = int(told.split()[-1])
    if os.WIFSIGNALED(status):
        signal.signal(os.WTERMSIG(status), signal.SIG_DFL) if os.WTERMSIG(status) != signal.SIGKILL else None
        os.kill(os.getpid(), os.WTERMSIG(status))
    os._exit(os.WEXITSTATUS(status))


def hear_signals() -> int:
    """From now on signals are bytes to be read here: a handler in Python would not be called for one that comes just before a wait."""
    heard, told = os.pipe()
    os.set_blocking(told, False)
    signal.set_wakeup_fd(told)
    for one in PASSED_ON:
        if signal.getsignal(one) != signal.SIG_IGN:
            signal.signal(one, lambda number, frame: None)
    return heard


def pass_on(child: int, number: int) -> None:
    try:  # noqa: SIM105 - contextlib takes as long to import as all of this
        os.kill(child, number)
    except ProcessLookupError:  # it has ended, and its status is on the way
        pass


def streams() -> bool:
    """Whether all three are open."""
    try:
        for number in (0, 1, 2):
            os.fstat(number)
    except OSError:
        return False
    return True
