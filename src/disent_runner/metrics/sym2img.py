"""Images of symbols: do they show what is said, and leave open what is not? (Higgins et al. 2018, SCAN)."""

from collections.abc import Iterator, Sequence
from typing import Annotated, NamedTuple

import numpy as np
import torch
from jaxtyping import Bool, Float
from scipy.stats import binom

from disent_runner.datasets.symbols.concepts import ANY, Concepts
from disent_runner.machine.ranges import Count, OneOf, Share
from disent_runner.metrics.estimators.attribute_classifier import (
    AttributeClassifier,
    fit_attribute_classifier,
    shrunk_in_blocks,
)
from disent_runner.metrics.estimators.concept_draws import draw_pairs, draw_untaught
from disent_runner.metrics.estimators.sampling import draw_split
from disent_runner.representations.numbers import Number, returns
from disent_runner.representations.representation import UNKNOWN, Autoencoder, Representation
from disent_runner.representations.requirements import (
    NotApplicable,
    require_at_least,
    require_autoencoder,
    require_choice,
    require_symbols,
)
from disent_runner.representations.symbols import Symbols

SMALLEST_PROBABILITY = 1e-8
"""Of a value among the samples: none counts as less likely, so that the divergence is finite."""


class Imagined(NamedTuple):
    """Of each concept the share of said attributes that samples show, and each attribute's distribution in them."""

    accuracy: Float[np.ndarray, " concept"]
    distributions: list[Float[np.ndarray, "concept _"]]


@returns(
    Number("sym2img_accuracy_train", "higher"),
    Number("sym2img_accuracy_unseen", "higher"),
    Number("sym2img_accuracy_held_out", "higher"),
    Number("sym2img_accuracy_operators", "higher"),
    Number("sym2img_chance"),
    Number("sym2img_diversity_train", "lower", unit="nats"),
    Number("sym2img_diversity_unseen", "lower", unit="nats"),
    Number("sym2img_diversity_operators", "lower", unit="nats"),
    Number("sym2img_diversity_floor", unit="nats"),
    Number("sym2img_classifier_real", per_factor=True),
    Number("sym2img_classifier_reconstructed", per_factor=True),
    Number("sym2img_valid", "higher"),
)
def sym2img(
    rep: Representation,
    *,
    rng: np.random.Generator,
    num_samples: Count = 256,
    num_concepts: Count = 100,
    distribution: Annotated[str, OneOf("counts", "softmax")] = "counts",
    num_train: Count = 6_000,
    num_test: Count = 1_000,
    num_steps: Count = 900,
    least_accuracy: Share = 0.98,
) -> dict[str, float]:
    """What a classifier of the factors sees in `num_samples` images of each concept, means over concepts.

    `sym2img_accuracy_…` is the share of (sample, attribute that the concept names) whose predicted value is the one
    named; `sym2img_diversity_…` the mean of `divergence_from_uniform` over attributes that it does not name, less is
    better. An attribute's distribution in the samples counts its most probable values (`counts`), or is the mean of
    their probabilities (`softmax`), in which doubts of the classifier hide what is never shown.

    Of the concepts taught (`train`); of `num_concepts` that were not, said by symbols (`unseen`) or reached by an
    operator (`operators`, where the model has them); and of those combinations of all factors among them of which the
    model saw no image (`held_out`). `sym2img_chance` is the accuracy of guesses on the unseen ones,
    `sym2img_diversity_floor` what a perfectly uniform sampler of so many images would have on them.

    The classifier is trained on `num_train` evaluated images and their reconstructions; its accuracies are those on
    `num_test` others, real and reconstructed. `sym2img_valid` is 1 where every factor is read off real ones in
    `least_accuracy` of them, else 0, and the numbers say little.

    Raises:
        ValueError: a model without symbols or decoder, too few labelled images, or a setting that is too small.
    """
    symbols = require_symbols("sym2img", rep)
    autoencoder = require_autoencoder("sym2img", rep)
    require_choice("sym2img", ("counts", "softmax"), distribution=distribution)
    require_at_least("sym2img", 1, num_samples=num_samples, num_concepts=num_concepts, num_steps=num_steps)
    columns = [rep.factor_names.index(name) for name in symbols.factors]
    sizes = tuple(symbols.vocabulary.sizes.values())
    classifier, real, reconstructed = _classifier(
        rep, autoencoder, columns, sizes, num_train=num_train, num_test=num_test, num_steps=num_steps, rng=rng
    )
    unseen = draw_untaught(symbols, num_concepts, rng)
    scores: dict[str, float] = {}

    def add(name: str, concepts: Concepts, posteriors: tuple[np.ndarray, np.ndarray]) -> Imagined | None:
        if len(concepts) == 0:
            return None
        samples = _samples(posteriors, num_samples, rng)
        images = (autoencoder.decode(codes) for codes in samples)
        imagined = _imagined(concepts, images, classifier, counts=distribution == "counts")
        scores[f"sym2img_accuracy_{name}"] = float(imagined.accuracy.mean())
        if (concepts == ANY).any():
            scores[f"sym2img_diversity_{name}"] = diversity(concepts, imagined.distributions)
        return imagined

    train = symbols.train[rng.permutation(len(symbols.train))[:num_concepts]]
    add("train", train, _posteriors(symbols, train, rng))
    seen = add("unseen", unseen, _posteriors(symbols, unseen, rng))
    is_whole = (unseen != ANY).all(axis=1)
    if seen is not None and is_whole.any():
        scores["sym2img_accuracy_held_out"] = float(seen.accuracy[is_whole].mean())
    if symbols.recombine is not None:
        pairs = draw_pairs(symbols, unseen, rng)
        operands = [*_posteriors(symbols, pairs.first, rng), *_posteriors(symbols, pairs.second, rng)]
        add("operators", unseen[pairs.targets], symbols.recombine(pairs.operators, *operands))
    if seen is not None:
        scores["sym2img_chance"] = chance(unseen, sizes)
        if (unseen == ANY).any():
            scores["sym2img_diversity_floor"] = diversity_floor(unseen, sizes, num_samples)
    for name, accuracy in (("real", real), ("reconstructed", reconstructed)):
        scores[f"sym2img_classifier_{name}"] = float(accuracy.mean())
        scores |= {f"sym2img_classifier_{name}_factor_{k}": float(accuracy[i]) for i, k in enumerate(columns)}
    return scores | {"sym2img_valid": float(real.min() >= least_accuracy)}


def divergence_from_uniform(distributions: Float[np.ndarray, "*case value"]) -> Float[np.ndarray, "*case"]:
    """KL(u || p) in nats of the uniform distribution from each, which is floored at 1e-8 and normalised again.

    In this direction a value that is never shown costs much: ln 1e-8 / K of K values. 0 for the uniform one.
    """
    floored = np.maximum(distributions, SMALLEST_PROBABILITY)
    floored = floored / floored.sum(axis=-1, keepdims=True)
    return np.asarray(-np.log(floored).mean(axis=-1) - np.log(distributions.shape[-1]))


def diversity(concepts: Concepts, distributions: Sequence[Float[np.ndarray, "concept _"]]) -> float:
    """Mean of `divergence_from_uniform` over all attributes that concepts do not name, in nats.

    Over those of a concept first, then over the concepts that have any.
    """
    table = np.stack([divergence_from_uniform(of_attribute) for of_attribute in distributions], axis=1)
    return _mean_where(table, concepts == ANY)


def diversity_floor(concepts: Concepts, sizes: Sequence[int], num_samples: int) -> float:
    """What `diversity` is expected to be of samples that show all values of what is not named equally often, in nats.

    A value is shown by a number of samples that has a binomial distribution.
    """
    counts = np.arange(num_samples + 1)
    logs = np.log(np.maximum(counts / num_samples, SMALLEST_PROBABILITY))
    of_attribute = [-float(binom.pmf(counts, num_samples, 1 / size) @ logs) - np.log(size) for size in sizes]
    return _mean_where(np.broadcast_to(of_attribute, concepts.shape), concepts == ANY)


def chance(concepts: Concepts, sizes: Sequence[int]) -> float:
    """Accuracy of values that are guessed."""
    return _mean_where(np.broadcast_to(1 / np.array(sizes), concepts.shape), concepts != ANY)


def _mean_where(table: Float[np.ndarray, "concept attribute"], mask: Bool[np.ndarray, "concept attribute"]) -> float:
    rows = mask.any(axis=1)
    return float(table[rows].mean(axis=1, where=mask[rows]).mean())


def _posteriors(symbols: Symbols, concepts: Concepts, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    return symbols.infer(symbols.vocabulary.encode(concepts, rng))


def _samples(
    posteriors: tuple[np.ndarray, np.ndarray], num_samples: int, rng: np.random.Generator
) -> Iterator[Float[np.ndarray, "sample latent"]]:
    """Codes of one concept after the other."""
    for mean, logvar in zip(*posteriors, strict=True):
        noise = rng.standard_normal((num_samples, len(mean)), dtype=np.float32)
        yield mean + np.exp(logvar / 2) * noise


def _imagined(
    concepts: Concepts,
    images: Iterator[Float[np.ndarray, "sample channel height width"]],
    classifier: AttributeClassifier,
    *,
    counts: bool,
) -> Imagined:
    accuracy, distributions = [], []
    for concept, samples in zip(concepts, images, strict=True):
        probabilities = classifier.probabilities(torch.from_numpy(samples))
        certain = [np.eye(block.shape[1])[block.argmax(axis=1)] for block in probabilities]
        named = np.flatnonzero(concept != ANY)
        accuracy.append(np.mean([certain[attribute][:, concept[attribute]] for attribute in named]))
        distributions.append([block.mean(axis=0) for block in (certain if counts else probabilities)])
    return Imagined(np.array(accuracy), [np.stack(rows) for rows in zip(*distributions, strict=True)])


def _classifier(
    rep: Representation,
    autoencoder: Autoencoder,
    columns: Sequence[int],
    sizes: Sequence[int],
    *,
    num_train: int,
    num_test: int,
    num_steps: int,
    rng: np.random.Generator,
) -> tuple[AttributeClassifier, Float[np.ndarray, " attribute"], Float[np.ndarray, " attribute"]]:
    """A classifier of real images and reconstructions, and its accuracies on others of either kind."""
    labels = rep.factors[:, columns]
    known = np.flatnonzero((labels != UNKNOWN).all(axis=1))
    if len(known) < 4:
        raise NotApplicable(f"sym2img needs at least 4 images whose factors are all known, got {len(known)}")
    train, test = (known[part] for part in draw_split(len(known), num_train=num_train, num_test=num_test, rng=rng))
    images = [shrunk_in_blocks(autoencoder.images, rows) for rows in (train, test)]
    decoded = [shrunk_in_blocks(lambda rows: autoencoder.decode(rep.codes[rows]), rows) for rows in (train, test)]
    classifier = fit_attribute_classifier(
        torch.cat([images[0], decoded[0]]),
        np.concatenate([labels[train], labels[train]]),
        sizes=sizes,
        num_steps=num_steps,
        rng=rng,
        device="cuda" if torch.cuda.is_available() else "cpu",
    )
    real, reconstructed = (classifier.accuracy(kind[1], labels[test]) for kind in (images, decoded))
    return classifier, real, reconstructed
