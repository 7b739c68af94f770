"""What every section of the benchmark shares: rows of numbers, and the medians that they hold."""

import json
import os
import statistics
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import Any

from hydra import compose, initialize_config_dir
from omegaconf import DictConfig

from disent_runner.assembly.conf import CONF

DATA = os.environ.get("DISENT_DATA_DIR", "data")
BATCH = 64


@dataclass(frozen=True)
class Row:
    """One measured number: the median of its windows, with the smallest and the largest."""

    what: str
    value: float
    unit: str
    low: float
    high: float
    windows: int
    note: str = ""

    def print(self) -> None:
        """One line of JSON, as soon as it is measured."""
        print(json.dumps(asdict(self)), flush=True)


def row(what: str, values: Sequence[float], unit: str, note: str = "") -> Row:
    return Row(what, statistics.median(values), unit, min(values), max(values), len(values), note)


def config_of(*overrides: str) -> DictConfig:
    """The config of `disent-run OVERRIDES`."""
    with initialize_config_dir(version_base="1.3", config_dir=str(CONF)):
        return compose("run", overrides=[f"data_dir={DATA}", *overrides])


def seconds(function: Callable[[], Any], *, windows: int, calls: int = 1) -> list[float]:
    """Seconds of one call, a mean over `calls`, in each window; the first call is not counted."""
    function()
    found = []
    for _ in range(windows):
        start = time.perf_counter()
        for _ in range(calls):
            function()
        found.append((time.perf_counter() - start) / calls)
    return found


@contextmanager
def messages_on_stderr() -> Iterator[None]:
    """Keep standard output to the rows: whatever prints meanwhile goes to standard error."""
    out, sys.stdout = sys.stdout, sys.stderr
    try:
        yield
    finally:
        sys.stdout = out
