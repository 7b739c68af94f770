"""`disent-run -m`: Hydra's sweeper for grids, with unions, keys that vary together, skipping and a summary."""

import os
import shlex
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hydra.core.config_store import ConfigStore
from hydra.core.plugins import Plugins
from hydra.plugins.sweeper import Sweeper
from hydra.types import HydraContext, RunMode, TaskFunction
from omegaconf import DictConfig


@dataclass
class GridConfig:
    """Schema of `hydra.sweeper`."""

    _target_: str = "hydra_plugins.disent_sweeper.GridSweeper"
    params: dict[str, Any] = field(default_factory=dict)
    cases: dict[str, Any] = field(default_factory=dict)
    zip: list[Any] = field(default_factory=list)


ConfigStore.instance().store(group="hydra/sweeper", name="grid", node=GridConfig, provider="disent_runner")


class GridSweeper(Sweeper):
    """See `disent_runner.sweep`: `params` and `cases` are what `grid` takes, `zip` its keys that vary together.

    Several presets make several sweeps; all of them are planned before the first one starts.
    """

    def __init__(self, **grid: Any) -> None:
        pass  # each sweep has its own

    def setup(self, *, hydra_context: HydraContext, task_function: TaskFunction, config: DictConfig) -> None:
        from disent_runner.sweep.loader import SweepLoader

        self.config = config
        self.task_function = task_function
        self.loader = SweepLoader(hydra_context.config_loader.get_search_path())
        self.context = HydraContext(config_loader=self.loader, callbacks=hydra_context.callbacks)

    def sweep(self, arguments: list[str]) -> Any:
        from disent_runner.assembly.presets import commands
        from disent_runner.sweep.grid import check_varied
        from disent_runner.sweep.run import run_all

        assert self.config is not None
        typed = commands(arguments, self.loader.options)
        check_varied(self.config, arguments)
        configs = [self.config] if len(typed) == 1 else [self._config_of(command) for command in typed]
        run_all([self._planned(config, command) for config, command in zip(configs, typed, strict=True)])

    def _config_of(self, command: list[str]) -> DictConfig:
        assert self.config is not None
        hydra = self.config.hydra
        return self.loader.load_configuration(
            hydra.job.config_name, [*hydra.overrides.hydra, *command], RunMode.MULTIRUN
        )

    def _planned(self, config: DictConfig, command: list[str]) -> Callable[[], None]:
        from disent_runner.assembly.below import PLAN
        from disent_runner.sweep.grid import grid
        from disent_runner.sweep.jobs import Job, plan
        from disent_runner.sweep.judging import judge_sweep, study_of
        from disent_runner.sweep.run import run_sweep, say_next, say_plan

        hydra = config.hydra
        sweeper = hydra.sweeper
        study = study_of(config, command)  # before hours of training, in case it is mistaken
        if config.objective is not None:
            from disent_runner.sweep.objective import check_objective

            check_objective(config)
        jobs = plan(self.loader, config, grid(sweeper.params, sweeper.cases, sweeper.zip, command, self.loader.options))
        if any(job.needs for job in jobs) and not os.environ.get(PLAN):
            from disent_runner.sweep.below import check_chains  # and the models

            check_chains(self.loader, config, jobs)
        numbers = {job: number for number, job in enumerate(jobs)}
        launcher = Plugins.instance().instantiate_launcher(
            hydra_context=self.context, task_function=self.task_function, config=config
        )

        def launch(chosen: Sequence[Job]) -> None:
            first = numbers[chosen[0]]
            launch_jobs = getattr(launcher, "launch_jobs", None)
            if launch_jobs is not None:  # ours; those of other plugins compose them again
                launch_jobs(chosen, first)
            else:
                launcher.launch([list(job.overrides) for job in chosen], initial_job_idx=first)

        def run() -> None:
            if os.environ.get(PLAN):
                say_plan(jobs)
                return
            experiment = hydra.runtime.choices.get("experiment")
            board = run_sweep(
                jobs,
                launch,
                root=Path(hydra.sweep.dir),
                command=shlex.join(["disent-run", "-m", *hydra.overrides.hydra, *command]),
                waits=getattr(launcher, "waits", True),
                study=experiment if study is not None else None,
                tell=lambda sweep: setattr(self.loader, "sweep", sweep),
            )
            if study is not None:
                judge_sweep(study, board, experiment=experiment)
            say_next(board)

        return run
