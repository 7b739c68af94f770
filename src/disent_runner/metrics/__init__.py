"""Metrics, one module each; `from disent_runner.metrics import mig` and `mig(codes, factors)` scores two arrays.

A metric's module holds its entry, a function of the same name that takes a `Representation`, a random generator and
settings and returns plain floats, and beside it the function of arrays that does the maths. The module itself can be
called: with a `Representation` as the entry is, or with arrays.

    mig(codes, factors)                              {"mig": 0.31, "mig_factor_0": 0.28, …}
    mig(codes, factors, seed=1, num_bins=50)         settings of the entry
    mig_exact(codes, factors, logvar=logvar)         where the posterior is needed
    unsupervised(codes)                              where no factors are

Importing this package imports none of its modules.
"""

import sys
from types import ModuleType
from typing import Any


class _Metric(ModuleType):
    """A metric's module that is called like its entry, because Hydra needs the module where users expect a function."""

    def __call__(self, codes: Any, factors: Any = None, *, logvar: Any = None, seed: int = 0, **settings: Any) -> Any:
        import numpy as np

        from disent_runner.representation import Representation
        from disent_runner.tables import represent

        entry = getattr(self, self.__name__.rpartition(".")[2], None)
        if entry is None:
            raise TypeError(f"{self.__name__} is no metric")
        rep = codes if isinstance(codes, Representation) else represent(codes, factors, logvar=logvar).representation
        return entry(rep, **{"rng": np.random.default_rng(seed), **settings})


class _Package(ModuleType):
    """Lets the import system's setting of a submodule make it callable."""

    def __setattr__(self, name: str, value: Any) -> None:
        if type(value) is ModuleType and value.__name__ == f"{self.__name__}.{name}":
            value.__class__ = _Metric
        super().__setattr__(name, value)


sys.modules[__name__].__class__ = _Package
