"""Entry points. Nothing heavy is imported before a job starts, so that help, config and mistakes answer at once."""

import logging
import os
import sys
import traceback
from pathlib import Path

import hydra
from omegaconf import DictConfig, OmegaConf

from disent_runner.run_folder import run_id

_PACKAGED = Path(__file__).parent / "conf"
CONF = _PACKAGED if _PACKAGED.is_dir() else Path(__file__).parents[2] / "conf"
"""In the wheel beside this file; in a checkout at its top level."""

OmegaConf.register_new_resolver("run_id", lambda *, _root_: run_id(_root_), replace=True)


_TRACEBACKS = os.environ.get("HYDRA_FULL_ERROR") == "1"

_failed: list[Exception] = []
"""Jobs of a sweep that failed while the others went on."""


@hydra.main(version_base="1.3", config_path=str(CONF), config_name="run")
def _job(config: DictConfig) -> None:
    """One run. Its mistake ends the command, or in a sweep only this job: SystemExit is what passes through Hydra."""
    from hydra.core.hydra_config import HydraConfig
    from hydra.types import RunMode

    logging.captureWarnings(True)
    from disent_runner.interrupts import Interrupted
    from disent_runner.job import run_job

    try:
        run_job(config, Path(HydraConfig.get().runtime.output_dir))
    except Interrupted as interruption:
        _say(interruption)
        sys.exit(128 + interruption.signum)
    except Exception as error:
        if _TRACEBACKS:
            raise
        _say(error)
        if HydraConfig.get().mode == RunMode.RUN:
            sys.exit(1)
        _failed.append(error)


def run() -> None:
    """`disent-run`: exit code 0 when every stage is done, 1 after a mistake, 128 + signal after an interruption."""
    if {"--help", "-h"} & set(sys.argv[1:]):
        from disent_runner.cli_help import help_text

        print(help_text(CONF))
        return
    sys.path.append(str(Path.cwd()))  # a user's own classes, beside where the command is typed
    os.environ["HYDRA_FULL_ERROR"] = "1"  # Hydra then raises, and the mistake is said in one line here
    try:
        _job()
    except KeyboardInterrupt:
        print("disent-run: interrupted; the same command goes on from the last checkpoint", file=sys.stderr)
        sys.exit(130)
    except Exception as error:
        if _TRACEBACKS:
            raise
        _say(error)
        sys.exit(1)
    if _failed:
        print(f"disent-run: {len(_failed)} of the sweep's jobs failed, as said above", file=sys.stderr)
        sys.exit(1)


def _say(error: Exception) -> None:
    """One line on the terminal; the traceback goes to run.log, if there is a run folder by now."""
    from disent_runner.mistakes import in_one_line

    log = logging.getLogger("traceback")
    if log.handlers:
        log.error("".join(traceback.format_exception(error)))
    print(f"disent-run: {in_one_line(error, CONF)}", file=sys.stderr)
