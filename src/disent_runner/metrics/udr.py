"""UDR: how alike the latents of independently trained models are (Duan et al. 2020, section 4)."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import numpy as np
from jaxtyping import Bool, Float, Integer

from disent_runner.machine.ranges import NonNegative, OneOf, Several, Text
from disent_runner.metrics.estimators.correspondence import SIMILARITIES, Correspondence, correspondence
from disent_runner.metrics.estimators.posterior_kl import mean_kl
from disent_runner.metrics.estimators.sampling import draw_rows
from disent_runner.representations.numbers import Number, returns
from disent_runner.representations.representation import Representation
from disent_runner.representations.requirements import (
    NotApplicable,
    require_at_least,
    require_choice,
    require_finite,
    require_logvar,
)
from disent_runner.runs.codes import Posteriors, read_posteriors

AGGREGATES = Correspondence._fields


@returns(
    Number("udr", "higher"),
    Number("udr_informative_latents", unit="latents"),
)
def udr(
    rep: Representation,
    *,
    rng: np.random.Generator,
    runs: Sequence[Text] = (),
    num_images: Several = 1_000,
    similarity: Annotated[str, OneOf(*SIMILARITIES)] = "lasso",
    aggregate: Annotated[str, OneOf("paper", "library")] = "paper",
    kl_threshold: NonNegative = 0.01,
) -> dict[str, float]:
    """Median over other runs of how much their latents and those of this run correspond one to one: `udr` in [0, 1].

    `runs` are folders whose codes.h5 holds the codes of the same images by models trained with other seeds (and the
    same hyperparameters, in the paper); the numbers of latents may differ, and this run's own folder is passed over.
    `num_images` random images, the same of all runs, are compared. `udr_informative_latents` counts the latents of this
    run whose mean KL divergence to the prior is above `kl_threshold` nats. The rest is as `udr_from_codes` says.

    Raises:
        NotApplicable: no other run, or point codes.
        ValueError: a folder without codes.h5, codes of other images, or a setting that is wrong.
    """
    logvar = require_logvar("udr", rep)
    require_at_least("udr", 2, num_images=num_images)
    folders = [Path(folder) for folder in ([runs] if isinstance(runs, str) else runs)]
    rows = np.sort(draw_rows(len(rep.codes), num_images, rng))
    posterior_here = rep.codes[rows], logvar[rows]
    others = [
        posterior
        for posterior in _read_posteriors(folders, rows, num_images=len(rep.codes))
        if not all(map(np.array_equal, posterior, posterior_here))
    ]
    if not others:
        raise NotApplicable("udr needs other runs of the same data: 'metric.udr.runs=[FOLDER,…]', or disent-report")
    models = [posterior_here, *others]
    kl = [mean_kl(*posterior) for posterior in models]
    result = udr_from_codes(
        [mean for mean, _ in models], kl, similarity=similarity, aggregate=aggregate, kl_threshold=kl_threshold
    )
    return {"udr": float(result["scores"][0]), "udr_informative_latents": float((kl[0] > kl_threshold).sum())}


def udr_from_codes(
    codes: Sequence[Float[np.ndarray, "image _"]] | Float[np.ndarray, "model image latent"],
    kl: Sequence[Float[np.ndarray, " _"]] | Float[np.ndarray, "model latent"],
    *,
    similarity: str = "lasso",
    aggregate: str = "paper",
    kl_threshold: float = 0.01,
) -> dict[str, Float[np.ndarray, "..."]]:
    """`pairwise` (M, M), how well each pair of models corresponds, and `scores` (M,), the median of each, in [0, 1].

    `codes` are each model's for the same images, `kl` the mean KL divergence of each of its latents to the prior in
    nats; latents with no more than `kl_threshold` are left out. R(a, b) is the similarity of latent a of model i and b
    of model j: `spearman`, the absolute rank correlation, or `lasso`, the absolute weight of a in predicting b, both
    standardised, with an L1 penalty of 0.1. Then pairwise[i, j] = [Σ_b max_a R² / Σ_a R + Σ_a max_b R² / Σ_b R] /
    (d_i + d_j), or, with `aggregate="library"`, the mean over a and the mean over b, averaged. A latent that is like
    none counts 0, and so does a pair of models of which one has no informative latent.

    Raises:
        ValueError: fewer than two models or images, arrays that do not match, or numbers that are not finite.
    """
    require_choice("udr", SIMILARITIES, similarity=similarity)
    require_choice("udr", AGGREGATES, aggregate=aggregate)
    _require_models(codes, kl)
    most = max(len(divergence) for divergence in kl)
    alike = np.stack([np.pad(model, ((0, 0), (0, most - model.shape[1]))) for model in codes])
    informative = np.stack([np.pad(divergence > kl_threshold, (0, most - len(divergence))) for divergence in kl])
    result = correspondence(alike, informative, similarity=similarity)
    pairwise: np.ndarray = getattr(result, aggregate)
    np.fill_diagonal(pairwise, 0.0)
    return {"pairwise": pairwise, "scores": model_scores(pairwise)}


def model_scores(
    pairwise: Float[np.ndarray, "model model"], partners: Bool[np.ndarray, "model model"] | None = None
) -> Float[np.ndarray, " model"]:
    """Score of each model i: the median of pairwise[j, i] over its partners j, by default all other models.

    `partners[i, j]` says whether model j is one of model i's; what it says of a model and itself is ignored.

    Raises:
        ValueError: a model has no partner.
    """
    others = ~np.eye(len(pairwise), dtype=bool)
    chosen = others if partners is None else partners & others
    alone = np.flatnonzero(~chosen.any(axis=1))
    if len(alone):
        raise ValueError(f"udr needs another model to compare with, got none for model(s) {alone.tolist()}")
    return np.array([np.median(pairwise[row, i]) for i, row in enumerate(chosen)])


def _require_models(codes: Sequence[np.ndarray] | np.ndarray, kl: Sequence[np.ndarray] | np.ndarray) -> None:
    if len(codes) < 2 or len(codes) != len(kl):
        raise ValueError(f"udr needs codes and kl of the same 2 or more models, got {len(codes)} and {len(kl)}")
    shapes = [model.shape for model in codes]
    if len({shape[0] for shape in shapes}) > 1 or shapes[0][0] < 2:
        raise ValueError(f"udr needs codes of the same 2 or more images, got shapes {shapes}")
    if [shape[1:] for shape in shapes] != [divergence.shape for divergence in kl]:
        raise ValueError(
            f"udr needs a KL divergence per latent, got {[len(divergence) for divergence in kl]} for shapes {shapes}"
        )
    for array in (*codes, *kl):
        require_finite("udr", array)


def _read_posteriors(
    folders: Sequence[Path], rows: Integer[np.ndarray, " row"], *, num_images: int
) -> list[tuple[np.ndarray, np.ndarray]]:
    """Mean and log variance of these rows in each folder's codes.h5. ValueError unless all are of the same images."""
    posteriors = [_posteriors(folder, rows, num_images=num_images) for folder in folders]
    for folder, other in zip(folders, posteriors, strict=True):
        first = posteriors[0]
        if other.data_hash != first.data_hash or not np.array_equal(other.images, first.images):
            raise ValueError(f"udr needs runs of the same images, but those of {folders[0]} and {folder} differ")
    return [(posterior.mean, posterior.logvar) for posterior in posteriors]


def _posteriors(folder: Path, rows: Integer[np.ndarray, " row"], *, num_images: int) -> Posteriors:
    def chosen(count: int) -> np.ndarray:
        if count != num_images:
            raise ValueError(f"codes of the same {num_images} images, got {count}")
        return rows

    try:
        return read_posteriors(folder, chosen)
    except (OSError, KeyError) as error:
        raise ValueError(f"udr needs the codes.h5 of an evaluated run in {folder}: {error}") from error
    except ValueError as error:
        raise ValueError(f"udr needs {error} in {folder}") from error
