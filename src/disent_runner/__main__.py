"""`python -m disent_runner` is `disent-run`."""

import os
import sys
from contextlib import suppress
from pathlib import Path

with suppress(FileNotFoundError):  # of a working directory that is gone, which the command says
    if sys.path and sys.path[0] == os.getcwd() != str(Path(__file__).parents[1]):  # noqa: PTH109 - told as it is
        del sys.path[0]  # what lies in the working directory is not run, as it is not by `disent-run`

from disent_runner.commands.run import run

run()
