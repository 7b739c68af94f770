"""Mutual information of continuous codes and discrete factors, from distances to nearest neighbours (Ross 2014)."""

import numpy as np
from jaxtyping import Float, Integer
from scipy.special import digamma

from disent_runner.machine.threads import map_in_threads
from disent_runner.metrics.estimators.information import places_in_range
from disent_runner.representations.requirements import NotApplicable


def neighbor_information(
    codes: Float[np.ndarray, "image latent"], factors: Integer[np.ndarray, "image factor"], *, num_neighbors: int
) -> Float[np.ndarray, "latent factor"]:
    """Information in nats between each code and each factor from distances to nearest neighbours (Ross 2014).

    At least 0. Every image has a ball, open, that reaches to its `num_neighbors`-th neighbour among images of its value
    (to the last one where there are fewer); the images in it are counted, those of its value and all. Equal codes are
    in each other's ball, so that discrete codes need no noise. Images whose value no other one has are left out.

    Images that are equal in all codes and in the factor count once: as neighbours of each other, copies of an image, or
    images that the encoder sees no difference in, would tell the value from any code, noise as well. Not so where they
    are equal because the code is discrete: if it has half as many values as there are different images, or fewer, or
    these are no more than the root of the number of images, or too few to have neighbours.

    Raises:
        NotApplicable: no two images share a value of some factor.
    """
    for values in factors.T:
        if np.bincount(values).max() < 2:
            raise NotApplicable(
                f"infomec needs images that share a factor's value, got {len(values)} different ones"
                "; choose estimator=binned"
            )
    _, row = np.unique(codes, axis=0, return_inverse=True)
    num_values = [len(np.unique(code)) for code in codes.T]
    pairs = []
    for values in factors.T:
        _, once = np.unique(row * (int(values.max()) + 1) + values, return_index=True)
        are_few = len(once) <= max(num_neighbors * len(np.unique(values)), len(values) ** 0.5)
        pairs += [
            (code, values) if are_few or 2 * number <= len(once) else (code[once], values[once])
            for code, number in zip(codes.T, num_values, strict=True)
        ]
    information = map_in_threads(lambda pair: _information_of_pair(*pair, num_neighbors=num_neighbors), pairs)
    return np.array(information).reshape(factors.shape[1], codes.shape[1]).T


def _information_of_pair(
    code: Float[np.ndarray, " image"], values: Integer[np.ndarray, " image"], *, num_neighbors: int
) -> float:
    """Information in nats between one code and one factor."""
    code, rounding = places_in_range(code)
    code /= 3  # 0 to 1/3
    order = np.lexsort((code, values))
    size = np.bincount(values)[values[order]]
    order, size = order[size > 1], size[size > 1]
    values, code = values[order], code[order]
    radius = _distance_to_neighbor(code, np.searchsorted(values, values), size, np.minimum(num_neighbors, size - 1))
    radius = np.maximum(radius * (1 - 1e-6) - rounding, 0.0)  # open, whatever the rounding
    of_same_value = _count_in_balls(values + code, radius)  # 1/3 + 1/3 < 1: no ball reaches another value
    of_any_value = _count_in_balls(code, radius)
    return max(0.0, float(digamma(len(code)) + np.mean(digamma(of_same_value) - digamma(size) - digamma(of_any_value))))


def _distance_to_neighbor(
    code: Float[np.ndarray, " image"],
    start: Integer[np.ndarray, " image"],
    size: Integer[np.ndarray, " image"],
    neighbors: Integer[np.ndarray, " image"],
) -> Float[np.ndarray, " image"]:
    """Distance to the given nearest neighbour in the own group, of codes sorted within groups at `start` of `size`.

    The nearest ones of a sorted code are next to it: some below and the others above.
    """
    place = np.arange(len(code))
    radius = np.full(len(code), np.inf)
    for below in range(int(neighbors.max()) + 1):
        first, last = place - below, place - below + neighbors
        inside = (below <= neighbors) & (first >= start) & (last < start + size)
        first, last = first[inside], last[inside]
        reach = np.maximum(code[inside] - code[first], code[last] - code[inside])
        radius[inside] = np.minimum(radius[inside], reach)
    return radius


def _count_in_balls(
    points: Float[np.ndarray, " image"], radius: Float[np.ndarray, " image"]
) -> Integer[np.ndarray, " image"]:
    """Number of points, itself among them, within the radius of each."""
    line = np.sort(points)
    return np.searchsorted(line, points + radius, "right") - np.searchsorted(line, points - radius, "left")
