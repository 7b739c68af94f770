"""Entry points. Nothing heavy is imported before a job starts, so that help, config and mistakes answer at once."""

import gc
import logging
import os
import shutil
import sys
import traceback
from collections.abc import Sequence
from pathlib import Path

import hydra
from omegaconf import DictConfig

from disent_runner.assembly.below import PLAN, missing_below
from disent_runner.assembly.conf import CONF
from disent_runner.commands.completion import shell_to_install, words_beside_hydra
from disent_runner.commands.options import check_mode, in_order, version_text, without_comment
from disent_runner.machine.files import check_working_folder
from disent_runner.machine.interruption import OF_A_TERMINAL, Interrupted, stoppable
from disent_runner.machine.output import forgiving_output

_TRACEBACKS = os.environ.get("HYDRA_FULL_ERROR") == "1"


@hydra.main(version_base="1.3", config_path=str(CONF), config_name="run")
def _job(config: DictConfig) -> float | None:
    """One run, alone or of a sweep, where its mistake is its own; the number that a search asks for."""
    from hydra.core.hydra_config import HydraConfig
    from hydra.types import RunMode

    from disent_runner.runs.folder import RunInUse

    forgiving_output(at_any_cost=True)  # a launcher may have begun a process for it
    logging.captureWarnings(True)
    is_alone = HydraConfig.get().mode == RunMode.RUN
    try:
        return _run(config, Path(HydraConfig.get().runtime.output_dir), is_alone=is_alone)
    except Interrupted as interruption:
        if interruption.passed_on:
            _say(interruption)
            os.kill(os.getpid(), interruption.passed_on)
        raise  # through Hydra, and ends a sweep
    except RunInUse as error:
        if is_alone:
            _say(error)
            sys.exit(1)
        raise
    except Exception as error:
        if _TRACEBACKS and is_alone:
            raise
        _say(error)
        if is_alone:
            sys.exit(1)
        raise


def _run(config: DictConfig, folder: Path, *, is_alone: bool) -> float | None:
    from hydra.core.hydra_config import HydraConfig

    from disent_runner.runs.identity import request_of
    from disent_runner.runs.status import is_finished

    hydra = HydraConfig.get()
    request = request_of(config)
    if os.environ.get(PLAN) and is_alone:
        _show_plan(config, folder, request)
        return None
    may_write = os.access(folder, os.W_OK)
    is_looked_at = is_alone and may_write and not missing_below(config)  # else nothing could be made again
    if not is_looked_at and is_finished(folder, request):
        logging.getLogger("disent_runner").info("done before, in %s%s", folder, "" if may_write else " (read-only)")
    else:
        from disent_runner.assembly.recall import recalled
        from disent_runner.stages.job import run_job
        from disent_runner.sweep.loader import SWEEP

        asked = config if config.run is None else recalled(config, hydra.overrides.task)
        if asked.objective is not None:
            from disent_runner.sweep.objective import check_objective

            check_objective(asked)  # before hours of training
        if config.run is None:
            from disent_runner.stages.parents import train_missing

            train_missing(config, folder, _composed, request=request, sweep=hydra.job.env_set.get(SWEEP))
        try:
            chosen = hydra.runtime.choices
            origin = {
                "sweep": hydra.job.env_set.get(SWEEP),
                "recipe": chosen.get("experiment"),
                "preset": chosen.get("sweep"),
            }
            run_job(asked, folder, request=request, model_name=chosen.get("model"), origin=origin)
        finally:
            if not is_alone:
                gc.collect()  # a Trainer and its model refer to each other, and hold files open until they are found
        if is_alone:
            from disent_runner.stages.closing import say_end

            codes = "sampled" if asked.representation == "sampled" else "mean"
            subject = {"representation": codes, "factors": asked.factors, "part": asked.evaluation.part}
            say_end(folder, Path(config.output_root), **subject)
    if config.objective is None:
        return None
    from disent_runner.sweep.objective import objective

    return objective(config, folder)


def _composed(overrides: Sequence[str]) -> DictConfig:
    """The config of what would be typed for a run that this one stands on."""
    from hydra.core.global_hydra import GlobalHydra
    from hydra.core.hydra_config import HydraConfig
    from hydra.types import RunMode

    own = HydraConfig.get()
    searched = [line for line in own.overrides.hydra if line.lstrip("+").startswith("hydra.searchpath=")]
    loader = GlobalHydra.instance().config_loader()
    return loader.load_configuration(own.job.config_name, [*searched, *overrides], RunMode.RUN, from_shell=False)


def _show_plan(config: DictConfig, folder: Path, request: str) -> None:
    """Say what the command would do, and leave nothing."""
    from disent_runner.assembly.below import plan_lines
    from disent_runner.machine.console import console
    from disent_runner.machine.files import remove_empty

    for line in plan_lines(config, folder, request, _composed):
        console.print(line, highlight=False, markup=False, soft_wrap=True)
    remove_empty(folder, up_to=Path(config.output_root).absolute().parent)


def run() -> None:
    """`disent-run`: exit code 0 when every stage is done, 1 after a mistake, 128 + signal after an interruption."""
    forgiving_output(at_any_cost=True)
    sys.argv = without_comment(sys.argv)
    if {"--help", "-h"} & set(sys.argv[1:]):
        from disent_runner.commands.help import help_text

        print(help_text(CONF, shutil.get_terminal_size().columns if sys.stdout.isatty() else None))
        return
    shell = shell_to_install(sys.argv[1:])
    if shell is not None:
        print(words_beside_hydra(shell), flush=True)
        if shell == "zsh":
            return
    if "--version" in sys.argv[1:]:
        print(version_text())
        return
    from disent_runner.assembly.typed import as_read

    if "--plan" in sys.argv[1:]:
        sys.argv.remove("--plan")
        os.environ[PLAN] = "1"
    try:
        sys.argv[1:] = [as_read(argument) for argument in in_order(sys.argv[1:])]
        check_mode(sys.argv[1:])
    except ValueError as error:
        _say(error)
        sys.exit(1)
    # threads that wait for each other then leave their core to another run's, which may need it: two runs on two cores
    # each took 25 times as long while theirs spun; read when torch is loaded
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")
    os.environ["HYDRA_FULL_ERROR"] = "1"  # Hydra then raises, and the mistake is said in one line here
    try:
        check_working_folder()
        with stoppable(OF_A_TERMINAL):
            _job()
    except Interrupted as interruption:
        _say(interruption)
        logging.shutdown()
        sys.stdout.flush()
        # metrics may be at work in threads, which an orderly end would abort with a core dump
        os._exit(128 + interruption.signum)
    except Exception as error:
        if _TRACEBACKS:
            raise
        _say(error)
        sys.exit(1)


def _say(error: BaseException) -> None:
    """One line on the terminal; the traceback goes to run.log, if there is a run folder by now."""
    from disent_runner.assembly.mistakes import in_one_line

    log = logging.getLogger("traceback")
    if log.handlers:
        log.error("".join(traceback.format_exception(error)))
    print(f"disent-run: {in_one_line(error, CONF)}", file=sys.stderr)
