"""`python -m disent_runner` is `disent-run`."""

from disent_runner.commands.run import run

run()
