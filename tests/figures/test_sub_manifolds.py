import numpy as np
import pytest

from disent_runner.figures.grid import tile
from disent_runner.figures.sub_manifolds import path_through, sub_manifolds
from disent_runner.representations.requirements import NotApplicable
from tests.figures.test_swaps import with_parts


def test_one_part_goes_along_the_images_and_the_other_stays(inputs) -> None:
    settings = {"num_images": 2, "num_stops": 3, "num_between": 2}
    found = sub_manifolds(with_parts(inputs), rng=np.random.default_rng(0), **settings)
    assert found.keys() == {"sub_manifolds_m", "sub_manifolds_h"}
    rows = np.random.default_rng(0).integers(20, size=5)
    codes = inputs.representation.codes
    stops = codes[rows[2:]]
    path = [stops[0], (stops[0] + stops[1]) / 2, stops[1], (stops[1] + stops[2]) / 2, stops[2]]
    moved = np.array([path, *([[*step[:2], codes[row, 2]] for step in path] for row in rows[:2])])
    decoded = inputs.decode(moved.reshape(-1, 3)).reshape(3, 5, 1, 2, 2)
    first = inputs.image(np.array([rows[2], rows[0], rows[1]]))[:, None]
    picture = np.asarray(found["sub_manifolds_m"].axes[0].get_images()[0].get_array())
    np.testing.assert_array_equal(picture, tile(np.concatenate([first, decoded], axis=1)))


def test_a_path_ends_where_it_should() -> None:
    codes = np.array([[0.0], [1.0], [3.0]])
    np.testing.assert_allclose(path_through(codes, num_between=4)[:, 0], [0, 0.25, 0.5, 0.75, 1, 1.5, 2, 2.5, 3])


def test_codes_of_one_whole_have_no_sub_manifolds(inputs, rng) -> None:
    with pytest.raises(NotApplicable, match="sub_manifolds needs codes of several parts"):
        sub_manifolds(inputs, rng=rng, num_images=1, num_stops=2, num_between=1)
