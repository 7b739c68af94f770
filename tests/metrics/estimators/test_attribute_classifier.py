import numpy as np
import pytest
import torch
from sklearn.linear_model import LogisticRegression
from torch.nn import functional

from disent_runner.metrics.estimators.attribute_classifier import (
    AttributeClassifier,
    fit_attribute_classifier,
    shrunk,
    shrunk_in_blocks,
)

SIZES = (3, 2)
LABELS = np.stack(np.unravel_index(np.arange(600) % 6, SIZES), axis=1)


def bars(labels: np.ndarray, *, side: int = 12, noise: float = 0.05, seed: int = 0) -> torch.Tensor:
    """A bright third of the columns says the first label, a bright half of the rows the second."""
    images = np.random.default_rng(seed).normal(0.5, noise, (len(labels), 1, side, side))
    for image, (column, row) in zip(images[:, 0], labels, strict=True):
        image[:, column * side // 3 : (column + 1) * side // 3] += 0.3
        image[row * side // 2 : (row + 1) * side // 2] += 0.3
    return torch.from_numpy(images.clip(0, 1)).float()


def fitted(seed: int = 0, **changes) -> AttributeClassifier:
    settings = {"sizes": SIZES, "num_steps": 40, "rng": np.random.default_rng(seed), **changes}
    return fit_attribute_classifier(bars(LABELS), LABELS, **settings)


def test_it_learns_what_a_linear_model_knows() -> None:
    classifier = fitted()
    new = bars(LABELS[:120], seed=1)
    linear = LogisticRegression(max_iter=1000)
    for place in range(2):
        linear.fit(bars(LABELS).flatten(1).numpy(), LABELS[:, place])
        assert linear.score(new.flatten(1).numpy(), LABELS[:120, place]) == 1.0
    np.testing.assert_array_equal(classifier.accuracy(new, LABELS[:120]), [1, 1])
    wrong = np.stack([(LABELS[:120, 0] + 1) % 3, LABELS[:120, 1]], axis=1)
    np.testing.assert_array_equal(classifier.accuracy(new, wrong), [0, 1])


def test_probabilities_are_distributions_of_one_image_alone() -> None:
    """Also of blocks: what normalises was learnt, and is not that of the images asked for."""
    classifier, new = fitted(), bars(LABELS[:600], seed=1)
    together = classifier.probabilities(new)
    assert [block.shape for block in together] == [(600, 3), (600, 2)]
    for place, block in enumerate(together):
        np.testing.assert_allclose(block.sum(axis=1), 1, rtol=1e-12)
        np.testing.assert_allclose(classifier.probabilities(new[7:8])[place], block[7:8], rtol=1e-4)


def test_the_seed_decides_and_torch_s_own_generator_stays_as_it_is() -> None:
    new = bars(LABELS[:6], seed=1)
    state = torch.random.get_rng_state()
    with torch.no_grad():  # as within the stage
        one, same, other = (fitted(seed).probabilities(new)[0] for seed in (0, 0, 1))
    assert torch.equal(state, torch.random.get_rng_state())
    np.testing.assert_array_equal(one, same)
    assert (one != other).any()


def test_large_images_are_averaged_down() -> None:
    images = torch.rand(2, 3, 64, 48, generator=torch.Generator().manual_seed(0))
    small = shrunk(images)
    assert small.shape == (2, 3, 32, 32)
    torch.testing.assert_close(shrunk(images[:, :, :, :32]), functional.avg_pool2d(images[:, :, :, :32], (2, 1)))
    assert shrunk(small) is small
    rows = np.arange(600) % 2
    torch.testing.assert_close(shrunk_in_blocks(lambda asked: images.numpy()[asked], rows), small[rows])


@pytest.mark.parametrize("shape", [(1, 4, 4), (3, 2, 3), (1, 8, 8), (3, 28, 28), (1, 5, 40)])
def test_images_of_any_size(shape: tuple[int, int, int]) -> None:
    images = torch.rand(65, *shape)  # one more than a batch
    labels = np.arange(65)[:, None] % 2
    classifier = fit_attribute_classifier(images, labels, sizes=(2,), num_steps=2, rng=np.random.default_rng(0))
    assert classifier.probabilities(images)[0].shape == (65, 2)


def test_two_images_and_an_attribute_of_one_value() -> None:
    images, labels = bars(LABELS[:2]), np.array([[0], [0]])
    classifier = fit_attribute_classifier(images, labels, sizes=(1,), num_steps=2, rng=np.random.default_rng(0))
    np.testing.assert_array_equal(classifier.accuracy(images, labels), [1])


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU")
def test_gpu_learns_it_too() -> None:
    classifier = fitted(device="cuda")
    np.testing.assert_array_equal(classifier.accuracy(bars(LABELS[:120], seed=1), LABELS[:120]), [1, 1])
