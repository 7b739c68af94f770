"""Commands as a user types them: each in a process of its own, forked from one that has loaded the libraries."""

import importlib
import multiprocessing
import os
import signal
import subprocess
import sys
import tempfile
import traceback
from collections.abc import Mapping, Sequence
from pathlib import Path

_LOADED_ONCE = [
    *("torch", "pytorch_lightning", "sklearn.ensemble", "pandas", "disent_runner.stages.evaluate"),
    *("disent_runner.stages.job", "disent_runner.stages.parents", "disent_runner.sweep.run"),
    *("disent_runner.assembly.conf", "hydra_plugins.hydra_optuna_sweeper.optuna_sweeper"),
    *("hydra_plugins.hydra_joblib_launcher.joblib_launcher", "hydra_plugins.hydra_submitit_launcher.submitit_launcher"),
    "tests.warm",
]
"""What takes seconds to import, and reads nothing of the environment meanwhile."""
_ENTRIES = {
    "disent-run": ("disent_runner.commands.run", "run"),
    "disent-data": ("disent_runner.commands.data", "main"),
    "disent-report": ("disent_runner.commands.report", "main"),
    "disent-concept": ("disent_runner.commands.concept", "main"),
    "planned": ("tests.printed", "plan"),
}
_context = multiprocessing.get_context("forkserver")


class Typed:
    """A command under way, as `subprocess.Popen` has it."""

    def __init__(self, command: str, arguments: Sequence[str], *, folder: Path, environment: Mapping[str, str]) -> None:
        _context.set_forkserver_preload(_LOADED_ONCE)
        self.args = [command, *arguments]
        self._streams = [Path(tempfile.mkstemp(suffix=name)[1]) for name in ("out", "err")]
        given = (command, list(arguments), folder, dict(environment), self._streams)
        self._process = _context.Process(target=_type, args=given)
        self._process.start()

    @property
    def returncode(self) -> int | None:
        return self._process.exitcode

    def poll(self) -> int | None:
        return self._process.exitcode

    def send_signal(self, signum: int) -> None:
        assert self._process.pid is not None
        os.kill(self._process.pid, signum)

    def communicate(self, timeout: float = 300) -> tuple[str, str]:
        """What it printed, once it has ended. Raises TimeoutExpired."""
        self._process.join(timeout)
        if self._process.exitcode is None:
            self._process.kill()
            raise subprocess.TimeoutExpired(self.args, timeout)
        out, err = (path.read_text() for path in self._streams)
        for path in self._streams:
            path.unlink()
        return out, err


def run_typed(
    command: str, arguments: Sequence[str], *, folder: Path, environment: Mapping[str, str], timeout: float = 300
) -> subprocess.CompletedProcess[str]:
    """What `disent-run ARGUMENTS`, typed in a folder, printed and returned. Raises TimeoutExpired."""
    typed = Typed(command, arguments, folder=folder, environment=environment)
    out, err = typed.communicate(timeout)
    return subprocess.CompletedProcess(typed.args, typed.returncode or 0, out, err)


def _type(command: str, arguments: list[str], folder: Path, environment: dict[str, str], streams: list[Path]) -> None:
    signal.signal(signal.SIGINT, signal.default_int_handler)
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(folder)
    for number, path in enumerate([Path(os.devnull), *streams]):
        opened = os.open(path, os.O_RDWR | os.O_CREAT | os.O_TRUNC)
        os.dup2(opened, number)
        os.close(opened)
    sys.stdin, sys.stdout, sys.stderr = (open(number, mode) for number, mode in enumerate(("r", "w", "w")))  # noqa: PTH123, SIM115
    sys.argv = ["disent-run" if command == "planned" else command, *arguments]
    module, name = _ENTRIES[command]
    try:
        getattr(importlib.import_module(module), name)()
    except Exception:
        traceback.print_exc()
        sys.exit(1)
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
