"""An agent that acts on what a frozen vision sees: DARLA (Higgins et al. 2017), and what it is compared with."""

from collections.abc import Callable, Iterable, Mapping
from copy import deepcopy
from functools import cached_property
from typing import Annotated, Any, Literal, NoReturn, final

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from disent_runner.agents.learner import Eyes, Learner, MakeLearner
from disent_runner.datasets.batches import Batch
from disent_runner.datasets.dataset import Dataset
from disent_runner.datasets.info import DatasetInfo
from disent_runner.datasets.transitions import HELD_OUT, as_floats
from disent_runner.environments.extra import needs_agents
from disent_runner.environments.seen import Episodes, Seen, play
from disent_runner.environments.world import Environment, changed, domains_of, world_of
from disent_runner.machine.ranges import Count, Latents, OneOf
from disent_runner.models.abstract_baseline import NUM_IMAGES
from disent_runner.models.base import AbstractModel
from disent_runner.models.frozen import Frozen, check_same_data, check_sees

SEES = ("codes", "pixels", "finetune", "factors")
SMALLEST_DEVIATION = 0.1
"""Of a code over what vision learned from: a latent that tells less is not blown up."""
_ENCODED_AT_ONCE = 256

Policy = Literal["own", "greedy", "random"]


@final
class Agent(AbstractModel):
    """Acts in the environment's source domain. An optimisation step is an iteration of what learns to act, `agent`.

    `sees`: what it acts on. `codes` are the means of a frozen `vision`, less their mean over the data set and divided
    by their standard deviation there; the vision has no part in what is trained. `finetune` trains a copy of the vision
    with the policy, `pixels` an encoder from its start, to `latent_dim` codes. `factors` are the true ones, each from
    -1 to 1, without any seeing. `acts_in`: settings of the environment that differ from those of the data set's; None
    for the source domain of an environment that has one.
    """

    has_decoder = False

    def __init__(
        self,
        *,
        info: DatasetInfo,
        environment: Environment | None,
        sees: Annotated[str, OneOf(*SEES)],
        vision: Frozen | None,
        acts_in: Mapping[str, Any] | None,
        num_envs: Count,
        latent_dim: Latents,
        encoder: Callable[..., nn.Module],
        agent: MakeLearner,
        optimizer: Callable[[Iterable[nn.Parameter]], torch.optim.Optimizer],
        **training: Any,
    ) -> None:
        super().__init__(**training)
        needs_agents("an agent")
        if environment is None:
            raise ValueError("an agent needs an environment to act in; add environment=toyarena")
        if sees not in SEES:
            raise ValueError(f"model.sees must be {', '.join(SEES)}, got {sees!r}")
        self.environment, self.info = environment, info
        self.sees, self.vision = sees, vision
        self.optimizer = optimizer
        self.source: Mapping[str, Any] = domains_of(environment).get("source", {}) if acts_in is None else acts_in
        self.seen = Seen(self._environments(num_envs, self.source, "model.acts_in"), self._see)
        self.num_actions = _number_of_actions(self.seen, info)
        self._check_vision()
        eyes = self._eyes(encoder, latent_dim)
        self.latent_dim = self._length_of_codes(latent_dim)
        self.register_buffer("code_mean", torch.zeros(self.latent_dim))
        self.register_buffer("code_deviation", torch.ones(self.latent_dim))
        self.register_buffer("world_seed", torch.zeros((), dtype=torch.int64))
        self.code_mean: Tensor
        self.code_deviation: Tensor
        self.world_seed: Tensor
        shape = self.latent_dim if eyes is None else info.image_shape
        self.learner: Learner = agent(self.seen, eyes, shape, self.num_actions)
        self.policy = self.learner.network
        self.environment_steps = self.learner.steps_each
        self._has_begun = False

    def _check_vision(self) -> None:
        needs_vision = self.sees in ("codes", "finetune")
        if needs_vision and self.vision is None:
            raise ValueError(f"model.sees={self.sees} needs a run to see by; choose one, vision=darla")
        if self.vision is None:
            return
        if not needs_vision:
            raise ValueError(f"model.sees={self.sees} sees without a vision, got one; leave it out, model.vision=null")
        check_same_data("vision", self.vision, self.info)
        check_sees("vision", self.vision)
        try:
            self.vision.encode(torch.zeros(1, *self.info.image_shape))
        except ValueError as error:
            raise ValueError(f"model.vision must see images: {error}; choose another, vision=betavae") from error

    def _eyes(self, encoder: Callable[..., nn.Module], latent_dim: int) -> Eyes | None:
        if self.sees == "pixels":
            return Eyes(encoder(image_shape=self.info.image_shape, num_outputs=latent_dim), latent_dim)
        if self.sees == "finetune":
            assert self.vision is not None
            copy = deepcopy(self.vision.model).train().requires_grad_(True)
            return Eyes(_Means(copy), self.vision.latent_dim)
        return None

    def _length_of_codes(self, latent_dim: int) -> int:
        if self.sees == "factors":
            if not self.info.factors:
                raise ValueError(f"model.sees=factors needs true factors, {self.info.name} has none; see by codes")
            return len(self.info.factors)
        return latent_dim if self.vision is None else self.vision.latent_dim

    def _environments(self, num: int, changes: Mapping[str, Any], key: str) -> Any:
        try:
            return changed(self.environment, changes)(num)
        except ValueError as error:
            raise ValueError(f"{key}: {error}" if changes else str(error)) from error

    @cached_property
    def actions(self) -> tuple[str, ...]:
        world = world_of(self.environment)
        return tuple(map(str, range(self.num_actions))) if world is None else world.actions

    def learn(self, training: Dataset, rng: np.random.Generator) -> None:
        """Looks at up to 20,000 images for the mean and deviation of their codes; draws the seed of its episodes."""
        self.world_seed.fill_(int(rng.integers(HELD_OUT)))
        if self.vision is None or self.sees != "codes":
            return
        rows = torch.from_numpy(rng.choice(len(training), min(NUM_IMAGES, len(training)), replace=False))
        parts = [self.vision.encode(training.gather(part).to(self.device))[0] for part in rows.split(_ENCODED_AT_ONCE)]
        codes = torch.cat(parts).double()
        self.code_mean.copy_(codes.mean(0))
        self.code_deviation.copy_(codes.std(0).clamp_min(SMALLEST_DEVIATION))

    def encode(
        self, images: Float[Tensor, "batch channel height width"]
    ) -> tuple[Float[Tensor, "batch latent"], Float[Tensor, "batch latent"] | None]:
        """What it acts on."""
        if self.sees == "factors":
            raise ValueError("this agent acts on true factors, not on images; use `represent`")
        if self.vision is None or self.sees == "finetune":
            eyes = next(module for module in self.policy.modules() if isinstance(module, Eyes))
            return eyes(images), None
        mean, logvar = self.vision.encode(images)
        scaled = None if logvar is None else logvar - 2 * self.code_deviation.log()
        return (mean - self.code_mean) / self.code_deviation, scaled

    def represent(
        self, dataset: Dataset, rows: Int[Tensor, " batch"]
    ) -> tuple[Float[Tensor, "batch latent"], Float[Tensor, "batch latent"] | None]:
        if self.sees != "factors":
            return super().represent(dataset, rows)
        return torch.from_numpy(self._scaled(dataset.space.factors(rows.cpu().numpy()))), None

    def decode(self, codes: Float[Tensor, "batch latent"]) -> NoReturn:
        raise ValueError("an agent acts on codes and makes no images of them; its vision may")

    def _scaled(self, factors: np.ndarray) -> np.ndarray:
        largest = np.maximum(np.array(list(self.info.factors.values())) - 1, 1)
        return (2 * factors / largest - 1).astype(np.float32)

    def _see(self, images: np.ndarray, factors: np.ndarray | None) -> np.ndarray:
        if self.sees == "factors":
            assert factors is not None  # the data set's have them
            return self._scaled(factors)
        channels_first = images.transpose(0, 3, 1, 2)
        if self.sees != "codes":
            return np.ascontiguousarray(channels_first)
        with torch.no_grad():
            codes, _ = self.encode(as_floats(torch.from_numpy(channels_first).to(self.device)))
        return codes.cpu().numpy()

    def update(self, batch: Batch) -> dict[str, Tensor]:
        with torch.autocast(self.device.type, enabled=False):
            if not self._has_begun:
                self._begin()
            told = self.learner.advance(batch.step)
        finished = self.seen.take_finished()
        if finished:
            returns, lengths = np.array(finished, dtype=float).mean(0).tolist()
            told |= {"return": returns, "length": lengths}
        return {name: torch.tensor(value, dtype=torch.float32) for name, value in told.items()}

    def take_interval(self) -> dict[str, float]:
        """Return and length of episodes come first, in every interval in which some ended."""
        values = super().take_interval()
        return {name: values[name] for name in ("return", "length") if name in values} | values

    def _begin(self) -> None:
        self.learner.to(self.device)
        self.learner.begin(int(self.world_seed))
        self._has_begun = True

    def new_optimizers(self) -> dict[str, torch.optim.Optimizer]:
        return self.learner.optimizers(self.optimizer)

    def get_extra_state(self) -> dict[str, Any]:
        """What it goes on from: its episodes, its memory."""
        return self.learner.state()

    def set_extra_state(self, state: Mapping[str, Any]) -> None:
        self.learner.restore(state)

    def play(
        self,
        where: str | Mapping[str, Any],
        num_episodes: int,
        rng: np.random.Generator,
        *,
        policy: Policy = "own",
        seed: int = 0,
        keep_frames: bool = False,
    ) -> Episodes:
        """Episodes that training never had, one of each of `num_episodes` environments, by the `seed` alone; `rng` is
        for actions.

        `where`: `source`, `target`, or settings of the environment that differ. `policy`: its own, that with the
        likeliest action alone, or a random one. ValueError for a domain that the environment does not name.
        """
        many = self._environments(num_episodes, self._settings_where(where), "target")

        def choose(seen: np.ndarray) -> np.ndarray:
            if policy == "random":
                return rng.integers(self.num_actions, size=len(seen))
            chances = self.learner.chances(seen)
            if policy == "greedy":
                return chances.argmax(1)
            thresholds = chances.cumsum(1)
            return (rng.random((len(seen), 1)) * thresholds[:, -1:] >= thresholds).sum(1)

        return play(many, self._see, choose, seed=HELD_OUT + seed, keep_frames=keep_frames)

    @property
    def domains(self) -> tuple[str, ...]:
        return ("source", *(name for name in domains_of(self.environment) if name != "source"))

    def _settings_where(self, where: str | Mapping[str, Any]) -> Mapping[str, Any]:
        if where == "source":
            return self.source
        if not isinstance(where, str):
            return where
        known = domains_of(self.environment)
        if where not in known:
            raise ValueError(f"the environment has no domain {where}; say which settings differ there")
        return known[where]


@final
class _Means(nn.Module):
    """The codes of a model."""

    def __init__(self, model: AbstractModel) -> None:
        super().__init__()
        self.model = model

    def forward(self, images: Tensor) -> Tensor:
        return self.model.encode(images)[0]


def _number_of_actions(seen: Seen, info: DatasetInfo) -> int:
    """ValueError where actions cannot be counted, and for images other than the data set's."""
    space, shape = seen.many.single_action_space, seen.many.single_observation_space.shape or (0, 0, 0)
    count = getattr(space, "n", None)
    if count is None or getattr(space, "start", 0) != 0:
        raise ValueError(f"agents choose one of so many actions, this environment has {space}; choose another id")
    if (found := (shape[2], *shape[:2])) != info.image_shape:
        theirs, ours = ("x".join(map(str, one)) for one in (found, info.image_shape))
        raise ValueError(
            f"the environment's images are {theirs}, those of {info.name} are {ours}; leave dataset=…, "
            "dataset.image_size, crop and grey out"
        )
    return int(count)
