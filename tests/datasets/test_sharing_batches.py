import numpy as np
import pytest

from disent_runner.datasets.labels.factor_space import FactorSpace
from disent_runner.datasets.labels.label_table import LabelTable
from disent_runner.datasets.sharing_batches import SharingBatches

SIZES = {"identity": 5, "azimuth": 4, "light": 3}
GRID = FactorSpace(SIZES)
PART = GRID.take(np.flatnonzero(GRID.factors(np.arange(60))[:, 0] != 2))


@pytest.mark.parametrize("space", [GRID, PART], ids=["grid", "identities held out"])
def test_a_partner_is_another_image_with_the_shared_factors(space) -> None:
    source = SharingBatches(space=space, shared=["identity", "light"], batch_size=50, seed=0)
    places = set()
    for step in range(20):
        draw = source.draw(step)
        assert draw.partners is not None
        assert not draw.is_sample
        first, second = space.factors(draw.rows.numpy()), space.factors(draw.partners.numpy())
        assert (first[:, [0, 2]] == second[:, [0, 2]]).all()
        assert (first[:, 1] != second[:, 1]).all()  # else it would be the same image
        places |= {tuple(pair) for pair in np.column_stack([draw.rows, draw.partners]).tolist()}
    assert len(places) > 0.95 * len(space) * 3  # of all that there are


def test_the_second_half_is_alike_the_first() -> None:
    source = SharingBatches(space=GRID, shared=["identity"], alike=["azimuth", "light"], batch_size=40, seed=0)
    draw = source.draw(3)
    first, second = np.split(GRID.factors(draw.rows.numpy()), 2)
    assert (first[:, 1:] == second[:, 1:]).all()
    assert (first[:, 0] != second[:, 0]).all()
    assert len(SharingBatches(space=GRID, shared=["identity"], alike=["light"], batch_size=7, seed=0).draw(0).rows) == 7
    assert draw.partners is not None
    assert (GRID.factors(draw.partners.numpy())[:, 0] == GRID.factors(draw.rows.numpy())[:, 0]).all()


def test_batches_are_a_function_of_seed_and_step() -> None:
    def rows(seed: int, step: int, stream: int = 0) -> list[int]:
        return SharingBatches(space=GRID, shared=["identity"], batch_size=8, seed=seed).draw(step, stream).rows.tolist()

    assert rows(0, 5) == rows(0, 5)
    assert len({tuple(rows(*key)) for key in [(0, 5), (1, 5), (0, 6), (0, 5, 1)]}) == 4


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        (
            {"shared": ["pose"]},
            r"^model\.identity or model\.pose names 'pose'; the factors are identity, azimuth, light",
        ),
        ({"shared": list(SIZES)}, "^60 of 60 images have the identity and azimuth and light of no other image"),
    ],
)
def test_what_makes_no_pairs_is_said_in_one_line(settings, said) -> None:
    with pytest.raises(ValueError, match=said):
        SharingBatches(**{"space": GRID, "shared": ["identity"], "batch_size": 8, "seed": 0, **settings})


def test_missing_labels_are_counted() -> None:
    labels = np.array([[0, 0], [-1, 1], [0, 1]])
    with pytest.raises(ValueError, match=r"^1 images have no label of identity"):
        SharingBatches(
            space=LabelTable({"identity": 1, "azimuth": 2}, labels), shared=["identity"], batch_size=2, seed=0
        )
