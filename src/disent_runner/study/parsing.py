"""From what a recipe writes down to quantities and claims, by the names that its study gives to them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from disent_runner.study.claims import Claim, Quantity

_KEYS = frozenset({"less", "than", "quantity", "where", "by", "every_seed"})


@dataclass(frozen=True)
class Names:
    """What the words of a study mean: its quantities, and its cases, which are runs by what the sweep set.

    `factors` are those that the recipe evaluates; None for all.
    """

    quantities: Mapping[str, Quantity] = field(default_factory=dict)
    cases: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    factors: Sequence[str] | None = None

    def where(self, node: str | Mapping[str, Any] | None) -> dict[str, Any]:
        """Runs by what the sweep set. A word is a case of the study; where there is none of that name, a model."""
        if isinstance(node, str):
            return dict(self.cases.get(node, {"model": node}))
        return dict(node or {})

    def quantity(self, node: str | Mapping[str, Any]) -> Quantity:
        """From its fields. A word is a quantity of the study; where there is none of that name, a number of the runs.

        Raises ValueError for fields that make none.
        """
        if isinstance(node, str):
            return self.quantities.get(node) or Quantity(number=node, factors=self.factors)
        if not isinstance(node, Mapping):
            raise ValueError(f"a quantity of the study is a name or its fields, got {node!r}")
        try:
            return Quantity(**{"factors": self.factors, **node, "where": self.where(node.get("where"))})
        except TypeError as error:
            raise ValueError(f"a quantity of the study is {node!r}: {error}") from None

    def claim(self, node: Mapping[str, Any]) -> Claim:
        """A claim whose sides are quantities; where it has a `quantity`, its sides are runs that have it.

        One side may be a fixed number. Its `where` is of both. Raises ValueError for what is no claim.
        """
        sides = [node.get("less"), node.get("than")] if isinstance(node, Mapping) else [None]
        if None in sides or node.keys() - _KEYS or all(isinstance(side, int | float) for side in sides):
            raise ValueError(
                f"a claim has less and than, of which one may be a fixed number, quantity, where, by, every_seed; "
                f"got {node!r}"
            )
        less, than = (self._side(side, node) for side in sides)
        return Claim(less, than, float(node.get("by", 0.0)), bool(node.get("every_seed", False)))

    def _side(self, side: Any, node: Mapping[str, Any]) -> Quantity | float:
        if isinstance(side, int | float):
            return side
        shared = self.where(node.get("where"))
        if node.get("quantity") is None:
            return self.quantity(side).within(shared)
        return self.quantity(node["quantity"]).within({**shared, **self.where(side)})
