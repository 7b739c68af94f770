"""What metrics ask of their input, each with the error that tells a user what was missing."""

from dataclasses import replace
from numbers import Integral

import numpy as np
from jaxtyping import Float, Integer

from disent_runner.representations.capsules import Capsules
from disent_runner.representations.control import Control
from disent_runner.representations.playing import Playing
from disent_runner.representations.questions import Questions
from disent_runner.representations.representation import UNKNOWN, Autoencoder, Representation, weights_among
from disent_runner.representations.symbols import Symbols


class NotApplicable(ValueError):
    """The representation lacks what a metric needs: it is skipped, and its row says why."""


def require_finite(metric: str, codes: Float[np.ndarray, "..."]) -> None:
    """Raise ValueError, naming the metric, if a code is NaN or infinite."""
    if not np.isfinite(codes).all():
        broken = int((~np.isfinite(codes)).sum())
        raise ValueError(
            f"{metric} needs finite codes, got {broken} values that are NaN or infinite; check the training"
        )


def require_at_least(metric: str, minimum: int, **settings: int) -> None:
    """Raise ValueError, naming metric and setting, if a setting is no whole number, or below the minimum."""
    for name, value in settings.items():
        if not isinstance(value, Integral) or isinstance(value, bool):
            raise ValueError(f"{metric} needs {name} to be a whole number >= {minimum}, got {value!r}")
        if value < minimum:
            raise ValueError(f"{metric} needs {name} >= {minimum}, got {value}")


def require_choice(metric: str, choices: tuple[str, ...], **settings: str) -> None:
    """Raise ValueError, naming metric and setting, if a setting is none of the choices."""
    for name, value in settings.items():
        if value not in choices:
            raise ValueError(f"{metric} needs {name} to be one of {', '.join(choices)}, got {value!r}")


def require_labels(metric: str, rep: Representation, *, minimum: int = 2) -> Representation:
    """The images whose factors are all known.

    NotApplicable, naming the metric, if there is no factor, or fewer than `minimum` such images.
    """
    if not rep.factor_sizes:
        raise NotApplicable(f"{metric} needs ground-truth factors, got none")
    known = (rep.factors != UNKNOWN).all(axis=1)
    if rep.on_labelled is not None:
        rep.on_labelled(int(known.sum()))
    if known.sum() < minimum:
        raise NotApplicable(
            f"{metric} needs at least {minimum} images whose factors are all known, got {known.sum()} of {len(known)}"
            "; choose others with 'factors=[…]'"
        )
    if known.all():
        return rep
    if rep.autoencoder is not None:  # its rows are those of all images
        rep = replace(rep, autoencoder=None)
    logvar = None if rep.logvar is None else rep.logvar[known]
    weights = weights_among(rep.weights, known)
    return replace(rep, codes=rep.codes[known], factors=rep.factors[known], logvar=logvar, weights=weights)


def require_logvar(metric: str, rep: Representation) -> Float[np.ndarray, "image latent"]:
    """Log variance of q(z|x) in nats; NotApplicable, naming the metric, for point codes."""
    if rep.logvar is None:
        raise NotApplicable(f"{metric} needs the posterior's logvar, got point codes")
    return rep.logvar


def require_autoencoder(metric: str, rep: Representation) -> Autoencoder:
    """The model's decoder and images; NotApplicable, naming the metric, where only codes are known."""
    if rep.autoencoder is None:
        raise NotApplicable(f"{metric} needs the model's decoder and images, got codes alone")
    return rep.autoencoder


def require_part(metric: str, rep: Representation, name: str) -> slice:
    """Where in a code the part of that name lies.

    NotApplicable, naming the metric, where codes are one whole; ValueError for no such part.
    """
    if not rep.parts:
        raise NotApplicable(f"{metric} needs codes of several parts, such as m and h of disbm, got one whole")
    if name not in rep.parts:
        raise ValueError(f"{metric} needs parts of {', '.join(rep.parts)}, got {name}")
    names = list(rep.parts)
    start = sum(rep.parts[before] for before in names[: names.index(name)])
    return slice(start, start + rep.parts[name])


def require_symbols(metric: str, rep: Representation) -> Symbols:
    """What the model knows of symbols; NotApplicable, naming the metric, for one of images alone.

    NotApplicable too where a factor that its concepts are about is not among the representation's.
    """
    if rep.symbols is None:
        raise NotApplicable(f"{metric} needs a model that was taught symbols, such as scan, got none")
    missing = [name for name in rep.symbols.factors if name not in rep.factor_names]
    if missing:
        raise NotApplicable(f"{metric} needs the factors that concepts are about, got none called {missing[0]}")
    return rep.symbols


def require_control(metric: str, rep: Representation) -> Control:
    """What the model does to its features; NotApplicable, naming the metric, for one that does not act."""
    if rep.control is None:
        raise NotApplicable(f"{metric} needs a model that acts in an environment, such as icf, got none")
    return rep.control


def require_capsules(metric: str, rep: Representation) -> Capsules:
    """The model's capsules; NotApplicable, naming the metric, for one that has none."""
    if rep.capsules is None:
        raise NotApplicable(f"{metric} needs a model of capsules, such as transforming_ae, got none")
    return rep.capsules


def require_playing(metric: str, rep: Representation) -> Playing:
    """How the agent plays; NotApplicable, naming the metric, for what does not act for rewards."""
    if rep.playing is None:
        raise NotApplicable(f"{metric} needs an agent, such as a2c, got a model that does not act for rewards")
    return rep.playing


def require_questions(metric: str, rep: Representation) -> Questions:
    """What the model was asked about images; NotApplicable, naming the metric, for one that was not.

    NotApplicable too where a factor that it was asked about is not among the representation's.
    """
    if rep.questions is None:
        raise NotApplicable(f"{metric} needs a model that was asked about images, such as oracle_triplets, got none")
    missing = [name for name in rep.questions.factors if name not in rep.factor_names]
    if missing:
        raise NotApplicable(f"{metric} needs the factors that were asked about, got none called {missing[0]}")
    return rep.questions


def require_varying_factors(
    metric: str, factors: Integer[np.ndarray, "image factor"], *, minimum: int = 1
) -> Integer[np.ndarray, " varying"]:
    """Columns of the factors that take more than one value; NotApplicable, naming the metric, if there are too few."""
    varying = np.flatnonzero(factors.min(axis=0) != factors.max(axis=0))
    if len(varying) < minimum:
        raise NotApplicable(
            f"{metric} needs at least {minimum} factor(s) with more than one value, got {len(varying)}"
            f" of {factors.shape[1]} in {len(factors)} images"
        )
    return varying
