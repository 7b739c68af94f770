import numpy as np

from disent_runner.figures.grid import tile
from disent_runner.figures.reconstructions import reconstructions


def test_each_image_stands_above_its_own_reconstruction(inputs):
    (figure,) = reconstructions(inputs, rng=np.random.default_rng(0), num_images=6).values()
    picture = np.asarray(figure.axes[0].get_images()[0].get_array())
    rows = np.random.default_rng(0).choice(20, size=6, replace=False)
    np.testing.assert_array_equal(picture, tile(np.stack([inputs.image(rows)] * 2)))
    assert [label.get_text() for label in figure.axes[0].get_yticklabels()] == ["image", "reconstruction"]
