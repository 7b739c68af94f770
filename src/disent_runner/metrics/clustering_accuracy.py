"""Clustering accuracy: does a categorical code name the classes (InfoGAN's digits, Chen et al. 2016, section 7.2)."""

import numpy as np
from jaxtyping import Integer
from scipy.optimize import linear_sum_assignment

from disent_runner.machine.ranges import Count, Text
from disent_runner.metrics.estimators.information import entropy
from disent_runner.representations.numbers import Number, returns
from disent_runner.representations.representation import Representation
from disent_runner.representations.requirements import NotApplicable, require_labels, require_varying_factors


@returns(
    Number("clustering_accuracy", "higher"),
    Number("clustering_accuracy_chance"),
    Number("clustering_purity", "higher"),
    Number("normalized_mutual_information", "higher"),
)
def clustering_accuracy(
    rep: Representation, *, rng: np.random.Generator, num_clusters: Count | None = None, factor: Text | None = None
) -> dict[str, float]:
    """`clustering_scores` in [0, 1] of clusters, the largest of the first `num_clusters` codes, and a factor's values.

    `num_clusters` None: the first categorical code. `factor`, by name; None: the first with as many values as clusters.

    Raises:
        NotApplicable: no categorical code, no factor with as many values, or one that does not vary.
        ValueError: `num_clusters` above the number of codes or below 1, or no factor of that name.
    """
    num_clusters, num_codes = _num_clusters(rep, num_clusters), rep.codes.shape[1]
    if not 1 <= num_clusters <= num_codes:
        raise ValueError(f"clustering_accuracy needs num_clusters from 1 to {num_codes} codes, got {num_clusters}")
    rep = require_labels("clustering_accuracy", rep.with_factors([_factor(rep, factor, num_clusters)]))
    require_varying_factors("clustering_accuracy", rep.factors)
    clusters = rep.codes[:, :num_clusters].argmax(axis=1)
    return clustering_scores(clusters, rep.factors[:, 0].astype(np.int64))


def clustering_scores(
    clusters: Integer[np.ndarray, " image"], classes: Integer[np.ndarray, " image"]
) -> dict[str, float]:
    """How well clusters match classes, which take more than one value; both count from 0, and may differ in number.

    `clustering_accuracy`: share of the images whose cluster is assigned to their class, each cluster to one class at
    most and each class to one cluster, so as to be largest. `clustering_accuracy_chance`: share of the largest class,
    which a single cluster reaches. `clustering_purity`: the share where each cluster goes to its most frequent class,
    whatever the others do. `normalized_mutual_information`: of both, over the mean of their entropies.
    """
    shape = int(clusters.max()) + 1, int(classes.max()) + 1
    counts = np.bincount(clusters * shape[1] + classes, minlength=shape[0] * shape[1]).reshape(shape)
    entropies = entropy(counts.sum(axis=1)) + entropy(counts.sum(axis=0))
    information = max(0.0, float(entropies - entropy(counts.ravel())))  # rounding leaves it a hair below zero
    return {
        "clustering_accuracy": float(counts[linear_sum_assignment(counts, maximize=True)].sum() / len(clusters)),
        "clustering_accuracy_chance": float(counts.sum(axis=0).max() / len(clusters)),
        "clustering_purity": float(counts.max(axis=1).sum() / len(clusters)),
        "normalized_mutual_information": information / (float(entropies) / 2),
    }


def _num_clusters(rep: Representation, num_clusters: int | None) -> int:
    if num_clusters is not None:
        return num_clusters
    if not rep.categorical:
        raise NotApplicable(
            "clustering_accuracy needs a categorical code, got none; set metric.clustering_accuracy.num_clusters to"
            " cluster images by the largest of the first codes"
        )
    return rep.categorical[0]


def _factor(rep: Representation, factor: str | None, num_clusters: int) -> str:
    """The factor's name, of those there are."""
    if factor in rep.factor_names:
        return factor
    if factor is not None:
        raise ValueError(f"clustering_accuracy needs factor to be one of {', '.join(rep.factor_names)}, got {factor}")
    sizes = dict(zip(rep.factor_names, rep.factor_sizes, strict=True))
    fitting = [name for name, size in sizes.items() if size == num_clusters]
    if not fitting:
        factors_text = ", ".join(f"{name} ({size})" for name, size in sizes.items()) or "no factor"
        raise NotApplicable(
            f"clustering_accuracy needs a factor with {num_clusters} values, got {factors_text}; set"
            " metric.clustering_accuracy.factor"
        )
    return fitting[0]
