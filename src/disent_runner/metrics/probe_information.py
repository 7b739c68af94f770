"""Probe information: how many nats of each factor a small network reads from the codes."""

import math
from typing import final

import numpy as np
from jaxtyping import Float, Integer
from sklearn.neural_network import MLPClassifier
from sklearn.preprocessing import StandardScaler

from disent_runner.machine.ranges import Count
from disent_runner.machine.threads import map_in_threads
from disent_runner.metrics.estimators.information import factor_entropies
from disent_runner.metrics.estimators.sampling import draw_split
from disent_runner.representations.numbers import Number, returns
from disent_runner.representations.representation import Representation
from disent_runner.representations.requirements import (
    NotApplicable,
    require_at_least,
    require_finite,
    require_labels,
    require_varying_factors,
)

FEWEST = 20
"""Images: a tenth of them stops the training of the probe."""
MOST_PASSES = 200
PATIENCE = 5
"""Passes over the images without a gain before it stops."""
UNIFORM = 1e-3


@returns(
    Number("probe_information", unit="nats", per_factor=True),
    Number("probe_information_share", per_factor=True),
)
def probe_information(
    rep: Representation,
    *,
    rng: np.random.Generator,
    num_train: Count = 5_000,
    num_test: Count = 5_000,
    num_hidden: Count = 64,
) -> dict[str, float]:
    """A lower bound of I(z; v) in nats for each factor v, and the share of H(v) that it is.

    On `num_test` images, H(v) minus the cross-entropy of a network with one layer of `num_hidden` units, which saw the
    labels of `num_train` others and stopped when a tenth of those, held out, got no better; 0 where that is negative.
    Of a task's factor it is what codes are for, of any other, a nuisance, how far they are from invariant (Achille &
    Soatto 2018). `probe_information` and its share are means over factors. Noise in codes counts: it is
    representation=sampled that I(z; v) is about. Factors with a single value are left out; few images are shared out as
    `draw_split` says.

    Raises:
        NotApplicable: too few images to train on, or no factor has more than one value.
        ValueError: a setting below 1, or a code that is not finite.
    """
    rep = require_labels("probe_information", rep)
    require_at_least("probe_information", 1, num_train=num_train, num_test=num_test, num_hidden=num_hidden)
    require_finite("probe_information", rep.codes)
    columns = require_varying_factors("probe_information", rep.factors)
    train, test = draw_split(len(rep.codes), num_train=num_train, num_test=num_test, rng=rng)
    if len(train) < FEWEST:
        raise NotApplicable(f"probe_information needs {FEWEST} images to train on, got {len(train)}")
    seed = int(rng.integers(2**31))

    def read(column: int) -> tuple[float, float]:
        labels, size = rep.factors[:, column], rep.factor_sizes[column]
        entropy = float(factor_entropies(labels[test, None])[0])
        probe = Probe(size, num_hidden=num_hidden, seed=seed).fit(rep.codes[train], labels[train])
        return max(0.0, entropy - probe.cross_entropy(rep.codes[test], labels[test])), entropy

    nats, entropies = np.array(map_in_threads(read, columns.tolist())).T
    shares = np.divide(nats, entropies, out=np.zeros_like(nats), where=entropies > 0)
    by_factor = {f"probe_information_factor_{k}": float(value) for k, value in zip(columns, nats, strict=True)}
    by_factor |= {f"probe_information_share_factor_{k}": float(v) for k, v in zip(columns, shares, strict=True)}
    return {"probe_information": float(nats.mean()), "probe_information_share": float(shares.mean()), **by_factor}


@final
class Probe:
    """p(v|z): a network with one hidden layer on standardised codes, trained while held-out images are told better."""

    def __init__(self, num_values: int, *, num_hidden: int, seed: int) -> None:
        self._values = np.arange(num_values)
        self._scaler = StandardScaler()
        self._network = MLPClassifier([num_hidden], learning_rate_init=3e-3, random_state=seed)

    def fit(self, codes: Float[np.ndarray, "image latent"], labels: Integer[np.ndarray, " image"]) -> "Probe":
        """Pass after pass over nine tenths of the images; kept is what the last tenth, to the mean nat, liked best."""
        self._scaler.fit(codes.astype(np.float64))
        num_held_out = max(1, len(codes) // 10)
        inputs = self._scaler.transform(codes.astype(np.float64))
        best, since = math.inf, 0
        kept: tuple[list[np.ndarray], list[np.ndarray]] = ([], [])
        for _ in range(MOST_PASSES):
            self._network.partial_fit(inputs[num_held_out:], labels[num_held_out:], classes=self._values)
            cost = self.cross_entropy(codes[:num_held_out], labels[:num_held_out])
            if cost < best:
                best, since = cost, 0
                kept = [w.copy() for w in self._network.coefs_], [b.copy() for b in self._network.intercepts_]
            else:
                since += 1
            if since == PATIENCE:
                break
        self._network.coefs_, self._network.intercepts_ = kept
        return self

    def cross_entropy(self, codes: Float[np.ndarray, "image latent"], labels: Integer[np.ndarray, " image"]) -> float:
        """Mean of -log p(v|z), in nats; a little of p is uniform, so that no image costs more than it can be worth."""
        chances = np.asarray(self._network.predict_proba(self._scaler.transform(codes.astype(np.float64))))
        told = chances[np.arange(len(labels)), labels]
        return float(-np.log((1 - UNIFORM) * told + UNIFORM / len(self._values)).mean())
