"""Numbers against the settings that were varied on purpose."""

from collections.abc import Mapping

import numpy as np
from matplotlib.axes import Axes

from disent_runner.report.drawing import MOST_PANELS, Drawn, file_name, legend_above, marker_style, panels, value_ticks
from disent_runner.report.pooling import ALWAYS_SHOWN
from disent_runner.report.settings import shown
from disent_runner.report.views import DrawnSetting, View

MOST_SERIES = 7


def sweep(view: View, key: str) -> Drawn | None:
    """Numbers against a setting that was varied on purpose: its values apart, all else alike."""
    series = _series(view, key)
    numbers = view.numbers[:MOST_PANELS]
    if not series or not numbers:
        return None
    drawn = dict(list(series.items())[:MOST_SERIES])
    figure, axes = panels(len(numbers), legend=len(drawn) > 1)
    values = [value for of_values in drawn.values() for value in of_values]
    for number, each in zip(numbers, axes, strict=True):
        for place, of_values in enumerate(drawn.values()):
            _sweep(each, number, of_values, place)
        value_ticks(each, values, map(shown, values))
        each.set_xlabel(key)
        each.set_title(view.axis(number))
    if len(drawn) > 1:
        legend_above(figure, list(drawn), [marker_style(place, linestyle="-") for place in range(len(drawn))])
    left_out = f"; {len(series) - MOST_SERIES} more series are not drawn" if len(series) > MOST_SERIES else ""
    left_out += f"; of {len(view.numbers)} numbers the first {MOST_PANELS}" if len(view.numbers) > MOST_PANELS else ""
    what = f"Numbers against {key}: mean over seeds (line), one standard deviation (band), runs (points){left_out}."
    return f"sweep_{file_name(key)}", f"Numbers against {key}", what, figure


def _series(view: View, key: str) -> dict[str, dict[float, DrawnSetting]]:
    """Label of a series -> value of the key -> setting.

    Settings of a series are alike in all but this key, or, where several keys vary together, in all that are no
    numbers; each has another value.
    """
    names = {name: short for name, short in view.apart.items() if name not in (key, "id")}
    apart: dict[str, list[tuple[float, DrawnSetting]]] = {}
    together: dict[str, list[tuple[float, DrawnSetting]]] = {}
    for setting in view.settings:
        value = setting.columns.get(key)
        if isinstance(value, float):
            own = {short: setting.columns.get(name) for name, short in names.items() if name not in ALWAYS_SHOWN}
            texts = [f"{short}={shown(item)}" for short, item in own.items() if item is not None]
            kinds = [f"{short}={shown(item)}" for short, item in own.items() if isinstance(item, str | bool)]
            apart.setdefault(" ".join([setting.model, *texts]), []).append((value, setting))
            together.setdefault(" ".join([setting.model, *kinds]), []).append((value, setting))
    return _with_distinct_values(apart) or _with_distinct_values(together)


def _with_distinct_values(
    series: Mapping[str, list[tuple[float, DrawnSetting]]],
) -> dict[str, dict[float, DrawnSetting]]:
    found = {name: dict(pairs) for name, pairs in series.items()}
    return {name: of for name, of in found.items() if 1 < len(of) == len(series[name])}


def _sweep(axes: Axes, number: str, of_values: Mapping[float, DrawnSetting], place: int) -> None:
    style = marker_style(place)
    points = sorted((value, setting.values(number)) for value, setting in of_values.items() if setting.values(number))
    if not points:
        return
    x = np.array([value for value, _ in points])
    mean = np.array([np.mean(values) for _, values in points])
    deviation = np.array([np.std(values, ddof=1) if len(values) > 1 else 0.0 for _, values in points])
    axes.fill_between(x, mean - deviation, mean + deviation, color=style["color"], alpha=0.18, linewidth=0)
    axes.plot(x, mean, "-", color=style["color"], linewidth=1.5)
    all_x, all_y = np.repeat(x, [len(values) for _, values in points]), np.concatenate([values for _, values in points])
    axes.plot(all_x, all_y, **{**style, "markersize": 3.5, "alpha": 0.7, "markeredgewidth": 0})
