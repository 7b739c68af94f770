"""What a reader of a report must know of all its numbers."""

from collections import Counter
from collections.abc import Iterator, Sequence

from disent_runner.report.pooling import Setting, count_of, final_scores, final_step, training_version
from disent_runner.report.run import Run
from disent_runner.report.settings import dataset


def notes(runs: Sequence[Run], settings: Sequence[Setting]) -> list[str]:
    """One sentence each."""
    return [
        *_mixtures(runs, settings),
        *_unfinished(runs),
        *_labels(runs),
        *_failures(runs),
        *_without_directions(runs),
    ]


def _mixtures(runs: Sequence[Run], settings: Sequence[Setting]) -> Iterator[str]:
    for subject, counts in _kinds(runs, settings):
        if len(counts) > 1:
            values = ", ".join(f"{value} ({count_of(count)})" for value, count in sorted(counts.items()))
            yield f"{subject} differ and are kept apart: {values}"


def _kinds(runs: Sequence[Run], settings: Sequence[Setting]) -> Iterator[tuple[str, Counter[str]]]:
    scorers = Counter(member.evaluation.version for setting in settings for member in setting.members)
    yield "versions of disent-runner that scored", scorers
    yield "versions of disent-runner that trained", Counter(training_version(run) for run in runs)
    for name in sorted({dataset(run) for run in runs}):
        facts = [run.facts for run in runs if dataset(run) == name]
        yield f"sources of {name}", Counter(str(fact.get("data_source")) for fact in facts)
        yield f"contents (hashes) of {name}", Counter(str(fact.get("data_hash"))[:12] for fact in facts)


def _unfinished(runs: Sequence[Run]) -> Iterator[str]:
    plans = ((final_step(run), (run.config.get("trainer") or {}).get("max_steps")) for run in runs)
    count = sum(step not in (0, last) for step, last in plans)  # a baseline takes no step
    if count:
        yield f"not scored after the last step, and kept apart: {count_of(count)}"


def _labels(runs: Sequence[Run]) -> Iterator[str]:
    """What numbers of data with labels of any kind depend on."""
    scores = [score for run in runs for score in final_scores(run)]
    binned = dict.fromkeys((score.making.dataset, *item) for score in scores for item in score.making.binned.items())
    for name, factor, num_bins in binned:
        yield f"{factor} of {name} is continuous, in {num_bins} bins"
    few = [score for score in scores if score.num_labelled is not None]
    counts = {(score.making.dataset, score.num_images, score.making.num_images): None for score in few}
    for name, count, of in counts:
        metrics = dict.fromkeys(s.making.metric for s in few if (s.making.dataset, s.num_images) == (name, count))
        yield f"{', '.join(metrics)} of {name}: {count:,} of {of:,} images, those whose labels are all known"


def _failures(runs: Sequence[Run]) -> Iterator[str]:
    reasons: dict[str, list[str]] = {}
    for score in (score for run in runs for score in final_scores(run) if score.value is None):
        reasons.setdefault(score.making.metric, []).append(str(score.reason))
    for metric, texts in reasons.items():
        yield f"{metric} has no value in {count_of(len(texts))}: {texts[0]}"


def _without_directions(runs: Sequence[Run]) -> Iterator[str]:
    if not any(score.better for run in runs for score in run.scores):
        yield "no number says whether it had better be higher or lower (scored by an older version): none is bold"
