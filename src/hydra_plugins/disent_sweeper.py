"""`disent-run -m`: Hydra's sweeper for grids, with unions, keys that vary together, skipping and a summary."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hydra.core.config_store import ConfigStore
from hydra.core.plugins import Plugins
from hydra.plugins.sweeper import Sweeper
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig


@dataclass
class GridConfig:
    """Schema of `hydra.sweeper`."""

    _target_: str = "hydra_plugins.disent_sweeper.GridSweeper"
    params: dict[str, Any] = field(default_factory=dict)
    cases: dict[str, Any] = field(default_factory=dict)
    zip: list[list[str]] = field(default_factory=list)


ConfigStore.instance().store(group="hydra/sweeper", name="grid", node=GridConfig, provider="disent_runner")


class GridSweeper(Sweeper):
    """See `disent_runner.sweep`: `params` and `cases` are what `grid` takes, `zip` its keys that vary together."""

    def __init__(
        self, params: Mapping[str, Any], cases: Mapping[str, Mapping[str, Any] | None], zip: Sequence[Sequence[str]]
    ) -> None:
        self.params = params
        self.cases = cases
        self.zipped = zip

    def setup(self, *, hydra_context: HydraContext, task_function: TaskFunction, config: DictConfig) -> None:
        from disent_runner.sweep.loader import SweepLoader

        self.config = config
        self.loader = SweepLoader(hydra_context.config_loader.get_search_path())
        context = HydraContext(config_loader=self.loader, callbacks=hydra_context.callbacks)
        self.launcher = Plugins.instance().instantiate_launcher(
            hydra_context=context, task_function=task_function, config=config
        )

    def sweep(self, arguments: list[str]) -> Any:
        from disent_runner.sweep.grid import grid
        from disent_runner.sweep.jobs import Job, plan
        from disent_runner.sweep.judging import judge_sweep, study_of
        from disent_runner.sweep.run import run_sweep

        assert self.config is not None
        assert self.launcher is not None
        launcher, hydra = self.launcher, self.config.hydra
        study = study_of(self.config)  # before hours of training, in case it is mistaken
        jobs = plan(self.loader, self.config, grid(self.params, self.cases, self.zipped, arguments))
        numbers = {job: number for number, job in enumerate(jobs)}

        def launch(chosen: Sequence[Job]) -> None:
            first = numbers[chosen[0]]
            launch_jobs = getattr(launcher, "launch_jobs", None)
            if launch_jobs is not None:  # ours; those of other plugins compose them again
                launch_jobs(chosen, first)
            else:
                launcher.launch([list(job.overrides) for job in chosen], initial_job_idx=first)

        board = run_sweep(
            jobs,
            launch,
            root=Path(hydra.sweep.dir),
            command=" ".join(["disent-run -m", *hydra.overrides.hydra, *hydra.overrides.task]),
            waits=getattr(launcher, "waits", True),
        )
        if study is not None:
            judge_sweep(study, board, experiment=hydra.runtime.choices.get("experiment"))
