import numpy as np

from disent_runner.figures.samples import samples


def test_codes_come_from_the_standard_normal(inputs, rng):
    seen = []
    watched = inputs.decode

    def decode(codes):
        seen.append(codes)
        return watched(codes)

    object.__setattr__(inputs, "decode", decode)
    (figure,) = samples(inputs, rng=rng, num_rows=40, num_columns=50).values()
    (codes,) = seen
    assert codes.shape == (2000, 3)
    assert np.abs(codes.mean(0)).max() < 4.5 / 2000**0.5
    assert np.abs(codes.std(0) - 1).max() < 4.5 / 4000**0.5
    assert np.asarray(figure.axes[0].get_images()[0].get_array()).std() > 0
