"""Commands as a user types them: each in a process of its own, forked from one that has loaded the libraries."""

import importlib
import multiprocessing
import os
import signal
import subprocess
import sys
import traceback
from collections.abc import Mapping, Sequence
from pathlib import Path

_LOADED_ONCE = ["torch", "pytorch_lightning", "sklearn.ensemble", "pandas", "disent_runner.stages.evaluate"]
"""What takes seconds to import, and reads nothing of the environment meanwhile."""
_ENTRIES = {
    "disent-run": ("disent_runner.commands.run", "run"),
    "disent-data": ("disent_runner.commands.data", "main"),
    "disent-report": ("disent_runner.commands.report", "main"),
}
_context = multiprocessing.get_context("forkserver")


def run_typed(
    command: str, arguments: Sequence[str], *, folder: Path, environment: Mapping[str, str], timeout: float = 300
) -> subprocess.CompletedProcess[str]:
    """What `disent-run ARGUMENTS`, typed in a folder, printed and returned. Raises TimeoutExpired."""
    _context.set_forkserver_preload(_LOADED_ONCE)
    streams = [folder / ".stdout", folder / ".stderr"]
    process = _context.Process(target=_type, args=(command, list(arguments), folder, dict(environment), streams))
    process.start()
    process.join(timeout)
    if process.exitcode is None:
        process.kill()
        raise subprocess.TimeoutExpired([command, *arguments], timeout)
    printed = [path.read_text() for path in streams]
    for path in streams:
        path.unlink()
    return subprocess.CompletedProcess([command, *arguments], process.exitcode, *printed)


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
    sys.argv = [command, *arguments]
    module, name = _ENTRIES[command]
    try:
        getattr(importlib.import_module(module), name)()
    except Exception:
        traceback.print_exc()
        sys.exit(1)
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
