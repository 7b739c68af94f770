"""`hydra/sweeper=optuna`: hydra-optuna-sweeper's search, checked before its first run and found by its storage."""

from contextlib import suppress
from dataclasses import dataclass, field
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from hydra.core.config_store import ConfigStore
from hydra.plugins.sweeper import Sweeper
from hydra.types import HydraContext, TaskFunction
from hydra.utils import instantiate
from omegaconf import MISSING, DictConfig

with suppress(ImportError):  # it stores its own schema under the same name, once
    import_module("hydra_plugins.hydra_optuna_sweeper.config")


@dataclass
class SearchConfig:
    """Schema of `hydra.sweeper`: that of hydra-optuna-sweeper, with a direction that follows from the objective."""

    _target_: str = "hydra_plugins.disent_search.SearchSweeper"
    _recursive_: bool = False  # a mistake is answered before Optuna is imported
    defaults: list[Any] = field(default_factory=lambda: [{"optional sampler": "tpe"}])
    sampler: Any = MISSING
    direction: Any = None
    storage: Any = None
    study_name: str | None = None
    n_trials: int = 20
    n_jobs: int = 2
    max_failure_rate: float = 0.0
    params: dict[str, Any] | None = None
    custom_search_space: str | None = None


ConfigStore.instance().store(group="hydra/sweeper", name="optuna", node=SearchConfig, provider="disent_runner")


class SearchSweeper(Sweeper):
    """See `disent_runner.sweep.search`: what is asked of the search, and the study that its trials are kept in."""

    def __init__(self, **settings: Any) -> None:
        self.settings = settings

    def setup(self, *, hydra_context: HydraContext, task_function: TaskFunction, config: DictConfig) -> None:
        from disent_runner.sweep.loader import SweepLoader

        if find_spec("hydra_plugins.hydra_optuna_sweeper") is None:
            raise ValueError("hydra/sweeper=optuna needs the extra `sweep`: pip install 'disent-runner[sweep]'")
        self.config = config
        self.task_function = task_function
        self.loader = SweepLoader(hydra_context.config_loader.get_search_path())
        self.context = HydraContext(config_loader=self.loader, callbacks=hydra_context.callbacks)

    def sweep(self, arguments: list[str]) -> Any:
        from disent_runner.sweep.search import Trials, open_study, search_of

        assert self.config is not None
        search = search_of(self.config, arguments, self.loader.options)
        study = open_study(search)
        if not study.num_left:
            return
        from hydra_plugins.hydra_optuna_sweeper._impl import OptunaSweeperImpl

        self.loader.sweep = search.name
        searcher = OptunaSweeperImpl(
            **{
                **self.settings,
                "sampler": instantiate(self.settings["sampler"]),
                "direction": search.direction,
                "study_name": study.name,
                "n_trials": study.num_left,
                "params": None,
                "search_space": None,
            }
        )
        searcher.setup(hydra_context=self.context, task_function=self.task_function, config=self.config)
        assert searcher.launcher is not None
        searcher.launcher = Trials(searcher.launcher, search.fixed, Path(self.config.hydra.sweep.dir))
        searcher.sweep(list(search.varied))
