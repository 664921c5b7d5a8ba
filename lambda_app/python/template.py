"""A process that has imported all that a function needs, and is forked for each sandbox: an import is most of a start.

    python -m lambda_app.python.template

It gets an order a line on stdin, in JSON: `arguments` (`-m MODULE HANDLER`), `environment` and `log`, the file that the
fork writes to. On stdout it tells `{"pid": N}` for each order, in their order, and `{"pid": N, "status": S}` when a
fork has ended (negative: by that signal). A fork leads a session and a process group of its own. The template ends when
stdin does.

A fork gets its environment after the imports. So a template serves those only that agree on what is read while modules
are imported: the client, the authority and what is preloaded.
"""

import ctypes
import gc
import importlib
import json
import os
import runpy
import selectors
import signal
import sys
from typing import Any

from lambda_app.python import background, call, clients, loaded, shapes

__all__ = ["background", "call", "loaded", "shapes"]

RUNTIME_CLIENT = (
    "awslambdaric.lambda_runtime_marshaller",
    "awslambdaric.lambda_runtime_log_utils",
    "importlib.metadata",
    "http.client",
    "asyncio",
)
"""What AWS's runtime client and the handler import. `awslambdaric.lambda_runtime_client` is left to the fork: its part
in C keeps the address of the Runtime API from the moment of its import."""

Order = dict[str, Any]
STDIN, STDOUT, STDERR = 0, 1, 2


def main() -> None:
    """Serve orders; in a fork, run the function."""
    for module in RUNTIME_CLIENT:
        importlib.import_module(module)
    clients.import_library(os.environ["THAWLAB_CLIENT"])
    gc.collect()
    gc.freeze()  # forks share what is not touched, and a collection touches everything
    order = _serve()
    if order is not None:
        _run(order)


def _serve() -> Order | None:
    """The order, in the fork that is to carry it out; None in the template, at the end."""
    woken, wake = os.pipe()
    os.set_blocking(wake, False)
    signal.signal(signal.SIGCHLD, lambda number, frame: None)
    signal.set_wakeup_fd(wake)
    buffer = b""
    with selectors.DefaultSelector() as selector:
        selector.register(STDIN, selectors.EVENT_READ)
        selector.register(woken, selectors.EVENT_READ)
        while True:
            ready = {key.fd for key, _ in selector.select()}
            if woken in ready:
                os.read(woken, 4096)
                _reap()
            if STDIN in ready:
                data = os.read(STDIN, 65536)
                if not data:
                    return None
                *lines, buffer = (buffer + data).split(b"\n")
                for line in lines:
                    order: Order = json.loads(line)
                    if _forked(order):
                        os.close(woken)
                        os.close(wake)
                        return order


def _forked(order: Order) -> bool:
    """Whether this is the fork. The template goes on when the fork leads its own group."""
    ready, tell = os.pipe()
    pid = os.fork()
    if pid == 0:
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        os.setsid()
        os.close(ready)
        os.close(tell)
        _redirect(order["log"])
        os.environ.update(order["environment"])
        _take_clock()
        return True
    os.close(tell)
    os.read(ready, 1)  # ends when the fork has closed its end
    os.close(ready)
    _tell(pid=pid)
    return False


def _take_clock() -> None:
    """From now on see the jumps of this sandbox's clocks: the template has none (lambda_app/shims)."""
    page = os.environ.get("THAWLAB_CLOCK")
    attach = getattr(ctypes.CDLL(None), "thawlab_clock_attach", None) if page else None
    if attach is not None and page is not None:
        attach(page.encode())


def _redirect(log: str) -> None:
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, STDIN)
    os.close(nothing)
    output = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
    os.dup2(output, STDOUT)
    os.dup2(output, STDERR)
    os.close(output)


def _reap() -> None:
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return
        if pid == 0:
            return
        _tell(pid=pid, status=os.waitstatus_to_exitcode(status))


def _tell(**what: int) -> None:
    os.write(STDOUT, json.dumps(what).encode() + b"\n")


def _run(order: Order) -> None:
    _, module, *arguments = order["arguments"]
    sys.argv[1:] = arguments
    runpy.run_module(module, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
