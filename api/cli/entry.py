"""Where the command `dealstate` begins. What is not needed is not loaded."""

import sys


def main() -> None:
    """Run the command line with the arguments of this process."""
    if sys.argv[1:] in (["--version"], ["-V"]):
        from importlib.metadata import version

        print(f"dealstate {version('dealstate')}")
        return
    # Loading modules makes no garbage; the collector starts once a store is opened.
    import gc

    gc.disable()
    from api.cli.root import app

    app(prog_name="dealstate")
