"""The transforming auto-encoder: capsules that say where their part of an image is."""

from collections.abc import Callable
from typing import Annotated, Any, NamedTuple, final

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from disent_runner.datasets.batches import Batch, BatchSource
from disent_runner.datasets.dataset import Dataset
from disent_runner.datasets.info import DatasetInfo
from disent_runner.datasets.moved_batches import MovedBatches, Moving, moved, random_maps, two_moves
from disent_runner.machine.ranges import Count, Fraction, OneOf
from disent_runner.models.base import AbstractModel, is_number, optimise
from disent_runner.models.dae import squared_error
from disent_runner.networks.capsules import GenerationUnits, RecognitionUnits

TRANSFORMATIONS = ("shift", "affine")
PADDINGS = ("zeros", "border", "reflection")
REACH = 2.0
"""Of poses when training starts, in largest transformations: wide enough that no image is at an end of it."""


class Movement(NamedTuple):
    """Where capsules are after an image was moved; positions are x and y in pixels from the middle."""

    presences: Tensor
    """(batch, capsule)"""
    expected: Tensor
    """(batch, capsule, 2): change of the position by the known transformation"""
    found: Tensor
    """(batch, capsule, 2): change of the position that is recognised"""


class Views(NamedTuple):
    """Images (batch, channel, height, width), and what each capsule draws of them."""

    seen: Tensor
    target: Tensor
    predicted: Tensor
    """what capsules, told how the seen image was moved, make of it"""
    parts: Tensor
    """(batch, capsule, channel, height, width), whose sum is `predicted` before it is clamped"""


@final
class TransformingAE(AbstractModel):
    """Hinton, Krizhevsky & Wang 2011: squared error to the image after a known transformation of the seen one.

    A capsule's recognition units give its pose and the probability that it is present, its generation units a picture
    of the pose that the transformation makes of it; pictures are weighed by presence and summed. For `shift` a pose is
    (x, y) in pixels, to which the shift is added; for `affine` a 3×3 matrix, by which the map is multiplied from the
    left. The seen image and the target are the image of the data set moved at random, each its own way. Codes are
    points, for each capsule its pose and then its presence. The error is summed over pixels, in no unit.
    """

    def __init__(
        self,
        *,
        info: DatasetInfo,
        num_capsules: Count,
        recognition_units: Count,
        generation_units: Count,
        transformation: Annotated[str, OneOf(*TRANSFORMATIONS)],
        max_shift: Count,
        max_distortion: Fraction,
        padding: Annotated[str, OneOf(*PADDINGS)],
        optimizer: Callable[..., torch.optim.Optimizer],
        **training: Any,
    ) -> None:
        super().__init__(**training)
        _check(transformation, padding, max_shift, max_distortion, info)
        self.num_capsules = num_capsules
        self.is_affine = transformation == "affine"
        self.max_shift = float(max_shift)
        self.max_distortion = float(max_distortion) if self.is_affine else None
        self.padding = padding
        self.optimizer = optimizer
        home, reach, steepness = _poses(info, self.max_shift, self.max_distortion)
        self.pose_dim = len(home)
        self.latent_dim = num_capsules * (self.pose_dim + 1)
        self.recognition = RecognitionUnits(
            image_size=int(np.prod(info.image_shape)),
            num_capsules=num_capsules,
            num_units=recognition_units,
            num_outputs=self.pose_dim + 1,
        )
        self.generation = GenerationUnits(
            image_shape=info.image_shape,
            num_capsules=num_capsules,
            num_units=generation_units,
            home=home,
            reach=reach,
            steepness=steepness,
        )
        self.register_buffer("home", home, persistent=False)
        self.register_buffer("reach", reach, persistent=False)
        self.home: Tensor
        self.reach: Tensor

    def batches(self, training: Dataset, source: BatchSource, *, batch_size: int, seed: int) -> BatchSource:
        return MovedBatches(
            source, batch_size=batch_size, seed=seed, max_shift=self.max_shift, max_distortion=self.max_distortion
        )

    def recognise(
        self, images: Float[Tensor, "batch channel height width"]
    ) -> tuple[Float[Tensor, "batch capsule pose"], Float[Tensor, "batch capsule"]]:
        """Poses and presences."""
        outputs = self.recognition(images).float()
        return self.home + self.reach * outputs[..., :-1], outputs[..., -1].sigmoid()

    def transformed(
        self, poses: Float[Tensor, "batch capsule pose"], maps: Float[Tensor, "batch 3 3"]
    ) -> Float[Tensor, "batch capsule pose"]:
        """Poses of capsules whose image is moved by the maps, as they should be."""
        if not self.is_affine:
            return poses + maps[:, None, :2, 2]
        # written out: a matrix product would be rounded by autocast
        product = maps[:, None, :, :, None] * poses.unflatten(2, (3, 3))[:, :, None]
        return product.sum(3).flatten(2)

    def positions(self, poses: Float[Tensor, "batch capsule pose"]) -> Float[Tensor, "batch capsule 2"]:
        """Across and down, in pixels from the middle: of a matrix, where the origin comes to be."""
        return poses[..., [2, 5]] if self.is_affine else poses

    def encode(self, images: Float[Tensor, "batch channel height width"]) -> tuple[Float[Tensor, "batch latent"], None]:
        poses, presences = self.recognise(images)
        return torch.cat([poses, presences[..., None]], dim=2).flatten(1), None

    def decode(self, codes: Float[Tensor, "batch latent"]) -> Float[Tensor, "batch channel height width"]:
        numbers = codes.unflatten(1, (self.num_capsules, -1))
        return self.generation(numbers[..., :-1], numbers[..., -1].clamp(0, 1)).float().clamp(0, 1)

    def sample_codes(self, num_codes: int, rng: np.random.Generator) -> Float[np.ndarray, "code latent"]:
        """Poses as far from home as images are moved, presences uniform: all capsules at random places of their own."""
        numbers = rng.uniform(-1, 1, (num_codes, self.num_capsules, self.pose_dim + 1)).astype(np.float32)
        numbers[..., :-1] = self.home.cpu().numpy() + self.reach.cpu().numpy() / REACH * numbers[..., :-1]
        numbers[..., -1] = (1 + numbers[..., -1]) / 2
        return numbers.reshape(num_codes, -1)

    def update(self, batch: Batch) -> dict[str, Tensor]:
        assert isinstance(batch.source, Moving)
        seen, target, between = (maps.to(self.device) for maps in batch.source.moves(batch.step))
        poses, presences = self.recognise(moved(batch.images, seen, padding=self.padding))
        predicted = self.generation(self.transformed(poses, between), presences).float()
        loss = squared_error(predicted, moved(batch.images, target, padding=self.padding)).mean()
        optimise(self.optimizer_of["model"], loss, max_norm=self.gradient_clip)
        return {"loss": loss.detach(), "reconstruction": loss.detach(), "presence": presences.detach().mean()}

    @torch.no_grad()
    def movement(self, images: Float[Tensor, "batch channel height width"], seed: int) -> Movement:
        """How capsules follow images that are moved from where they are, each its own way."""
        maps = random_maps(
            len(images),
            np.random.default_rng(seed),
            max_shift=self.max_shift,
            max_distortion=self.max_distortion,
        )
        known = torch.from_numpy(maps.astype(np.float32)).to(self.device)
        before, _ = self.recognise(images)
        after, presences = self.recognise(moved(images, known, padding=self.padding))
        start = self.positions(before)
        return Movement(
            presences, self.positions(self.transformed(before, known)) - start, self.positions(after) - start
        )

    @torch.no_grad()
    def views(self, images: Float[Tensor, "batch channel height width"], seed: int) -> Views:
        """Images as training shows them, and what comes of them."""
        moves = two_moves(
            len(images),
            np.random.default_rng(seed),
            max_shift=self.max_shift,
            max_distortion=self.max_distortion,
        )
        seen, target, between = (maps.to(self.device) for maps in moves)
        shown = moved(images, seen, padding=self.padding)
        poses, presences = self.recognise(shown)
        then = self.transformed(poses, between)
        predicted = self.generation(then, presences).float().clamp(0, 1)
        parts = self.generation.parts(then, presences).float()
        return Views(shown, moved(images, target, padding=self.padding), predicted, parts)

    def filters(self) -> Float[Tensor, "capsule unit channel height width"]:
        """What each generation unit adds to the picture of its capsule."""
        return self.generation.filters.detach().float().unflatten(2, self.generation.image_shape)

    def new_optimizers(self) -> dict[str, torch.optim.Optimizer]:
        return {"model": self.optimizer(list(self.parameters()))}


def _poses(info: DatasetInfo, max_shift: float, max_distortion: float | None) -> tuple[Tensor, Tensor, Tensor]:
    """Where poses start, how far they reach, and how steeply units tell them apart: per pixel, and where a number
    turns or stretches by as many pixels as it moves a point that is a quarter of the image from its middle.
    """
    steepness = 1 / 2**0.5  # of a sum of two numbers: a unit's transition is a few pixels wide
    if max_distortion is None:
        return torch.zeros(2), torch.full((2,), REACH * max_shift), torch.full((2,), steepness)
    reach = torch.full((3, 3), REACH * max_distortion)
    slopes = torch.full((3, 3), steepness * max(info.image_shape[1:]) / 4)
    reach[:2, 2], slopes[:2, 2] = REACH * max_shift, steepness
    return torch.eye(3).flatten(), reach.flatten(), slopes.flatten()


def _check(transformation: str, padding: str, max_shift: int, max_distortion: float, info: DatasetInfo) -> None:
    for key, value, choices in (
        ("transformation", transformation, TRANSFORMATIONS),
        ("padding", padding, PADDINGS),
    ):
        if value not in choices:
            raise ValueError(f"model.{key} must be {', '.join(choices)}, got {value!r}")
    side = min(info.image_shape[1:])
    if not (is_number(max_shift) and 1 <= max_shift < side / 2):
        raise ValueError(
            f"model.max_shift must be at least 1 and less than half of the images' side, {side} pixels, got "
            f"{max_shift!r}; more would move what they show out of sight"
        )
    if not (is_number(max_distortion) and 0 < max_distortion < 0.5):
        raise ValueError(
            f"model.max_distortion must be above 0 and below 0.5, beyond which a map may turn an image over, got "
            f"{max_distortion!r}"
        )
