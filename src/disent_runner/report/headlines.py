"""Which numbers a paper's table has, and which side of each is better."""

from collections import Counter
from collections.abc import Iterable, Sequence

from disent_runner.report.run import Run
from disent_runner.runs.scores import headlines


def number_names(runs: Iterable[Run]) -> dict[tuple[str, str], str]:
    """(metric, number) -> the number's name, behind its metric's where several metrics have one of that name."""
    pairs = dict.fromkeys((score.making.metric, score.label) for run in runs for score in run.scores)
    times = Counter(label for _, label in pairs)
    return {(metric, label): label if times[label] == 1 else f"{metric}/{label}" for metric, label in pairs}


def headline_numbers(runs: Sequence[Run]) -> dict[str, str]:
    """Number -> metric, of the numbers that a paper's table has: see `disent_runner.runs.scores.headlines`."""
    names = number_names(runs)
    metrics = headlines(score for run in runs for score in run.scores)
    return {names[metric, label]: metric for metric, labels in metrics.items() for label in labels}


def directions(runs: Sequence[Run]) -> dict[str, str | None]:
    """Of each number: higher, lower, or None where neither is better or its folder does not say."""
    names = number_names(runs)
    sides: dict[str, str | None] = {}
    for score in (score for run in runs for score in run.scores):
        number = names[score.making.metric, score.label]
        sides[number] = sides.get(number) or score.better
    return sides
