from dataclasses import replace

import numpy as np
import pytest
import torch

from disent_runner.datasets.labels.label_table import LabelTable
from disent_runner.models.oracle import Oracle


def test_codes_are_the_factors_from_zero_to_one(dataset) -> None:
    model = Oracle(info=dataset.info)
    codes, logvar = model.represent(dataset, torch.tensor([0, 63, 9]))
    assert logvar is None
    np.testing.assert_allclose(codes, [[0, 0], [1, 1], [1 / 7, 1 / 7]], rtol=1e-6)


def test_images_alone_do_not_tell_and_nothing_is_decoded(dataset) -> None:
    model = Oracle(info=dataset.info)
    assert not model.has_decoder
    with pytest.raises(ValueError, match="encodes the factors"):
        model.encode(dataset.gather(torch.arange(2)))
    with pytest.raises(ValueError, match="has no decoder"):
        model.decode(torch.zeros(1, 2))


def test_missing_factors_are_refused(dataset) -> None:
    with pytest.raises(ValueError, match="needs ground-truth factors, squares has none"):
        Oracle(info=replace(dataset.info, factors={}))
    labels = np.where(np.arange(64)[:, None] == 5, -1, np.zeros((64, 2), int))
    some = replace(dataset, space=LabelTable(dataset.info.factors, labels))
    with pytest.raises(ValueError, match="needs every label"):
        Oracle(info=dataset.info).represent(some, torch.arange(10))
