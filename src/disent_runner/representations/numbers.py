"""What a metric says of the numbers that it returns: declared once, where the metric is defined."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal, NamedTuple, TypeVar

_Function = TypeVar("_Function", bound=Callable[..., Mapping[str, float]])


@dataclass(frozen=True)
class Number:
    """A number by its name in what the metric returns.

    `better`: which way, None where neither is. `unit`: nats, bits, images, …; None for a share, an accuracy or another
    plain number. `per_factor`: whether there is `<name>_factor_<k>` for factors k; `of_all`: whether there is one of
    all factors. `sizes`: the metric's setting whose every value v makes it a number of its own, `<name>_<v>`.
    """

    name: str
    better: Literal["higher", "lower"] | None = None
    unit: str | None = None
    per_factor: bool = False
    of_all: bool = True
    sizes: str | None = None


class Part(NamedTuple):
    """What a key of a metric's result means: a number's name, and the column of the factor that it is of alone."""

    name: str
    factor: int | None
    number: Number


def returns(*numbers: Number) -> Callable[[_Function], _Function]:
    """Says what the metric below returns; read with `numbers_of`."""

    def declare(metric: _Function) -> _Function:
        vars(metric)["numbers"] = numbers
        return metric

    return declare


def numbers_of(metric: Callable[..., Any]) -> tuple[Number, ...]:
    """What the metric declares, its settings filled in or not; nothing where it declares nothing."""
    return getattr(metric.func if isinstance(metric, partial) else metric, "numbers", ())


def parts_of(metric: Callable[..., Any], keys: Iterable[str], num_factors: int) -> dict[str, Part]:
    """What each key of the metric's result means. A metric that declares nothing may return any numbers.

    Raises ValueError for a key that the metric does not declare, which is a defect of the metric.
    """
    numbers, settings = numbers_of(metric), metric.keywords if isinstance(metric, partial) else {}
    known = {key: part for number in numbers for key, part in _parts(number, settings, num_factors)}
    if not numbers:
        return {key: Part(key, None, Number(key)) for key in keys}
    unknown = [key for key in keys if key not in known]
    if unknown:
        raise ValueError(f"it returned {unknown[0]}, which it does not declare; a defect of the metric")
    return {key: known[key] for key in keys}


def number_of(metric: Callable[..., Any], label: str) -> Number | None:
    """The number that a row of that label would have, of all factors or of one of any name; None where there is none.

    A metric that declares nothing may return it.
    """
    if not numbers_of(metric):
        return Number(label)
    for number, name in _named(metric):
        if (number.of_all and label == name) or (number.per_factor and label.startswith(f"{name}_")):
            return number
    return None


def labels_of(metric: Callable[..., Any]) -> list[str]:
    """Labels of the numbers that are of all factors, and declared."""
    return [name for number, name in _named(metric) if number.of_all]


def _named(metric: Callable[..., Any]) -> Iterator[tuple[Number, str]]:
    settings = metric.keywords if isinstance(metric, partial) else {}
    return ((number, name) for number in numbers_of(metric) for name in _names(number, settings))


def _names(number: Number, settings: Mapping[str, Any]) -> list[str]:
    """A number's own, or one for each of its sizes."""
    sizes: Sequence[Any] = settings.get(number.sizes or "", ())
    return [f"{number.name}_{size}" for size in sizes] if number.sizes else [number.name]


def _parts(number: Number, settings: Mapping[str, Any], num_factors: int) -> Iterator[tuple[str, Part]]:
    for name in _names(number, settings):
        if number.of_all:
            yield name, Part(name, None, number)
        if number.per_factor:
            yield from ((f"{name}_factor_{k}", Part(name, k, number)) for k in range(num_factors))
