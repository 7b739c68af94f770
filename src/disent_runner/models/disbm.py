"""disBM (Reed et al. 2014): a Boltzmann machine with hidden units of pose and of identity that multiply each other."""

import math
from collections.abc import Callable
from typing import Annotated, Any, final

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from disent_runner.datasets.batches import Batch, BatchSource
from disent_runner.datasets.dataset import Dataset
from disent_runner.datasets.info import DatasetInfo
from disent_runner.datasets.sharing_batches import SharingBatches
from disent_runner.losses.three_way import (
    Hidden,
    ThreeWay,
    contrast,
    energy,
    equal_norms,
    evidence_of,
    gibbs_sweep,
    logits_m,
    mean_field,
    statistics,
    visible_mean,
)
from disent_runner.machine.ranges import BelowOne, Count, NonNegative, OneOf, Positive, SomeNames, WholeNumber
from disent_runner.models.base import AbstractModel

VARIANTS = ("naive", "clamped", "manifold")
VISIBLE = ("gaussian", "binary")
NUM_IMAGES = 20_000
"""How many training images the pixels' mean and deviation are of, at most."""
LEAST_DEVIATION = 0.05
"""Added to that of a pixel, so that one that hardly varies is not blown up."""
START = 0.01
"""Standard deviation of the weights of visible units at the start."""


@final
class DisBM(AbstractModel):
    """Units m and h that multiply each other, learned by mean field on images and persistent Gibbs chains.

    `variant`: `naive` learns from single images; `clamped` from pairs that share the factors `identity` and one h,
    inferred from both, each with its own m; `manifold` also pulls m of images with the same `pose` together and pushes
    the others apart. None: identity is the first factor, pose all others. A code is the mean field of m and h, in this
    order, of an image alone: clamped, of the pair of the image with itself. An image of a code is E[v | m, h].

    `visible`: `gaussian` is of pixels less their mean over their deviation, `binary` of pixels as probabilities.
    """

    learns_from_labels = True

    def __init__(
        self,
        *,
        info: DatasetInfo,
        variant: Annotated[str, OneOf(*VARIANTS)],
        visible: Annotated[str, OneOf(*VISIBLE)],
        identity: SomeNames | None,
        pose: SomeNames | None,
        pose_units: Count,
        identity_units: Count,
        num_factors: Count,
        num_sweeps: Count,
        num_chains: Count,
        deviation: Positive,
        calm_steps: WholeNumber,
        calm_momentum: BelowOne,
        lambda_manifold: NonNegative,
        margin: Positive,
        optimizer: Callable[..., torch.optim.Optimizer],
        **training: Any,
    ) -> None:
        super().__init__(**training)
        for key, value, choices in (("variant", variant, VARIANTS), ("visible", visible, VISIBLE)):
            if value not in choices:
                raise ValueError(f"model.{key} must be {', '.join(choices)}, got {value!r}")
        self.variant = variant
        self.is_gaussian = visible == "gaussian"
        self.identity, self.pose = _factors(info, variant, identity, pose)
        self.image_shape = info.image_shape
        self.parts = {"m": pose_units, "h": identity_units}
        self.latent_dim = pose_units + identity_units
        self.images_in_group = 1 if variant == "naive" else 2
        self.num_sweeps = num_sweeps
        self.calm_steps = calm_steps
        self.calm_momentum = calm_momentum
        self.lambda_manifold = lambda_manifold
        self.margin = margin
        self.optimizer = optimizer
        num_pixels = math.prod(info.image_shape)
        sizes = {"v": num_pixels, "m": pose_units, "h": identity_units}
        self.factors_v = nn.Parameter(START * torch.randn(num_pixels, num_factors))
        for name in ("m", "h"):  # of random bits, whose deviation is ½ each, the products' sides have `deviation`
            scale = 2 * deviation / sizes[name] ** 0.5
            setattr(self, f"factors_{name}", nn.Parameter(scale * torch.randn(sizes[name], num_factors)))
            setattr(self, f"pairs_{name}", nn.Parameter(START * torch.randn(num_pixels, sizes[name])))
        for name, size in sizes.items():
            setattr(self, f"bias_{name}", nn.Parameter(torch.zeros(size)))
        self.register_buffer("pixel_mean", torch.zeros(num_pixels))
        self.register_buffer("pixel_deviation", torch.ones(num_pixels))
        chains = (num_chains, self.images_in_group)
        noise = torch.randn(*chains, num_pixels)
        self.register_buffer("chain_v", noise if self.is_gaussian else (noise > 0).float())
        self.register_buffer("chain_m", (torch.rand(*chains, pose_units) < 0.5).float())
        self.register_buffer("chain_h", (torch.rand(num_chains, identity_units) < 0.5).float())
        self.pixel_mean: Tensor
        self.pixel_deviation: Tensor
        self.chain_v: Tensor
        self.chain_m: Tensor
        self.chain_h: Tensor

    @property
    def machine(self) -> ThreeWay:
        return ThreeWay(*(self.get_parameter(name) for name in ThreeWay._fields))

    def weights(self) -> dict[str, float]:
        return {"manifold": self.lambda_manifold} if self.variant == "manifold" else {}

    def batches(self, training: Dataset, source: BatchSource, *, batch_size: int, seed: int) -> BatchSource:
        if self.variant == "naive":
            return source
        alike = self.pose if self.variant == "manifold" else None
        space = training.space
        return SharingBatches(space=space, shared=self.identity, alike=alike, batch_size=batch_size, seed=seed)

    def learn(self, training: Dataset, rng: np.random.Generator) -> None:
        """Takes the means and deviations of pixels, or of binary ones the log odds that their biases start with."""
        rows = rng.choice(len(training), min(NUM_IMAGES, len(training)), replace=False)
        pixels = training.gather(torch.from_numpy(rows)).flatten(1).cpu()
        if self.is_gaussian:
            self.pixel_mean.copy_(pixels.mean(0))
            self.pixel_deviation.copy_(pixels.std(0, correction=0) + LEAST_DEVIATION)
        else:
            bounded = pixels.mean(0).clamp(LEAST_DEVIATION, 1 - LEAST_DEVIATION)
            self.get_parameter("bias_v").data.copy_(bounded.logit())

    def visible_of(self, images: Float[Tensor, "batch channel height width"]) -> Float[Tensor, "batch visible"]:
        """What the visible units are of an image."""
        return (images.flatten(1).float() - self.pixel_mean) / self.pixel_deviation

    def encode(self, images: Float[Tensor, "batch channel height width"]) -> tuple[Float[Tensor, "batch latent"], None]:
        with torch.autocast(self.device.type, enabled=False):
            v = self.visible_of(images)[:, None].expand(-1, self.images_in_group, -1)
            hidden = mean_field(self.machine, evidence_of(self.machine, v), num_sweeps=self.num_sweeps)
        return torch.cat([hidden.m[:, 0], hidden.h], dim=1), None

    def decode(self, codes: Float[Tensor, "batch latent"]) -> Float[Tensor, "batch channel height width"]:
        return self._pixels(codes).clamp(0, 1).unflatten(1, self.image_shape)

    def _pixels(self, codes: Float[Tensor, "batch latent"]) -> Float[Tensor, "batch pixel"]:
        with torch.autocast(self.device.type, enabled=False):
            m, h = codes.float().split([*self.parts.values()], dim=1)
            mean = visible_mean(self.machine, Hidden(m[:, None], h), is_gaussian=self.is_gaussian)[:, 0]
            return mean * self.pixel_deviation + self.pixel_mean

    def nll(
        self, codes: Float[Tensor, "batch latent"], images: Float[Tensor, "batch channel height width"]
    ) -> Float[Tensor, " batch"]:
        """-log p(x | m, h) of a whole image, in nats."""
        mean, pixels = self._pixels(codes), images.flatten(1)
        if self.is_gaussian:
            return -torch.distributions.Normal(mean, self.pixel_deviation).log_prob(pixels).sum(1)
        return functional.binary_cross_entropy(mean, pixels, reduction="none").sum(1)

    def sample_codes(self, num_codes: int, rng: np.random.Generator) -> Float[np.ndarray, "code latent"]:
        """Hidden states of the chains, which are what it has of its joint."""
        rows = rng.integers(len(self.chain_h), size=num_codes)
        chains = torch.cat([self.chain_m[:, 0], self.chain_h], dim=1)
        return chains.cpu().numpy()[rows]

    @torch.no_grad()
    def update(self, batch: Batch) -> dict[str, Tensor]:
        """The gradient of log p is what images have less what the chains have; nothing goes back through a sample."""
        with torch.autocast(self.device.type, enabled=False):
            return self._update(batch)

    def _update(self, batch: Batch) -> dict[str, Tensor]:
        machine = self.machine
        images = [batch.images] if self.variant == "naive" else [batch.images, batch.partner_images]
        v = torch.stack([self.visible_of(each) for each in images], dim=1)
        seen = evidence_of(machine, v)
        hidden = mean_field(machine, seen, num_sweeps=self.num_sweeps)
        new_v, mean, chains = gibbs_sweep(machine, self.chain_v, self.chain_h, is_gaussian=self.is_gaussian)
        for kept, state in ((self.chain_v, new_v), (self.chain_m, chains.m), (self.chain_h, chains.h)):
            kept.copy_(state)
        of_images, of_chains = statistics(machine, v, hidden), statistics(machine, mean, chains)
        for parameter, data, model in zip(machine, of_images, of_chains, strict=True):
            parameter.grad = model - data
        gap = energy(machine, v, hidden, is_gaussian=self.is_gaussian).mean()
        gap = (gap - energy(machine, mean, chains, is_gaussian=self.is_gaussian).mean()) / self.images_in_group
        terms = {"energy_gap": gap}
        loss = gap
        if self.variant == "manifold":
            terms["manifold"] = self._add_contrast(batch, v, hidden)
            loss = loss + self.weights_at(batch.step)["manifold"] * terms["manifold"]
        error = (visible_mean(machine, hidden, is_gaussian=self.is_gaussian) - v) * self.pixel_deviation
        terms |= {"squared_error": error.square().mean(), "active_m": hidden.m.mean(), "active_h": hidden.h.mean()}
        self._step(batch.step)
        return {"loss": loss, **terms}

    @torch.enable_grad()
    def _add_contrast(self, batch: Batch, v: Tensor, hidden: Hidden) -> Float[Tensor, ""]:
        """Adds its gradient, of m as the last half of a mean-field sweep makes it of h; h is taken as it is."""
        machine = self.machine
        m = logits_m(machine, evidence_of(machine, v[:, :1]), hidden.h).sigmoid()[:, 0]
        columns = [batch.dataset.space.names.index(name) for name in self.pose]
        labels = batch.dataset.space.factors(batch.draw.rows.cpu().numpy())[:, columns]
        value = contrast(m, torch.from_numpy(labels).float().to(m.device), margin=self.margin)
        found = torch.autograd.grad(value, machine, allow_unused=True)
        weight = self.weights_at(batch.step)["manifold"]
        for parameter, gradient in zip(machine, found, strict=True):
            if gradient is not None and parameter.grad is not None:
                parameter.grad.add_(gradient, alpha=weight)
        return value.detach()

    def _step(self, step: int) -> None:
        optimizer = self.optimizer_of["model"]
        for group in optimizer.param_groups:
            if "momentum" in group:
                group["momentum"] = self.calm_momentum if step < self.calm_steps else optimizer.defaults["momentum"]
        parameters = list(self.parameters())
        if self.gradient_clip is not None:
            nn.utils.clip_grad_norm_(parameters, self.gradient_clip)
        optimizer.step()
        for name in ("factors_v", "factors_m", "factors_h"):
            parameter = self.get_parameter(name)
            parameter.copy_(equal_norms(parameter))

    def new_optimizers(self) -> dict[str, torch.optim.Optimizer]:
        """The optimizer, whose weight decay is of weights alone, not of biases."""
        machine = self.machine
        biases = [machine.bias_v, machine.bias_m, machine.bias_h]
        return {"model": self.optimizer([{"params": list(machine[:5])}, {"params": biases, "weight_decay": 0.0}])}


def _factors(
    info: DatasetInfo, variant: str, identity: SomeNames | None, pose: SomeNames | None
) -> tuple[list[str], list[str]]:
    """Those that h and m are for. ValueError for what a variant that needs them cannot have."""
    if variant == "naive":
        return [], []
    names = list(info.factors)
    if not names:
        raise ValueError(
            f"model.variant={variant} needs ground-truth factors, {info.name} has none; set model.variant=naive"
        )
    of_h = names[:1] if identity is None else list(identity)
    of_m = [name for name in names if name not in of_h] if pose is None else list(pose)
    for key, asked in (("identity", of_h), ("pose", of_m)):
        unknown = [name for name in asked if name not in names]
        if unknown:
            raise ValueError(f"model.{key} names {unknown[0]!r}; the factors of {info.name} are {', '.join(names)}")
    if common := [name for name in of_h if name in of_m]:
        raise ValueError(f"model.identity and model.pose both name {common[0]!r}; a factor is of one of them")
    if variant == "manifold" and not of_m:
        raise ValueError(f"model.variant=manifold needs a factor of pose beside {', '.join(of_h)}; set model.pose")
    return of_h, of_m
