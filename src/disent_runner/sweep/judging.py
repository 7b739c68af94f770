"""The verdict on the study that a recipe's sweep is."""

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from omegaconf import DictConfig, OmegaConf

from disent_runner.assembly.loader import parsed
from disent_runner.machine.texts import counted
from disent_runner.sweep.board import Board, say
from disent_runner.sweep.jobs import Job

if TYPE_CHECKING:
    from disent_runner.study.claims import StudyRun
    from disent_runner.study.study import Study


_ASIDE = (
    *("hydra", "experiment", "sweep", "seed", "stages", "figure", "logger", "output_root", "data_dir", "trust"),
    *("trainer.accelerator", "trainer.compile", "trainer.data_on_device", "trainer.log_every"),
    "trainer.checkpoint_every",
)
"""Keys that may be typed beside a recipe, which remains what it was."""


def study_of(config: DictConfig, typed: Sequence[str] = ()) -> "Study | None":
    """The study of a sweep's config; None where it is none. Raises ValueError for a mistake in it.

    What is `typed` beside a recipe makes another one of it, such as 10 steps of 300,000: its scale is then `changed`.
    """
    if config.get("study") is None:
        return None
    from disent_runner.study.study import CHANGED, study_from  # statistics and pictures are of no use to other sweeps

    if not OmegaConf.is_dict(config.study):
        raise ValueError(f"study={config.study}: expected its keys, shows, source, scale, …; recipes have one")
    node: Any = OmegaConf.to_container(config.study, resolve=True)
    study = study_from(node, factors=None if config.factors is None else tuple(config.factors))
    return replace(study, scale=CHANGED, changes=changes) if (changes := changes_among(typed)) else study


def changes_among(typed: Sequence[str]) -> tuple[str, ...]:
    """What of it makes another study of a recipe's."""
    keys = {str(one.input_line): one.key_or_group.replace("/", ".") for one in parsed(typed)}
    return tuple(line for line, key in keys.items() if not f"{key}.".startswith(tuple(f"{name}." for name in _ASIDE)))


def judge_sweep(study: "Study", board: Board, *, experiment: str | None) -> None:
    """Judge the study when all its runs are done, and say how each claim fares."""
    from disent_runner.study.claims import verdict_text
    from disent_runner.study.study import VERDICT, judge

    waiting = sum(standing.state != "done" for standing in board.look().values())
    if waiting:
        say(f"no verdict yet: {counted(waiting, 'run')} not done; the same command gives it then")
        return
    verdict = judge(study, [study_run(job) for job in board.jobs if not job.role], board.keep, experiment=experiment)
    claims = verdict["claims"]
    for name, claim in claims.items():
        say(f"{name}: {verdict_text(claim)}: {claim['claim']}{_values(claim)}")
    how = " by direction alone" if verdict["judged_by"] == "direction" else ""
    written = f"; {board.folder / VERDICT}" if (board.folder / VERDICT).exists() else ""  # or one may only read there
    say(f"verdict: {verdict['verdict']}{how} ({scale_text(study)}){written}")


def scale_text(study: "Study") -> str:
    return f"{study.scale} size{': ' * bool(study.changes)}{' '.join(study.changes)}"


def study_run(job: Job) -> "StudyRun":
    """The run of a job, with what the sweep set in it."""
    from disent_runner.study.claims import StudyRun

    parts = (override.lstrip("+").partition("=") for override in job.overrides)
    return StudyRun(job.folder, int(job.folder.name.partition("=")[2]), {key: value for key, _, value in parts})


def _values(claim: dict[str, Any]) -> str:
    if "reason" in claim:
        return f" ({claim['reason']})"
    from disent_runner.study.claims import gain_text

    less, than = (
        ", ".join("never" if value is None else f"{value:.4g}" for value in claim[side]) for side in ("less", "than")
    )
    return f" ({less} against {than}; gain {gain_text(claim)})"
