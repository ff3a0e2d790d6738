"""Runs `dealstate` in processes that need not load it: each is forked off one that has.

The orders come on standard input, one a line: arguments, directory, environment, and the file that
takes what is printed. The answer to each is the status that the process ended with, as
`os.waitpid` gives it.
"""

import gc
import json
import os
import signal
import sys
from importlib import import_module
from typing import Any

from api.cli.entry import main
from api.cli.root import COMMANDS

PATIENCE_SECONDS = 120
LATER = ["sqlalchemy.dialects.sqlite"]
"""What nearly all commands load while they run."""


def serve() -> None:
    """Take orders until there are no more; returns in each process that is to run a command."""
    for line in sys.stdin:
        order = json.loads(line)
        child = os.fork()
        if child == 0:
            become(order)
            return
        _, status = os.waitpid(child, 0)
        sys.stdout.write(f"{status}\n")
        sys.stdout.flush()
    sys.exit()


def become(order: dict[str, Any]) -> None:
    """Make this process what it would be, had the shell started it."""
    # Who takes too long is killed.
    signal.alarm(PATIENCE_SECONDS)
    os.environ.clear()
    os.environ.update(order["env"])
    os.chdir(order["cwd"])
    nothing = os.open(os.devnull, os.O_RDONLY)
    into = os.open(order["into"], os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    os.dup2(nothing, 0)
    for stream in (1, 2):
        os.dup2(into, stream)
    sys.argv = ["dealstate", *order["args"]]


if __name__ == "__main__":
    gc.disable()
    for module in sorted({f"api.cli.{name}" for name in COMMANDS.values()}) + LATER:
        import_module(module)
    gc.freeze()
    serve()
    main()
