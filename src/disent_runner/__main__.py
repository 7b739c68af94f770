"""`python -m disent_runner` is `disent-run`."""

from disent_runner.cli import run

run()
