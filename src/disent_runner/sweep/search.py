"""A search for the settings with the best objective: what is asked of Optuna, and the study that keeps its trials."""

import hashlib
import json
import logging
import os
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hydra.core.override_parser.types import Glob
from hydra.core.utils import JobReturn, JobStatus
from hydra.plugins.launcher import Launcher
from omegaconf import DictConfig

from disent_runner.assembly import schema
from disent_runner.assembly.checking import hints
from disent_runner.assembly.kinds import mistake
from disent_runner.assembly.loader import parsed
from disent_runner.assembly.mistakes import closest
from disent_runner.assembly.presets import Options, values_of
from disent_runner.machine.texts import counted
from disent_runner.runs.folder import RunInUse
from disent_runner.sweep.board import say
from disent_runner.sweep.grid import lines_of
from disent_runner.sweep.loader import SweepLoader
from disent_runner.sweep.run import SweepNotDone

SECONDS_BETWEEN_TRIES = 5.0
"""At a run that another process works on."""

_EXAMPLE = "'model.beta=tag(log,interval(1,32))'"
_OTHERS = ("_target_", "_recursive_", "sampler", "direction", "params")


@dataclass(frozen=True)
class Search:
    """What a command asks for."""

    objective: str
    direction: str
    varied: tuple[str, ...]
    """overrides that say between what to search"""
    fixed: tuple[str, ...]
    """overrides that hold in all trials"""
    num_trials: int
    storage: str | None
    study_name: str | None

    @property
    def name(self) -> str:
        """By which its storage knows it: the same for the same search, however many trials are asked for."""
        if self.study_name is not None:
            return self.study_name
        asked = json.dumps([self.direction, sorted(self.varied), sorted(self.fixed)])
        return f"{self.objective}-{hashlib.sha256(asked.encode()).hexdigest()[:8]}"


def search_of(config: DictConfig, overrides: Sequence[str], options: Options) -> Search:
    """The search of a sweep's config and of what is typed, which wins over its `hydra.sweeper.params`.

    Raises ValueError before anything is trained: without an objective that the chosen metrics give, for the wrong
    direction, for nothing to vary, and for what cannot be varied.
    """
    sweeper = config.hydra.sweeper
    kinds = hints(schema.Search)
    if unknown := sweeper.keys() - {*kinds, *_OTHERS}:
        raise ValueError(f"hydra.sweeper.{min(unknown)}: a search has no such setting{closest(min(unknown), kinds)}")
    if "sampler" not in sweeper:
        chosen, known = config.hydra.runtime.choices.get("hydra/sweeper/sampler"), options("hydra/sweeper/sampler")
        raise ValueError(f"hydra/sweeper/sampler={chosen}: no such sampler; choose from {', '.join(known)}")
    for key, kind in kinds.items():
        if said := mistake(f"hydra.sweeper.{key}", sweeper[key], kind):
            raise ValueError(said)
    by_key = {one.get_key_element().lstrip("+~"): one for one in parsed([*lines_of(sweeper.params or {}), *overrides])}
    varied = {key: one for key, one in by_key.items() if one.is_sweep_override()}
    if "objective" in varied:
        raise ValueError(f"{varied['objective'].input_line}: a search is for one number; search for each by itself")
    if config.objective is None:
        raise ValueError("hydra/sweeper=optuna needs to know what to search for; add objective=mig, or another number")
    for one in varied.values():
        _check_choices(str(one.input_line), values_of(one, options) if one.is_discrete_sweep() else [])
        if one.is_interval_sweep():
            _check_interval(str(one.input_line), one.value())
    if not varied:
        raise ValueError(f"hydra/sweeper=optuna: no key has values to search between; add one, such as {_EXAMPLE}")
    from disent_runner.sweep.objective import check_objective, direction_of  # and the metrics, five seconds

    direction = direction_of(config, check_objective(config))
    return Search(
        objective=config.objective,
        direction=direction,
        varied=tuple(_as_optuna_takes_it(one, options) for one in varied.values()),
        fixed=tuple(str(one.input_line) for key, one in by_key.items() if key not in varied),
        num_trials=sweeper.n_trials,
        storage=sweeper.storage,
        study_name=sweeper.study_name,
    )


def check_ends(loader: SweepLoader, config: DictConfig, search: Search) -> None:
    """Compose runs with the ends of what is searched, so that a key or a value that no run takes is told before any.

    Raises what composing raises.
    """
    ends = [_ends(override, loader.options) for override in parsed(search.varied)]
    firsts = [one[0] for one in ends]
    for index, choices in enumerate(ends):
        for choice in choices:
            run = [*firsts[:index], choice, *firsts[index + 1 :]]
            if not (index and choice is choices[0]):  # composed by now
                loader.load_sweep_config(config, [*search.fixed, *run])


def _ends(override: Any, options: Options) -> list[str]:
    """All choices, or the ends of an interval, as they are typed."""
    if not override.is_interval_sweep():
        values = values_of(override, options)
    else:
        values = [override.value().start, override.value().end]
    return [f"{override.get_key_element()}={value}" for value in values]


def _check_interval(line: str, interval: Any) -> None:
    low, high = interval.start, interval.end
    if not low < high:
        raise ValueError(f"{line}: nothing lies between {low} and {high}; the lower end comes first")
    if unknown := interval.tags - {"log"}:
        raise ValueError(f"{line}: a search knows the tag log, not {', '.join(sorted(unknown))}")
    if "log" in interval.tags and low <= 0:
        raise ValueError(f"{line}: a logarithmic scale has no {low}; begin above 0")


def _check_choices(line: str, values: Sequence[str]) -> None:
    if any(value[:1] in "[{" for value in values):
        raise ValueError(f"{line}: a search chooses between numbers and words; name a list in a file of its group")


def _as_optuna_takes_it(override: Any, options: Options) -> str:
    """The override, a glob as the choices that fit."""
    if isinstance(override.value(), Glob):
        return f"{override.get_key_element()}={','.join(values_of(override, options))}"
    return str(override.input_line)


@dataclass(frozen=True)
class Study:
    """The trials that a storage holds of a search; none without a storage."""

    name: str
    num_done: int
    num_left: int


def open_study(search: Search) -> Study:
    """Find or begin it. Raises ValueError for a storage that cannot be opened, or that has it with other directions."""
    os.environ.setdefault("SQLALCHEMY_SILENCE_UBER_WARNING", "1")  # that there is a version 2: Optuna's affair
    logging.getLogger("alembic").setLevel(logging.WARNING)  # names each of its parts when it is imported
    import optuna
    from optuna.trial import TrialState
    from sqlalchemy.exc import SQLAlchemyError

    optuna.logging.set_verbosity(logging.WARNING)
    if search.storage is None:
        return Study(search.name, 0, search.num_trials)
    try:
        study = optuna.create_study(
            study_name=search.name, storage=search.storage, direction=search.direction, load_if_exists=True
        )
        done = study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))
    except (SQLAlchemyError, ImportError, ValueError) as error:
        (reason, *_) = str(error).strip().splitlines() or [type(error).__name__]
        raise ValueError(
            f"hydra.sweeper.storage={search.storage} cannot be used ({reason}); "
            "it is the URL of a database, such as sqlite:///search.db"
        ) from None
    left = max(search.num_trials - len(done), 0)
    say(f"study {search.name} in {search.storage}: {len(done)} of {search.num_trials} trials done before")
    if done:
        best = study.best_trial
        say(f"best so far: {search.objective}={best.value:.4g} with {_settings_text(best.params)}")
    return Study(search.name, len(done), left)


def _settings_text(params: dict[str, Any]) -> str:
    return " ".join(f"{key}={value}" for key, value in params.items())


class Trials(Launcher):
    """Launches trials by another launcher, with what is the same in all of them; a failed one has been said by then."""

    def __init__(self, launcher: Launcher, fixed: Sequence[str], root: Path) -> None:
        self.launcher = launcher
        self.fixed = fixed
        self.root = root
        self.launched = 0
        self.failures: list[str] = []
        """what is particular of each failed one"""

    def setup(self, **context: Any) -> None:
        pass  # the other one is set up

    def launch(self, job_overrides: Sequence[Sequence[str]], initial_job_idx: int) -> Sequence[JobReturn]:
        self.root.mkdir(parents=True, exist_ok=True)  # for the result, which Optuna's plugin writes there
        jobs = [[*self.fixed, *own] for own in job_overrides]
        returned = list(self.launcher.launch(jobs, initial_job_idx))
        while busy := [place for place, job in enumerate(returned) if _is_in_use(job)]:  # by another search, say
            time.sleep(SECONDS_BETWEEN_TRIES)
            again = self.launcher.launch([jobs[place] for place in busy], initial_job_idx)
            for place, job in zip(busy, again, strict=True):
                returned[place] = job
        self.launched += len(returned)
        for own, job in zip(job_overrides, returned, strict=True):
            if job.status is not JobStatus.COMPLETED:
                self.failures.append(" ".join(own))
        return [_quiet(job) for job in returned]

    def raise_failures(self) -> None:
        """SweepNotDone where trials failed, which is why the search ends."""
        if self.failures:
            raise SweepNotDone(
                f"{len(self.failures)} of {counted(self.launched, 'trial')} failed, {', '.join(self.failures)}; "
                "hydra.sweeper.max_failure_rate=0.5 goes on after such ones"
            ) from None


def _is_in_use(job: JobReturn) -> bool:
    return job.status is JobStatus.FAILED and isinstance(job._return_value, RunInUse)


class _Failed(JobReturn):
    """A run that has said why it failed; Hydra would say its overrides as well."""

    @property
    def return_value(self) -> Any:  # pyright: ignore[reportIncompatibleMethodOverride] - nobody sets it
        raise self._return_value


def _quiet(job: JobReturn) -> JobReturn:
    if job.status is not JobStatus.FAILED:
        return job
    return _Failed(status=job.status, _return_value=job._return_value)
