"""What a setting may be, in annotations: `beta: NonNegative`. Read from the source by `assembly.declared`, for checks
before anything heavy is imported, for messages and for the docs; they ask nothing of who calls a function.
"""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Annotated

from annotated_types import Ge, Gt, Le, Len, Lt, MinLen, Predicate

LARGEST = 10**9
"""Of what is counted: beyond it nobody counts, and what is computed from it may overflow."""


class OneOf(Predicate):
    """One of these texts."""

    def __init__(self, *names: str) -> None:
        super().__init__(frozenset(names).__contains__)
        object.__setattr__(self, "names", names)

    names: tuple[str, ...]


def distinct(values: Sequence[object]) -> bool:
    return all(value not in values[:index] for index, value in enumerate(values))


def increasing(values: Sequence[float]) -> bool:
    return all(before < after for before, after in pairwise(values))


Count = Annotated[int, Ge(1), Le(LARGEST)]
Several = Annotated[int, Ge(2), Le(LARGEST)]
Latents = Annotated[int, Ge(1), Le(10_000)]
"""More need terabytes in most networks."""
WholeNumber = Annotated[int, Ge(0), Le(LARGEST)]
Seed = Annotated[int, Ge(0), Lt(2**32)]
Index = Annotated[int, Ge(0), Le(LARGEST)]
Positive = Annotated[float, Gt(0)]
NonNegative = Annotated[float, Ge(0)]
Share = Annotated[float, Ge(0), Le(1)]
"""0 and 1 too."""
Fraction = Annotated[float, Gt(0), Lt(1)]
BelowOne = Annotated[float, Ge(0), Lt(1)]
Names = Annotated[Sequence[str], Predicate(distinct)]
"""Different ones, or none."""
TwoNames = Annotated[Sequence[str], Len(2, 2), Predicate(distinct)]
SomeNames = Annotated[Sequence[str], MinLen(1), Predicate(distinct)]
Counts = Annotated[Sequence[Count], MinLen(1)]
Weights = Annotated[Sequence[NonNegative], MinLen(1)]
Numbered = Mapping[str, Index]
"""{name: number}"""
Text = Annotated[str, MinLen(1)]
