"""`python -m disent_runner` is `disent-run`."""

import sys
from pathlib import Path

_HERE = Path.cwd()
if sys.path and Path(sys.path[0]) == _HERE != Path(__file__).parents[1]:
    del sys.path[0]  # what lies in the working directory is not run, as it is not by `disent-run`

from disent_runner.commands.run import run  # noqa: E402

run()
