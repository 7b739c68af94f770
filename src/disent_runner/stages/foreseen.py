"""How long scoring will take, from what it took before."""

from collections.abc import Collection
from pathlib import Path

from disent_runner.machine.threads import num_cores
from disent_runner.runs.scores import read_scores

_MOST_LOOKED_AT = 5


def seconds_of_scoring(folder: Path, metrics: Collection[str]) -> float | None:
    """Those of the same metrics in the run itself, at an earlier step, or in the newest runs of other seeds.

    None where no such run has been scored by all of them. Encoding, a matter of seconds, is not in it.
    """
    scored = sorted(folder.parent.glob("*/metrics.json"), key=_changed, reverse=True)
    for path in scored[:_MOST_LOOKED_AT]:
        try:
            rows = read_scores(path.parent)
        except (OSError, ValueError):
            continue
        seconds = {row.making.metric: row.seconds or 0.0 for row in rows if row.error is None}
        asked = [seconds[name] for name in metrics if name in seconds]
        if len(asked) == len(metrics):
            return max([*asked, sum(asked) / num_cores()])  # side by side, each on a core
    return None


def _changed(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except OSError:
        return 0.0
