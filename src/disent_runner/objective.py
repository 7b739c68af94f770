"""The number that a search over settings makes as large as it can."""

from pathlib import Path

from omegaconf import DictConfig

from disent_runner.run_folder import read_json


def objective(config: DictConfig, folder: Path) -> float:
    """The run's number of the name `config.objective`, of the codes that it chooses, at the run's last step.

    Raises ValueError where metrics.json has no such number.
    """
    rows = [
        row for row in read_json(folder / "metrics.json", default=[]) if row["representation"] == config.representation
    ]
    last = max((row["step"] for row in rows), default=0)
    values = {row["name"]: row["value"] for row in rows if row["step"] == last and row["value"] is not None}
    if config.objective not in values:
        names = ", ".join(values) or "none, no metric was computed"
        raise ValueError(f"objective={config.objective}: the run has no such number; it has {names}")
    return float(values[config.objective])
