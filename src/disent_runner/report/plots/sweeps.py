"""Numbers against the settings that were varied on purpose."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.axes import Axes

from disent_runner.machine.texts import file_stem, printable
from disent_runner.report.columns import ALWAYS_SHOWN
from disent_runner.report.labels import labels, shown
from disent_runner.report.plots.style import (
    MOST_LETTERS,
    MOST_PANELS,
    Drawing,
    legend_above,
    marker_style,
    panels,
    value_ticks,
)
from disent_runner.report.plots.views import PlotSetting, View

MOST_SERIES = 7


def sweep(view: View, key: str) -> Drawing | None:
    """Numbers against a setting that was varied on purpose: its values apart, all else alike."""
    series = _series(view, key)
    swept = [setting for settings in series.values() for setting in settings.values()]
    numbers = [number for number in view.numbers if any(setting.values(number) for setting in swept)]
    if not numbers:
        return None
    first = dict(list(series.items())[:MOST_SERIES])
    drawn = numbers[:MOST_PANELS]
    figure, panel_axes = panels(len(drawn), legend=len(first) > 1)
    ticks = [value for settings in first.values() for value in settings]
    for number, axes in zip(drawn, panel_axes, strict=True):
        for place, settings in enumerate(first.values()):
            _sweep(axes, number, settings, place)
        value_ticks(axes, ticks, map(shown, ticks))
        axes.set_xlabel(printable(key, MOST_LETTERS))
        axes.set_title(view.axis(number))
    if len(first) > 1:
        legend_above(figure, list(first), [marker_style(place, linestyle="-") for place in range(len(first))])
    clauses = _omissions(len(series), len(numbers))
    caption = f"Numbers against {key}: mean over seeds (line), one standard deviation (band), runs (points){clauses}."
    return Drawing(f"sweep_{file_stem(key)}", f"Numbers against {key}", caption, figure)


def _omissions(num_series: int, num_numbers: int) -> str:
    """What a caption says of series and numbers that do not fit."""
    series = f"; {num_series - MOST_SERIES} more series are not drawn" if num_series > MOST_SERIES else ""
    numbers = f"; of {num_numbers} numbers the first {MOST_PANELS}" if num_numbers > MOST_PANELS else ""
    return series + numbers


def _series(view: View, key: str) -> dict[str, dict[float, PlotSetting]]:
    """Label of a series -> value of the key -> setting.

    Settings of a series are alike in all but this key, or, where several keys vary together, in all that are no
    numbers; each has another value.
    """
    names = [name for name in view.names if name not in (key, "id", *ALWAYS_SHOWN)]
    apart: dict[tuple[Any, ...], list[tuple[float, PlotSetting]]] = {}
    together: dict[tuple[Any, ...], list[tuple[float, PlotSetting]]] = {}
    for setting in view.settings:
        value = setting.columns.get(key)
        if isinstance(value, float):
            alike = {name: setting.columns[name] for name in names if setting.columns.get(name) is not None}
            kinds = {name: item for name, item in alike.items() if isinstance(item, str | bool)}
            for series, columns in ((apart, alike), (together, kinds)):
                series.setdefault((setting.model, *columns.items()), []).append((value, setting))
    series = _with_distinct_values(apart) or _with_distinct_values(together)
    rows = [{**dict(columns), "dataset": "", "model": model} for model, *columns in series]
    return dict(zip(labels(rows), series.values(), strict=True))


def _with_distinct_values(
    series: Mapping[tuple[Any, ...], list[tuple[float, PlotSetting]]],
) -> dict[tuple[Any, ...], dict[float, PlotSetting]]:
    by_value = {name: dict(pairs) for name, pairs in series.items()}
    return {name: settings for name, settings in by_value.items() if 1 < len(settings) == len(series[name])}


def _sweep(axes: Axes, number: str, settings: Mapping[float, PlotSetting], place: int) -> None:
    style = marker_style(place)
    points = sorted((value, setting.values(number)) for value, setting in settings.items() if setting.values(number))
    if not points:
        return
    x = np.array([value for value, _ in points])
    mean = np.array([np.mean(values) for _, values in points])
    deviation = np.array([np.std(values, ddof=1) if len(values) > 1 else 0.0 for _, values in points])
    axes.fill_between(x, mean - deviation, mean + deviation, color=style["color"], alpha=0.18, linewidth=0)
    axes.plot(x, mean, "-", color=style["color"], linewidth=1.5)
    all_x, all_y = np.repeat(x, [len(values) for _, values in points]), np.concatenate([values for _, values in points])
    axes.plot(all_x, all_y, **{**style, "markersize": 3.5, "alpha": 0.7, "markeredgewidth": 0})
