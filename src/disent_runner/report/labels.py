"""Names of settings and values as people write them, and short labels of them: blob: betavae β=4."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

_SYMBOLS = {"beta": "β", "gamma": "γ", "alpha": "α", "capacity": "C", "lambda_od": "λ_od", "lambda_d": "λ_d"}
_ROOMS = frozenset({"model", "optimizer", "schedule", "trainer"})
_NOT_OF_DATA = frozenset({"card", "content", "labels", "split", "joint"})
_NAMES = frozenset({"dataset", "model"})
_LAST = frozenset({"data_hash", "trained with", "version", "id"})
"""Said where nothing else tells rows apart."""

Row = Mapping[str, Any]
"""All that is known of a run or a setting: `dataset`, `model`, its settings under the keys that people type, and what
else may tell it apart."""


def labels(rows: Sequence[Row]) -> list[str]:
    """The model of each, behind its data set where there are several, and each setting that people vary (β, the rate of
    learning, steps) which differs among rows of this model; its usual value, which most of these have, goes without
    saying unless it has a Greek letter.

    Of all else, such as classes of networks, factors that were evaluated, hashes, there is no more than rows need which
    are the same until then: the first keys that differ.
    """
    keys = [key for key in dict.fromkeys(key for row in rows for key in row) if key not in _NAMES]
    keys.sort(key=lambda key: (key in _LAST, not _is_greek(key)))
    told: list[list[str]] = [[] for _ in rows]
    for key in filter(_is_typed, keys):
        # rows of a data set whose runs do not differ in a setting of its images lack it
        names = (
            ("model", "dataset") if key.startswith("dataset.") and any(key not in row for row in rows) else ("model",)
        )
        for group in _groups(rows, lambda place, names=names: tuple(rows[place][name] for name in names)):
            _tell(key, rows, group, told)
    for key in keys:
        for group in _groups(rows, lambda place: _said(rows[place], told[place])):
            _tell(key, rows, group, told)
    short = symbols([key for key in keys if any(key in names for names in told)])
    several = len({row["dataset"] for row in rows}) > 1
    return [
        " ".join(
            [
                *([f"{row['dataset']}:"] if several else []),
                str(row["model"]),
                *(f"{short[key]}={shown(row[key])}" for key in keys if key in names),
            ]
        )
        for row, names in zip(rows, told, strict=True)
    ]


def _of_parent(key: str) -> tuple[str, str]:
    """The names of runs below that the key is of, `vision.`, and the key there."""
    parts = key.split(".")
    first = next((place for place, part in enumerate(parts) if part in _ROOMS or part == "dataset"), 0)
    return ".".join([*parts[:first], ""]), ".".join(parts[first:])


def _is_typed(key: str) -> bool:
    room, *parts = _of_parent(key)[1].split(".")
    if room == "dataset":
        return parts[0] not in _NOT_OF_DATA
    return key == "likelihood" or (room in _ROOMS and all(part.endswith("optimizer") for part in parts[:-1]))


def _is_greek(key: str) -> bool:
    return key.rpartition(".")[2] in _SYMBOLS


def _groups(rows: Sequence[Row], kind: Callable[[int], Any]) -> Iterable[list[int]]:
    """Places of rows that are of one kind, where there are several."""
    groups: dict[Any, list[int]] = {}
    for place in range(len(rows)):
        groups.setdefault(kind(place), []).append(place)
    return [group for group in groups.values() if len(group) > 1]


def _said(row: Row, names: Sequence[str]) -> tuple[Any, ...]:
    return (row["dataset"], row["model"], *((name, row[name]) for name in names))


def _tell(key: str, rows: Sequence[Row], group: Sequence[int], told: Sequence[list[str]]) -> None:
    """Have rows that differ in the key say it, if they have it, those with its usual value aside."""
    values = {place: (key in rows[place], rows[place].get(key)) for place in group}
    if len(set(values.values())) == 1:
        return
    different = {tuple(rows[place].items()): values[place] for place in group}
    (usual, count), *_ = Counter(different.values()).most_common(1)
    goes_without_saying = 2 * count > len(different) and not _is_greek(key)
    for place, value in values.items():
        if value[0] and key not in told[place] and not (goes_without_saying and value == usual):
            told[place].append(key)


def symbols(names: Iterable[str]) -> dict[str, str]:
    """The last part of each key, Greek where the papers are, or the whole key where that would not tell."""
    ends = {name: (_of_parent(name)[0], name.rpartition(".")[2]) for name in names}
    counts = Counter(ends.values())
    return {
        name: f"{parent}{_SYMBOLS.get(end, end)}" if counts[parent, end] == 1 else name
        for name, (parent, end) in ends.items()
    }


def shown(value: Any) -> str:
    """A setting's value as it would be typed; of a class its name alone."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < 1e9 else f"{value:.6g}"
    return str(value)
