"""The name that `FactorSpace` had before it moved, for models and scripts elsewhere."""

from disent_runner.datasets.labels.factor_space import FactorSpace as FactorSpace
