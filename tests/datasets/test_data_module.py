import itertools
from functools import partial
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from disent_runner.datasets.data_module import DataModule, StepPlan
from disent_runner.datasets.dataset import Dataset
from disent_runner.datasets.images.image_store import ByteImages
from disent_runner.datasets.info import DatasetInfo
from disent_runner.datasets.joints import product_of_marginals
from disent_runner.datasets.labels.factor_space import FactorSpace
from disent_runner.datasets.splits import by_values

PLAN = StepPlan(max_steps=23, log_every=5, checkpoint_every=7)


@pytest.fixture
def dataset() -> Dataset:
    """Twelve images, each as bright as its index."""
    sizes = {"x": 3, "y": 4}
    info = DatasetInfo("things", (1, 1, 1), sizes, 12, "rendered")
    images = ByteImages(np.arange(12, dtype=np.uint8).reshape(12, 1, 1, 1))
    return Dataset(info=info, space=FactorSpace(sizes), images=images, content_hash="abc")


def seen(dataset: Dataset, **settings: Any) -> np.ndarray:
    """Brightness of the images of twelve batches."""
    module = DataModule(dataset, batch_size=4, seed=0, plan=PLAN, on_device=False, **settings)
    batches = [module.training.gather(module.source.draw(step).rows) for step in range(12)]
    return np.rint(255 * np.stack([batch.flatten() for batch in batches])).astype(int)


def test_training_sees_every_image(dataset: Dataset) -> None:
    np.testing.assert_array_equal(np.unique(seen(dataset)), np.arange(12))


def test_training_does_not_see_what_is_held_out(dataset: Dataset) -> None:
    split = partial(by_values, values={"x": [1], "y": [0, 3]})
    module = DataModule(dataset, batch_size=4, seed=0, plan=PLAN, on_device=False, split=split)
    assert np.flatnonzero(module.held_out).tolist() == [4, 7]
    assert (module.training.info.num_images, module.dataset.info.num_images) == (10, 12)
    np.testing.assert_array_equal(np.unique(seen(dataset, split=split)), np.setdiff1d(np.arange(12), [4, 7]))


def test_a_joint_is_of_the_images_that_are_left(dataset: Dataset) -> None:
    split = partial(by_values, values={"x": [0]})
    joint = partial(product_of_marginals, marginals={"x": [5, 0, 1]})
    np.testing.assert_array_equal(np.unique(seen(dataset, split=split, joint=joint)), np.arange(8, 12))
    module = DataModule(dataset, batch_size=4, seed=0, plan=PLAN, on_device=False, split=split, joint=joint)
    np.testing.assert_allclose(module.weights, np.repeat([5, 0, 1], 4) / 24)  # pyright: ignore
    assert DataModule(dataset, batch_size=4, seed=0, plan=PLAN, on_device=False, split=split).weights is None


def test_a_model_that_chooses_its_own_groups_takes_no_joint(dataset: Dataset) -> None:
    joint = partial(product_of_marginals, marginals={"x": [5, 0, 1]})
    module = DataModule(dataset, batch_size=4, seed=0, plan=PLAN, on_device=False, joint=joint)
    other = DataModule(dataset, batch_size=4, seed=0, plan=PLAN, on_device=False).source
    grouped = SimpleNamespace(batches=lambda *_, **__: other)
    with pytest.raises(ValueError, match="joint: SimpleNamespace chooses its own groups of images; take joint=null"):
        module.source_for(grouped)
    plain = SimpleNamespace(batches=lambda training, source, **_: source)
    assert module.source_for(plain) is module.source


def test_chunks_cover_every_step_once_and_end_where_something_happens():
    chunks = list(PLAN.chunks(0))
    assert list(itertools.chain(*chunks)) == list(range(23))
    assert [chunk.stop for chunk in chunks] == [5, 7, 10, 14, 15, 20, 21, 23]
    assert all(PLAN.is_logged(chunk.stop) or PLAN.is_saved(chunk.stop) for chunk in chunks)


def test_chunks_from_anywhere_end_at_the_same_steps():
    for start in range(24):
        ends = [chunk.stop for chunk in PLAN.chunks(start)]
        assert ends == [stop for stop in (5, 7, 10, 14, 15, 20, 21, 23) if stop > start]


@pytest.mark.parametrize(
    ("name", "value"), [("max_steps", 0), ("log_every", -1), ("checkpoint_every", 2.5), ("max_steps", "many")]
)
def test_the_plan_is_checked(name, value):
    settings = {"max_steps": 10, "log_every": 5, "checkpoint_every": 5} | {name: value}
    with pytest.raises(ValueError, match=f"trainer.{name} must be a positive whole number, got {value!r}"):
        StepPlan(**settings)
