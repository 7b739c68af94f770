"""Density of the aggregate posterior q(z) = mean over images n of q(z|n), each a diagonal Gaussian, at its own samples.

Every sample meets every image, which is what `mig_exact` and `kl_decomposition` spend their time on: linear in samples
times images, in single precision and in blocks that fit the cache; in double where posteriors are so narrow beside the
distances of codes, or some so much wider than others, that single would lose digits. A density never vanishes, because
the image that a sample was drawn from is one of those averaged.
"""

import math
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Float, Int64, Integer
from torch import Tensor

from disent_runner.machine.threads import map_in_threads
from disent_runner.metrics.estimators.sampling import rows_by_value

VALUES_PER_BLOCK = 650_000  # 2.6 MB: sample x image x latent
IMAGES_PER_BLOCK = 2_048
SAMPLES_PER_TASK = 250
NEGLIGIBLE = {torch.float32: -80.0, torch.float64: -700.0}
"""Smaller exponents are denormal, where exp is 7 times slower."""
MOST_WIDTHS, MOST_DIFFERENT = 2.0**17, 1e8  # between codes, and of one width to another, in single precision
NARROWEST = 2.0**-40  # of the distance between codes: a posterior below is a point in double precision, too
WIDEST = 300.0  # nats from a width of 1 and from the mean width


class Posteriors(NamedTuple):
    """q(z|n) of every image, codes shifted and scaled by latent to lie near 0 with posteriors near 1 wide."""

    centre: Float[Tensor, "latent image"]
    inverse_width: Float[Tensor, "latent image"]  # 1 / sqrt(2 variance)
    log_peak: Float[Tensor, "latent image"]  # log density at the centre, nats
    origin: Float[np.ndarray, " latent"]
    unit: Float[np.ndarray, " latent"]
    widened: Float[np.ndarray, " latent"]
    """nats by which the images' log widths were raised on average: 0 but for points, whose log densities are too low by
    so much at their own samples, and alike for each q(z|n) and q(z)
    """

    def select(self, images: Int64[Tensor, " selected"] | slice) -> "Posteriors":
        """The posteriors of some of the images, in the same units."""
        return self._replace(
            centre=self.centre[:, images],
            inverse_width=self.inverse_width[:, images],
            log_peak=self.log_peak[:, images],
        )

    def weighted(self, ratio: Float[np.ndarray, " image"]) -> "Posteriors":
        """Each density times its image's ratio, all positive: of mean 1, they make the average a weighted one."""
        return self._replace(log_peak=self.log_peak + torch.from_numpy(np.log(ratio)).to(self.log_peak.dtype))


class PosteriorSamples(NamedTuple):
    """Codes z ~ q(z|image) in the units of the posteriors, with the image each was drawn from."""

    image: Int64[np.ndarray, " sample"]
    codes: Float[Tensor, "latent sample"]
    log_own: Float[Tensor, "latent sample"]  # log q(z_j|image), nats


class LogDensities(NamedTuple):
    """log q(z) and log q(z_j) at each sample, in nats and double precision."""

    joint: Float[Tensor, " sample"]
    marginal: Float[Tensor, "latent sample"]


def posteriors(mean: Float[np.ndarray, "image latent"], logvar: Float[np.ndarray, "image latent"]) -> Posteriors:
    """Posteriors from their mean and log variance (nats)."""
    mean, true_width = mean.T.astype(np.float64), logvar.T.astype(np.float64) / 2
    origin, reach = mean.mean(axis=1), np.ptp(mean, axis=1)
    narrowest = np.maximum(true_width.max(axis=1) - 2 * WIDEST, -WIDEST)
    narrowest = np.maximum(narrowest, np.log(np.maximum(NARROWEST * reach, np.finfo(float).tiny)))
    log_width = np.maximum(true_width, narrowest[:, None])
    widened = (log_width - true_width).mean(axis=1)
    log_unit = log_width.mean(axis=1)
    log_width -= log_unit[:, None]
    unit = np.exp(log_unit)
    centre = np.where(reach > 0, mean.T - origin, 0.0).T / unit[:, None]
    widths_apart = (reach / unit * np.exp(-log_width.min(axis=1))).max()
    is_single = widths_apart < MOST_WIDTHS and np.abs(log_width).max() < np.log(MOST_DIFFERENT)
    dtype = np.float32 if is_single else np.float64

    def tensor(values: Float[np.ndarray, "latent image"]) -> Float[Tensor, "latent image"]:
        return torch.from_numpy(np.ascontiguousarray(values, dtype=dtype))

    return Posteriors(
        centre=tensor(centre),
        inverse_width=tensor(np.exp(-log_width) / math.sqrt(2)),
        log_peak=tensor(-log_width - math.log(2 * math.pi) / 2),
        origin=origin,
        unit=unit,
        widened=widened,
    )


def draw_samples(
    components: Posteriors,
    *,
    num_samples: int,
    rng: np.random.Generator,
    weights: Float[np.ndarray, " image"] | None = None,
) -> PosteriorSamples:
    """One code each from the posteriors of random images, every image as often as any other or once more.

    With weights an image comes as often as its share of them says, rounded down or up at random.
    """
    num_images = components.centre.shape[1]
    if weights is None:
        remainder = rng.choice(num_images, size=num_samples % num_images, replace=False)
        image = np.concatenate([np.repeat(np.arange(num_images), num_samples // num_images), remainder])
    else:
        image = _draw_by_weight(weights, num_samples, rng)
    source = components.select(torch.from_numpy(image))
    noise = torch.from_numpy(rng.standard_normal(source.centre.shape, dtype=np.float32)).to(source.centre.dtype)
    codes = source.centre + noise / (source.inverse_width * math.sqrt(2))
    return PosteriorSamples(image, codes, source.log_peak - ((codes - source.centre) * source.inverse_width).square())


def _draw_by_weight(
    weights: Float[np.ndarray, " image"], num_samples: int, rng: np.random.Generator
) -> Int64[np.ndarray, " sample"]:
    """Evenly spaced points on the line of all weights, with images in random order: no pattern of theirs shows."""
    order = rng.permutation(len(weights))
    ends = np.cumsum(weights[order], dtype=np.float64)
    points = (np.arange(num_samples) + rng.random()) / num_samples
    return order[np.searchsorted(ends / ends[-1], points)]


def log_conditionals(
    samples: PosteriorSamples,
    components: Posteriors,
    values: Integer[np.ndarray, " image"],
    *,
    weights: Float[np.ndarray, " image"] | None = None,
) -> Float[Tensor, "latent sample"]:
    """Log density q(z_j|v) in nats: the average over all images with the value v that the sample's own image has.

    With weights, all positive, it is an average by weight.
    """
    if weights is not None:
        mean_by_value = np.bincount(values, weights) / np.bincount(values).clip(min=1)
        components = components.weighted(weights / mean_by_value[values])
    images, drawn = rows_by_value(values[:, None]), rows_by_value(values[samples.image, None])
    ordered = components.select(torch.from_numpy(images.order[0]))
    tasks = [
        (part, images.span(0, value))
        for value in np.flatnonzero(drawn.count[0]).tolist()
        for part in torch.from_numpy(drawn.rows(0, value)).split(SAMPLES_PER_TASK)
    ]
    densities = map_in_threads(lambda task: log_marginals(samples.codes[:, task[0]], ordered.select(task[1])), tasks)
    result = torch.empty(samples.codes.shape, dtype=torch.float64)
    result[:, torch.cat([part for part, _ in tasks])] = torch.cat(densities, dim=1)
    return result


def log_densities(samples: PosteriorSamples, components: Posteriors) -> LogDensities:
    """Log densities q(z) and q(z_j) in nats over all posteriors, from one pass."""
    source = samples.log_own.sum(dim=0)
    parts = zip(samples.codes.split(SAMPLES_PER_TASK, dim=1), source.split(SAMPLES_PER_TASK), strict=True)
    densities = map_in_threads(lambda part: _joint_and_marginals(*part, components), parts)
    joint, marginal = zip(*densities, strict=True)
    return LogDensities(torch.cat(joint), torch.cat(marginal, dim=1))


def log_marginals(codes: Float[Tensor, "latent sample"], components: Posteriors) -> Float[Tensor, "latent sample"]:
    """Log density q(z_j) in nats, the average over the given posteriors, for each code of a sample from one of them."""
    total = torch.zeros(codes.shape, dtype=torch.float64)
    for chunk, log_density in _blocks(codes, components):
        total[:, chunk] += log_density.clamp_(min=NEGLIGIBLE[codes.dtype]).exp_().sum(dim=-1)
    return total.log() - math.log(components.centre.shape[1])


def _joint_and_marginals(
    codes: Float[Tensor, "latent sample"], log_own: Float[Tensor, " sample"], components: Posteriors
) -> tuple[Float[Tensor, " sample"], Float[Tensor, "latent sample"]]:
    """The joint density is summed relative to that of the sample's own posterior: by Markov's inequality another one
    exceeds it by a factor that would overflow with probability exp(-88), so no maximum has to be found first.
    """
    marginal = torch.zeros(codes.shape, dtype=torch.float64)
    joint = torch.zeros(codes.shape[1], dtype=torch.float64)
    for chunk, log_density in _blocks(codes, components):
        ratio = log_density.sum(dim=0).sub_(log_own[chunk, None]).clamp_(min=NEGLIGIBLE[codes.dtype])
        joint[chunk] += ratio.exp_().sum(dim=-1)
        marginal[:, chunk] += log_density.clamp_(min=NEGLIGIBLE[codes.dtype]).exp_().sum(dim=-1)
    log_num_images = math.log(components.centre.shape[1])
    return joint.log() + log_own - log_num_images, marginal.log() - log_num_images


def _blocks(
    codes: Float[Tensor, "latent sample"], components: Posteriors
) -> Iterator[tuple[slice, Float[Tensor, "latent chunk block"]]]:
    """Log density q(z_j|n) for some samples and some images at a time, in a buffer that the next block overwrites."""
    num_latents, num_samples = codes.shape
    num_images = components.centre.shape[1]
    images_per_block = min(IMAGES_PER_BLOCK, num_images)
    samples_per_block = min(num_samples, max(1, VALUES_PER_BLOCK // (num_latents * images_per_block)))
    buffer = torch.empty(num_latents * samples_per_block * images_per_block, dtype=codes.dtype)
    for first_image in range(0, num_images, images_per_block):
        images = slice(first_image, first_image + images_per_block)
        centre, inverse_width, log_peak = (part[:, None, images] for part in components[:3])
        for first_sample in range(0, num_samples, samples_per_block):
            samples = slice(first_sample, first_sample + samples_per_block)
            chunk = codes[:, samples, None]
            block = buffer[: chunk.shape[1] * centre.shape[2] * num_latents].view(num_latents, chunk.shape[1], -1)
            torch.sub(chunk, centre, out=block).mul_(inverse_width)
            yield samples, torch.addcmul(log_peak, block, block, value=-1, out=block)
