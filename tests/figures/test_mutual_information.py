from dataclasses import replace

import numpy as np
import pytest

from disent_runner.figures.mutual_information import mutual_information
from disent_runner.representations.requirements import NotApplicable


def test_each_informative_latent_tells_all_of_its_factor(inputs, rng):
    (figure,) = mutual_information(inputs, rng=rng, num_bins=20, num_latents=32).values()
    shares = np.asarray(figure.axes[0].get_images()[0].get_array())
    assert shares == pytest.approx(np.array([[1, 0], [0, 1], [0, 0]]), abs=1e-9)  # sorted by KL: z1, z2, z0


def test_images_without_labels_are_left_out(inputs, rng):
    rep = inputs.representation
    factors = np.concatenate([rep.factors, np.full((3, 2), -1)])
    codes, logvar = (np.concatenate([values, values[:3]]) for values in (rep.codes, rep.logvar))
    some = replace(rep, codes=codes, factors=factors, logvar=logvar)
    (figure,) = mutual_information(replace(inputs, representation=some), rng=rng, num_bins=20, num_latents=32).values()
    shares = np.asarray(figure.axes[0].get_images()[0].get_array())
    assert shares.max(axis=0) == pytest.approx([1, 1], abs=1e-9)
    none = replace(rep, factors=np.zeros((20, 0), int), factor_sizes=(), factor_names=())
    with pytest.raises(NotApplicable, match="needs ground-truth factors, got none"):
        mutual_information(replace(inputs, representation=none), rng=rng, num_bins=20, num_latents=32)
