"""The run of `tests.metrics.rooms`, whose values have names."""

from dataclasses import replace
from typing import Any

from disent_runner.datasets.info import DatasetInfo
from disent_runner.figures.inputs import FigureInputs
from disent_runner.representations.symbols import Symbols
from tests.metrics.rooms import SIDE, SIZES, representation, taught

INFO = DatasetInfo(
    "bars",
    (1, SIDE, SIDE),
    {"yaw": 5, **SIZES},
    24,
    "rendered",
    value_names={"a": ("red", "green", "blue", "black"), "b": ("red", "green", "white"), "c": ("hat", "$cap$")},
)


def inputs_of(symbols: Symbols | None = None, **changes: Any) -> FigureInputs:
    rep = representation(taught() if symbols is None else symbols)
    return replace(FigureInputs(INFO, rep, {}, rep.autoencoder), **changes)


def without_symbols() -> FigureInputs:
    rep = representation(None)
    return FigureInputs(INFO, rep, {}, rep.autoencoder)


def row_labels(figure: Any) -> list[str]:
    return [label.get_text() for label in figure.axes[0].get_yticklabels()]


def picture(figure: Any) -> Any:
    return figure.axes[0].get_images()[0].get_array()
