"""`hydra/sweeper=optuna`: hydra-optuna-sweeper's search, checked before its first run and found by its storage."""

import logging
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from hydra.plugins.sweeper import Sweeper
from hydra.types import HydraContext, TaskFunction
from hydra.utils import instantiate
from omegaconf import DictConfig


class SearchSweeper(Sweeper):
    """See `disent_runner.sweep.search`: what is asked of the search, and the study that its trials are kept in.

    conf/hydra/sweeper/optuna.yaml has its settings.
    """

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
        from disent_runner.sweep.search import Trials, check_ends, open_study, search_of

        assert self.config is not None
        search = search_of(self.config, arguments, self.loader.options)
        check_ends(self.loader, self.config, search)
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
        trials = Trials(searcher.launcher, search.fixed, Path(self.config.hydra.sweep.dir))
        searcher.launcher = trials
        logging.getLogger("hydra_plugins.hydra_optuna_sweeper._impl").addFilter(_is_no_failure)
        try:
            searcher.sweep(list(search.varied))
        except Exception:
            trials.raise_failures()
            raise


def _is_no_failure(record: logging.LogRecord) -> bool:
    """A trial that failed has said so itself."""
    return record.levelno < logging.WARNING
