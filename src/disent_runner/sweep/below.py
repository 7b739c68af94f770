"""Whether the runs of a sweep can stand on what the sweep trains first."""

from collections.abc import Sequence
from pathlib import Path

from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig

from disent_runner.stages.parents import check_below
from disent_runner.sweep.jobs import Job, standing
from disent_runner.sweep.loader import SweepLoader


def check_chains(loader: SweepLoader, config: DictConfig, jobs: Sequence[Job]) -> None:
    """ValueError for the first run that could not stand on those that are to be trained before it, as a run alone says.

    Runs that differ in the seed alone, whose folders lie side by side, are looked at once.
    """
    waiting = [job for job in jobs if job.needs and not job.role and standing(job).state != "done"]
    firsts: dict[Path, Job] = {}
    for job in waiting:
        firsts.setdefault(job.folder.parent, job)
    before = HydraConfig.instance().cfg
    try:
        for job in firsts.values():
            composed = loader.load_sweep_config(config, list(job.overrides))
            HydraConfig.instance().cfg = composed  # pyright: ignore[reportAttributeAccessIssue] - set_config would copy
            try:
                check_below(composed, job.folder, lambda lines: loader.load_sweep_config(config, list(lines)))
            except ValueError as error:
                raise ValueError(f"{job.label}: {error}" if job.label else str(error)) from error
    finally:
        HydraConfig.instance().cfg = before
