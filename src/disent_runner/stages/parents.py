"""What a run stands on, trained first where it is missing."""

import logging
import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path

from omegaconf import DictConfig, open_dict

from disent_runner.assembly import build
from disent_runner.assembly.below import folder_of, missing_below, parents_of
from disent_runner.machine.console import Formatter, LogFile
from disent_runner.models.frozen import Frozen
from disent_runner.runs.checkpoint_files import remove_torn
from disent_runner.runs.folder import RunInUse, exclusive
from disent_runner.runs.identity import request_of
from disent_runner.runs.lineage import is_trained
from disent_runner.runs.ownership import check_same_data
from disent_runner.runs.status import is_finished, read_status, write_status
from disent_runner.stages.job import places_of_parents, run_job

log = logging.getLogger(__name__)
SECONDS_BETWEEN_LOOKS = 2.0

Compose = Callable[[Sequence[str]], DictConfig]


def train_missing(
    config: DictConfig, folder: Path, compose: Compose, *, request: str, sweep: str | None = None
) -> None:
    """Train each run that the config's model stands on and that is not there, the lowest first, in its own folder.

    `compose` gives the config of a run from what would be typed for it. In a `sweep`, which trains them before, one
    that failed there is not tried again: RuntimeError. What fails is said in the `folder` of the config's run too.
    """
    if not missing_below(config):
        return
    try:
        _tried(config, folder, compose)
        _train_missing(config, compose, sweep=sweep)
    except Exception as error:
        with suppress(RunInUse, OSError), exclusive(folder):
            write_status(folder, "failed", request=request, error=" ".join(str(error).split()))
        raise


def check_below(config: DictConfig, folder: Path, compose: Compose) -> None:
    """ValueError where the config's run could not stand on those below that are missing, before any of them trains."""
    if missing_below(config):
        _tried(config, folder, compose)


def _tried(config: DictConfig, folder: Path, compose: Compose) -> Frozen:
    """The model, untrained, on untrained ones where they are missing, which may be nothing that it can stand on."""
    datamodule, below = build.build_data(config), {}
    for name, overrides in missing_below(config).items():
        composed = compose(overrides)
        try:
            below[name] = _tried(composed, Path(folder_of(composed)), compose)
        except ValueError as error:  # which names settings as that run has them
            raise ValueError(f"{name}: {error}") from error
    model = build.build_model(config, datamodule.training.info, folder=folder, below=below)
    check_same_data(datamodule.dataset, places_of_parents(model))
    model.check_training(datamodule.training)
    datamodule.source_for(model)
    return Frozen(model, datamodule.training.info)


def _train_missing(config: DictConfig, compose: Compose, *, sweep: str | None) -> None:
    parents = parents_of(config)
    for name, overrides in missing_below(config).items():
        below = compose(overrides)
        folder, model_name = Path(folder_of(below)), below.hydra.runtime.choices.get("model")
        with open_dict(below):
            del below["hydra"]
        request = request_of(below)
        status = read_status(folder)
        if sweep is not None and status.get("state") == "failed":
            raise RuntimeError(f"its {name} failed, in {folder}: {status.get('error')}")
        try:
            _train_missing(below, compose, sweep=sweep)
            is_there = partial(is_trained, name, parents[name])
            if not (is_finished(folder, request) and is_there()):
                log.info("first %s, in %s", name, folder)
            _in_turn(below, folder, is_there, request=request, model_name=model_name)
        except ValueError as error:
            raise ValueError(f"{name}: {error}") from error


def _in_turn(
    config: DictConfig, folder: Path, is_there: Callable[[], bool], *, request: str, model_name: str | None
) -> None:
    """Train it, or wait for the process that does."""
    is_waiting = False
    while not (is_finished(folder, request) and is_there()):
        try:
            with _logged(folder):
                with exclusive(folder):
                    if remove_torn(folder):
                        log.warning("no checkpoint in %s is whole; it is trained from the start", folder)
                run_job(config, folder, request=request, model_name=model_name)
            return
        except RunInUse as held:
            if not is_waiting:
                log.info("waits: %s", held)
            is_waiting = True
            time.sleep(SECONDS_BETWEEN_LOOKS)


@contextmanager
def _logged(folder: Path) -> Iterator[None]:
    """Messages go to the run.log of the folder too."""
    handler = LogFile(os.fspath(folder / "run.log"), encoding="utf-8", delay=True)
    handler.setFormatter(Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    logging.getLogger().addHandler(handler)
    try:
        yield
    finally:
        logging.getLogger().removeHandler(handler)
        handler.close()
