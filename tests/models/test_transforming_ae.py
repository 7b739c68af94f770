"""Capsules on small images, without a Trainer but where a run is resumed."""

from typing import Any

import numpy as np
import pytest
import torch

from disent_runner.assembly import build
from disent_runner.datasets.moved_batches import moved
from disent_runner.models.base import AbstractModel
from disent_runner.representations.capsules import capsules_of
from disent_runner.stages.fit import fit

SMALL = ("model=transforming_ae", "model.num_capsules=3", "dataset.batch_size=4")
AFFINE = "model.transformation=affine"


def poses_of(model: Any, images: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    codes = model.encode(images)[0].view(len(images), 3, -1)
    return codes[..., :-1], codes[..., -1]


@pytest.mark.parametrize("kind", ["shift", "affine"])
def test_the_loss_is_that_of_the_paper(kind, untrained):
    """Written out for each image and capsule."""
    model, batch = untrained(*SMALL, f"model.transformation={kind}")
    seen, target, _ = batch.source.moves(0)
    with torch.no_grad():
        poses, presences = poses_of(model, moved(batch.images, seen, padding="zeros"))
        wanted = moved(batch.images, target, padding="zeros")
        total = 0.0
        for row in range(4):
            known = target[row] @ torch.linalg.inv(seen[row])
            image = torch.zeros_like(wanted[row])
            for capsule in range(3):
                pose = poses[row, capsule]
                pose = pose + known[:2, 2] if kind == "shift" else (known @ pose.view(3, 3)).flatten()
                alone = torch.zeros(1, 3)
                alone[0, capsule] = presences[row, capsule]
                image += model.generation(pose.expand(1, 3, -1), alone)[0]
            total += float((image - wanted[row]).square().sum()) / 4
    assert float(model.update(batch)["loss"]) == pytest.approx(total, rel=1e-4)


@pytest.mark.parametrize(("typed", "pose_dim"), [([], 2), ([AFFINE], 9)])
def test_codes_are_poses_and_presences(typed, pose_dim, untrained):
    model, batch = untrained(*SMALL, *typed)
    assert model.latent_dim == 3 * (pose_dim + 1)
    poses, presences = poses_of(model, batch.images)
    assert poses.shape == (4, 3, pose_dim)
    assert presences.min() > 0
    assert presences.max() < 1
    if typed:
        assert (poses.view(4, 3, 3, 3) - torch.eye(3)).abs().amax((0, 1))[:2, :2].max() < 2
    drawn = model.sample_codes(50, np.random.default_rng(0)).reshape(50, 3, -1)
    assert drawn[..., -1].min() >= 0
    assert drawn[..., -1].max() <= 1
    assert np.abs(model.positions(torch.from_numpy(drawn[..., :-1])).numpy()).max() == pytest.approx(6, rel=0.05)


def test_every_parameter_learns(untrained):
    model, batch = untrained(*SMALL)
    before = {name: value.clone() for name, value in model.named_parameters()}
    assert torch.isfinite(model.update(batch)["loss"])
    assert not [name for name, value in model.named_parameters() if torch.equal(value, before[name])]


@pytest.mark.parametrize("typed", [[], [AFFINE]])
def test_positions_move_as_the_maps_say(typed, untrained):
    """A capsule that is at a point is, after a map, where the map takes the point."""
    model, _ = untrained(*SMALL, *typed)
    poses, _ = poses_of(model, torch.rand(4, *model.generation.image_shape))
    maps = torch.eye(3).repeat(4, 1, 1)
    maps[:, :2, 2] = torch.randn(4, 2)
    if typed:
        maps[:, :2, :2] += 0.1 * torch.randn(4, 2, 2)
        poses = poses.unflatten(2, (3, 3)).clone()
        poses[..., 2, :] = torch.tensor([0.0, 0, 1])  # an affine pose
        poses = poses.flatten(2)
    points = torch.cat([model.positions(poses), torch.ones(4, 3, 1)], dim=2)
    expected = torch.einsum("bij,bcj->bci", maps, points)[..., :2]
    torch.testing.assert_close(model.positions(model.transformed(poses, maps)), expected)


def test_what_is_asked_of_capsules_is_of_moved_images(untrained):
    model, batch = untrained(*SMALL)
    capsules = capsules_of(model)
    assert capsules is not None
    images, rng = batch.images.numpy(), np.random.default_rng(0)
    presences, expected, found = capsules.movement(images, rng)
    assert presences.shape == (4, 3)
    assert expected.shape == found.shape == (4, 3, 2)
    assert np.abs(expected).max() < 6.001
    np.testing.assert_allclose(expected, np.repeat(expected[:, :1], 3, axis=1), atol=1e-5)
    np.testing.assert_allclose(expected, np.rint(expected), atol=1e-4)
    views = capsules.views(images, rng)
    np.testing.assert_allclose(views.parts.sum(1).clip(0, 1), views.predicted, atol=1e-5)
    assert views.seen.shape == views.target.shape == images.shape
    assert capsules.filters().shape == (3, 20, *images.shape[1:])
    codes = model.encode(batch.images)[0].detach().numpy()
    np.testing.assert_array_equal(capsules.presences(codes), codes[:, 2::3])
    assert capsules_of(untrained("model=vae")[0]) is None


@pytest.mark.parametrize("typed", [[], [AFFINE]])
def test_a_resumed_run_equals_the_undisturbed_one(typed, composed, tmp_path):
    def trained(folder: str, *steps: int) -> AbstractModel:
        model: Any = None
        for count in steps:
            config = composed(*SMALL, *typed, f"trainer.max_steps={count}")
            data = build.build_data(config)
            model = build.build_model(config, data.training.info)
            fit(model, data, folder=tmp_path / folder, seed=0, accelerator="cpu", precision="32-true")
        return model

    for one, other in zip(
        trained("whole", 4).state_dict().values(), trained("parts", 2, 4).state_dict().values(), strict=True
    ):
        assert torch.equal(one, other)


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        (
            "model.max_shift=32",
            r"model\.max_shift must be at least 1 and less than half of the images' side, 64 pixels",
        ),
        ("model.max_distortion=0.5", r"model\.max_distortion must be above 0 and below 0\.5, beyond which a map may"),
    ],
)
def test_what_moves_an_image_out_of_sight_is_refused(typed, said, composed):
    config = composed(*SMALL, typed)
    with pytest.raises(ValueError, match=f"^{said}"):
        build.build_model(config, build.build_data(config).dataset.info)


@pytest.mark.parametrize("typed", ["model.transformation=rotate", "model.padding=wrap", "model.max_shift=0"])
def test_settings_are_held_against_what_there_is(typed, composed):
    with pytest.raises(ValueError, match=rf"^{typed}: expected "):
        composed(*SMALL, typed)
