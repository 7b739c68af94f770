"""Metrics, one module each; `from disent_runner.metrics import mig` and `mig(codes, factors)` scores two arrays.

A metric's module holds its entry, a function of the same name that takes a `Representation`, a random generator and
settings and returns the plain floats that it declares, and beside it the functions of arrays that do the maths. Hydra
needs the module where people expect the function, so the module can be called:

    mig(codes, factors)                              {"mig": 0.31, "mig_factor_0": 0.28, …}
    mig(codes, factors, seed=1, num_bins=50)         settings of the entry
    mig_exact(codes, factors, logvar=logvar)         where the posterior is needed

`disent_runner.score` gives a table of several, with how each number was made. Importing this package imports none of
its modules.
"""

import logging
import sys
from types import ModuleType
from typing import Any


class _Metric(ModuleType):
    """A metric's module, called as its entry is, with arrays."""

    def __call__(
        self, codes: Any, factors: Any = None, *, logvar: Any = None, seed: int = 0, **settings: Any
    ) -> dict[str, float]:
        import numpy as np

        from disent_runner.representations.arrays import represent

        entry = getattr(self, self.__name__.rpartition(".")[2])
        table = represent(codes, factors, logvar=logvar)
        for remark in table.remarks:
            logging.getLogger("disent_runner").warning("%s", remark)
        return entry(table.representation, rng=np.random.default_rng(seed), **settings)


class _Package(ModuleType):
    """Makes a metric's module callable when the import system sets it."""

    def __setattr__(self, name: str, value: Any) -> None:
        if type(value) is ModuleType and hasattr(value, name):
            value.__class__ = _Metric
        super().__setattr__(name, value)


sys.modules[__name__].__class__ = _Package
