"""Rows of metrics.json as the evaluation writes them."""

from disent_runner.runs.score_rows import Making, Score


def score(
    name: str, value: float | None, *, step: int = 1, codes: str = "mean", factors: tuple[str, ...] = ("scale", "shape")
) -> Score:
    """A number of all factors, of posterior means unless other codes are named; without a value it has failed."""
    making = Making(name, {}, 0, step, "dsprites", "rendered", 64, codes, factors, "0.1.0")
    return Score(name, None, value, "higher", None, making, error=None if value is not None else "no gap")
