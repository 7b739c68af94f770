"""A concept while it is taught by more and more diverse images (Higgins et al. 2018, SCAN)."""

from typing import Annotated

import numpy as np
from matplotlib.figure import Figure

from disent_runner.datasets.symbols.concepts import ANY
from disent_runner.datasets.symbols.phrases import phrase_of
from disent_runner.figures.grid import labelled_grid
from disent_runner.figures.inputs import FigureInputs
from disent_runner.figures.labels import as_label
from disent_runner.figures.symbol_inputs import imagined, named_symbols
from disent_runner.losses.concepts import GROUNDINGS
from disent_runner.machine.ranges import Count, NonNegative, OneOf, Positive, Several
from disent_runner.metrics.concept_evolution import NAME, Evolution, evolve
from disent_runner.metrics.specificity import specificity_of
from disent_runner.representations.requirements import require_at_least, require_labels


def concept_evolution(
    inputs: FigureInputs,
    *,
    rng: np.random.Generator,
    concept: str | None,
    num_latents: Count,
    num_sets: Several,
    num_images: Several,
    num_steps: Count,
    kl: Annotated[str, OneOf(*GROUNDINGS)],
    beta: NonNegative,
    lambda_: Positive,
) -> dict[str, Figure]:
    """`concept_evolution`, 1 - σ of `num_latents` latents over the steps on each set, and `concept_evolution_images`.

    Those are images of the concept after each set, above the images that taught it; latents are labelled by the factor
    that they tell most of, those first. The concept is learned as by the metric of that name; NotApplicable as there.
    """
    symbols = named_symbols(NAME, inputs)
    require_at_least(NAME, 1, num_latents=num_latents)
    labelled = require_labels(NAME, inputs.representation.with_factors(symbols.factors))
    first = np.array([[0, *[ANY] * (len(symbols.factors) - 1)]])
    text = phrase_of(first, symbols.vocabulary) if concept is None else concept
    evolution = evolve(
        labelled,
        symbols,
        rng=rng,
        concept=text,
        num_sets=num_sets,
        num_images=num_images,
        num_steps=num_steps,
        kl=kl,
        beta=beta,
        lambda_=lambda_,
    )
    course = _course(evolution, symbols.factors, num_latents, title=text)
    if labelled.autoencoder is None:
        return {NAME: course}
    means = np.concatenate([lesson.mean for lesson in evolution.lessons])
    deviations = np.concatenate([lesson.deviation[-1] for lesson in evolution.lessons])
    drawn = imagined(inputs, means, 2 * np.log(deviations), count=num_images, rng=rng)
    shown = np.stack([labelled.autoencoder.images(rows[0]) for rows in evolution.rows])
    labels = [f"{kind} {number}" for kind in ("after set", "set") for number in range(1, num_sets + 1)]
    grid = labelled_grid(np.concatenate([drawn, shown]), row_labels=labels, title=text)
    return {NAME: course, f"{NAME}_images": grid}


def _course(evolution: Evolution, factors: tuple[str, ...], num_latents: int, *, title: str) -> Figure:
    """Lines of latents over steps, with a dashed line where a set begins."""
    values = specificity_of(np.concatenate([lesson.deviation[:, 0] for lesson in evolution.lessons]))
    latents = list(dict.fromkeys([*evolution.own.tolist(), *np.argsort(-values.max(axis=0), kind="stable").tolist()]))
    figure = Figure(figsize=(6, 3.5), layout="constrained")
    axes = figure.add_subplot(xlabel="step", ylabel="specificity, 1 - σ", title=as_label(title, 120), ylim=(0, 1))
    for latent in latents[:num_latents]:
        own = [name for name, place in zip(factors, evolution.own.tolist(), strict=True) if place == latent]
        axes.plot(values[:, latent], label=as_label(f"z{latent} ({', '.join(own)})" if own else f"z{latent}"))
    lengths = [len(lesson.deviation) for lesson in evolution.lessons]
    for begin in np.cumsum(lengths)[:-1]:
        axes.axvline(begin, color="0.5", linestyle="--", linewidth=1)
    figure.legend(loc="outside right upper")
    return figure
