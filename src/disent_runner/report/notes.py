"""What a reader of a report must know of all its numbers."""

from collections import Counter
from collections.abc import Sequence

from disent_runner.report.pooling import Setting, count_of, final_rows, final_step, trained_with
from disent_runner.report.report import Run
from disent_runner.report.settings import dataset


def notes(runs: Sequence[Run], settings: Sequence[Setting]) -> list[str]:
    """What a reader of the numbers must know of all of them, one sentence each."""
    kept_apart = {
        "versions of disent-runner that scored": Counter(
            each.evaluation.version for setting in settings for each in setting.scores
        ),
        "versions of disent-runner that trained": Counter(trained_with(run) for run in runs),
    }
    for name in sorted({dataset(run) for run in runs}):
        own = [run for run in runs if dataset(run) == name]
        kept_apart[f"sources of {name}"] = Counter(str(run.facts.get("data_source")) for run in own)
        kept_apart[f"contents (hashes) of {name}"] = Counter(str(run.facts.get("data_hash"))[:12] for run in own)
    said = [
        f"{what} differ and are kept apart: {', '.join(f'{value} ({count_of(n)})' for value, n in found)}"
        for what, counts in kept_apart.items()
        if len(found := sorted(counts.items())) > 1
    ]
    planned = ((final_step(run), (run.config.get("trainer") or {}).get("max_steps")) for run in runs)
    unfinished = sum(step not in (0, last) for step, last in planned)  # a baseline takes no step
    if unfinished:
        said.append(f"not scored after the last step, and kept apart: {count_of(unfinished)}")
    reasons: dict[str, list[str]] = {}
    for row in (row for run in runs for row in final_rows(run) if row["value"] is None):
        reasons.setdefault(row["metric"], []).append(str(row.get("error") or row.get("skipped")))
    said += [f"{metric} has no value in {count_of(len(of))}: {of[0]}" for metric, of in reasons.items()]
    if not any(row.get("better") for run in runs for row in run.rows):
        said.append(
            "no number says whether it had better be higher or lower (scored by an older version): none is bold"
        )
    return said
