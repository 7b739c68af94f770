"""What a logger gets of a run beside its loss terms: what it is called, its numbers, its pictures."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from disent_runner.runs.score_rows import Score
from disent_runner.runs.scores import headlines

COLUMNS = ("number", "value", "unit", "better", "metric", "codes", "images", "seconds")


@dataclass(frozen=True)
class RunNotes:
    """What a run is called where the runs of many people lie side by side. Nothing in it is secret."""

    folder: Path
    id: str
    seed: int
    model: str
    dataset: str
    job_type: str
    """train, or score where no stage trains"""
    settings: Mapping[str, Any]
    """all that changes the numbers, one level deep"""
    sweep: str | None = None
    """of outputs/sweeps/<sweep>, or the name of a search"""
    recipe: str | None = None
    """of +experiment=<recipe>"""
    preset: str | None = None
    """of sweep=<preset>"""

    @property
    def name(self) -> str:
        return f"{self.id}-seed-{self.seed}"

    @property
    def title(self) -> str:
        return f"{self.model} {self.dataset} {self.id} seed={self.seed}"

    @property
    def origin(self) -> dict[str, str]:
        """What the run is part of, by what that is."""
        parts = {"sweep": self.sweep, "recipe": self.recipe, "preset": self.preset}
        return {name: value for name, value in parts.items() if value is not None}

    @property
    def tags(self) -> list[str]:
        return [self.model, self.dataset, *(f"{name}:{value}" for name, value in self.origin.items())]


class Mirror(ABC):
    """A Lightning logger that is made with `run=RunNotes`, and takes more than loss terms."""

    @abstractmethod
    def log_scores(self, scores: Sequence[Score], step: int | None) -> None:
        """Each number under its own name, and a table of them all with how they were made."""

    @abstractmethod
    def log_pictures(self, pictures: Sequence[Path], step: int) -> None:
        """PNG and GIF files, each by the name of its file."""

    def log_folder(self) -> None:  # noqa: B027 - most have no place for one
        """The run folder, once all stages are done."""


def values_of(scores: Sequence[Score]) -> dict[str, float]:
    """The numbers that have a value, by label; those of other codes than posterior means say which."""
    return {logged_name(score): score.value for score in scores if score.value is not None}


def headline_values(scores: Sequence[Score]) -> dict[str, float]:
    """Those that the metrics are known by."""
    known = headlines(scores)
    return values_of([score for score in scores if score.label in known.get(score.making.metric, ())])


def logged_name(score: Score) -> str:
    choice = score.making.representation
    return score.label if choice == "mean" else f"{score.label} ({choice})"


def table_of(scores: Sequence[Score]) -> list[list[Any]]:
    """A row of COLUMNS for each number; one without a value says why in place of the unit."""
    return [
        [
            score.label,
            score.value,
            score.unit or score.reason or "",
            score.better or "",
            score.making.metric,
            score.making.representation,
            score.num_images,
            score.seconds,
        ]
        for score in scores
    ]
