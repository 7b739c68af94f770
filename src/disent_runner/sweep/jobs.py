"""The runs of a sweep and how far each of them is."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from hydra.core.hydra_config import HydraConfig
from hydra.errors import ConfigCompositionException
from omegaconf import DictConfig, open_dict
from omegaconf.errors import InterpolationToMissingValueError

from disent_runner.assembly.below import below_of
from disent_runner.assembly.conf import CONF
from disent_runner.assembly.loader import parsed
from disent_runner.assembly.mistakes import in_one_line
from disent_runner.runs.identity import owner_of, request_of
from disent_runner.runs.ownership import check_owner, is_in_its_place
from disent_runner.runs.status import is_finished, read_status, state_of
from disent_runner.sweep.grid import varied
from disent_runner.sweep.loader import SweepLoader


@dataclass(frozen=True)
class Job:
    """One run of a sweep."""

    overrides: tuple[str, ...]
    label: str
    """the overrides that set it apart"""
    folder: Path
    request: str
    role: str = ""
    """what those that stand on it call it; empty for what the sweep itself is of"""
    needs: tuple["Job", ...] = ()
    """those that it stands on, which are to be done before it"""


@dataclass(frozen=True)
class Standing:
    """How far a job is, and what its run said last."""

    state: str
    status: dict[str, Any]


def plan(loader: SweepLoader, config: DictConfig, overrides: Sequence[Sequence[str]]) -> list[Job]:
    """Compose each run, so that a mistake in one ends the sweep before it starts. Equal runs become one.

    Runs that others stand on come before them, each once.

    Raises what composing raises, and ValueError where only some choices of a group have what is set, and where a folder
    that was named by hand holds the work of other settings.
    """
    jobs: dict[tuple[Path, str], Job] = {}
    below = _Below(loader, config)
    before = HydraConfig.instance().cfg
    try:
        for choices, label in zip(overrides, varied(overrides), strict=True):
            try:
                composed = loader.load_sweep_config(config, list(choices))
            except ConfigCompositionException as error:
                known = _where(loader, config, overrides, choices)
                if known is None:
                    raise
                raise ValueError(f"{in_one_line(error, CONF)}: so it is with {known}") from None
            needs = below.of(composed)
            job = _job(composed, tuple(choices), label, needs=needs)
            if job.folder.is_dir() and not is_in_its_place(composed, job.folder):
                check_owner(composed, job.folder)
            jobs.setdefault((job.folder, job.request), job)
        _check_owners(loader, config, list(jobs.values()))
    finally:
        HydraConfig.instance().cfg = before
    return [*below.labelled(jobs.values())]


class _Below:
    """The runs that those of a sweep stand on, each composed once."""

    def __init__(self, loader: SweepLoader, config: DictConfig) -> None:
        self.loader = loader
        self.config = config
        self.made: dict[tuple[str, ...], Job] = {}

    def of(self, composed: DictConfig) -> tuple[Job, ...]:
        return tuple(self._job(name, tuple(overrides)) for name, overrides in below_of(composed).items())

    def _job(self, role: str, overrides: tuple[str, ...]) -> Job:
        if overrides not in self.made:
            composed = self.loader.load_sweep_config(self.config, list(overrides))
            needs = self.of(composed)
            self.made[overrides] = _job(composed, overrides, role, role=role, needs=needs)
        return self.made[overrides]

    def labelled(self, jobs: Iterable[Job]) -> Iterator[Job]:
        """Those of the sweep, each behind what it stands on, which is called by what sets it apart from its like."""
        roles = {
            job.role: [other for other in self.made.values() if other.role == job.role] for job in self.made.values()
        }
        labels = {
            job.overrides: f"{role} {label}".strip()
            for role, alike in roles.items()
            for job, label in zip(alike, varied([job.overrides for job in alike]), strict=True)
        }
        placed: dict[Job, Job] = {}

        def place(job: Job) -> Job:
            if job not in placed:
                needs = tuple(map(place, job.needs))
                placed[job] = replace(job, label=labels[job.overrides] if job.role else job.label, needs=needs)
            return placed[job]

        for job in jobs:
            place(job)
        return iter(dict.fromkeys(placed.values()))


def _check_owners(loader: SweepLoader, config: DictConfig, jobs: Sequence[Job]) -> None:
    """ValueError where jobs of several runs have one folder: one that scores a run again may share it."""
    by_folder: dict[Path, list[Job]] = {}
    for job in jobs:
        by_folder.setdefault(job.folder, []).append(job)
    for folder, together in by_folder.items():
        if len(together) > 1 and len({_owner(loader, config, job) for job in together}) > 1:
            raise ValueError(
                f"runs with other settings would share the folder {folder}, such as {together[0].label} and "
                f"{together[1].label}; leave hydra.sweep and hydra.run.dir out, each run then has its own"
            )


def _owner(loader: SweepLoader, config: DictConfig, job: Job) -> str:
    composed = loader.load_sweep_config(config, list(job.overrides))
    HydraConfig.instance().cfg = composed  # pyright: ignore[reportAttributeAccessIssue] - set_config would copy it all
    return owner_of(composed)


def _where(
    loader: SweepLoader, config: DictConfig, overrides: Sequence[Sequence[str]], failed: Sequence[str]
) -> str | None:
    """With which of the swept choices a run cannot be composed, and with which it can; None where no group is swept."""
    runs = {loader.choices(parsed(run)): run for run in reversed([*overrides, failed])}
    if len(runs) == 1:
        return None
    good, bad = [], []
    for run, label in zip(runs.values(), varied(list(runs)), strict=True):
        try:
            loader.load_sweep_config(config, list(run))
            good.append(label)
        except ConfigCompositionException:
            bad.append(label)
    return " and ".join(bad) + (f", not with {' or '.join(good)}" if good else "")


def _job(
    config: DictConfig, overrides: tuple[str, ...], label: str, *, role: str = "", needs: tuple[Job, ...] = ()
) -> Job:
    HydraConfig.instance().cfg = config  # pyright: ignore[reportAttributeAccessIssue] - set_config would copy it all
    try:
        folder = Path(config.hydra.sweep.dir, config.hydra.sweep.subdir).absolute()
    except InterpolationToMissingValueError as error:
        raise ValueError(
            f"{error.full_key} names what a run has only once it is launched, such as hydra.job.num; leave it out: "
            "each run has a folder of its own, by which the sweep resumes"
        ) from None
    with open_dict(config):
        del config["hydra"]
    return Job(overrides, label, folder, request_of(config), role, needs)


def standing(job: Job) -> Standing:
    """How far the job is; what another command did in its folder, or did there before, is not its end."""
    now = _standing(job)
    # a run may end between the look at its status and the one at its lock, and says so before it lets go
    return _standing(job) if now.state == "interrupted" else now


def _standing(job: Job) -> Standing:
    status = read_status(job.folder)
    if is_finished(job.folder, job.request):
        return Standing("done", status)
    state = state_of(job.folder, status)
    is_other = state == "done" or (state == "failed" and status.get("request") != job.request)
    return Standing("waiting" if is_other else state, status)
