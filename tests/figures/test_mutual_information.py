import numpy as np
import pytest

from disent_runner.figures.mutual_information import mutual_information


def test_each_informative_latent_tells_all_of_its_factor(inputs, rng):
    (figure,) = mutual_information(inputs, rng=rng, num_bins=20).values()
    shares = np.asarray(figure.axes[0].get_images()[0].get_array())
    assert shares == pytest.approx(np.array([[1, 0], [0, 1], [0, 0]]), abs=1e-9)  # sorted by KL: z1, z2, z0
