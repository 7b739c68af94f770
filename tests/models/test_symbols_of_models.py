"""Models of concepts as metrics and figures see them."""

import numpy as np
import pytest
import torch

from disent_runner.datasets.symbols.concepts import order
from disent_runner.models.frozen import Frozen
from disent_runner.models.recombination import Recombination
from disent_runner.models.scan_concepts import ScanConcepts
from disent_runner.models.telbo import TELBO
from disent_runner.networks.initialization import he_uniform
from disent_runner.representations.symbols import symbols_of

SCAN = {"beta": 1.0, "lambda_": 10.0, "kl": "forward"}
TELBOS = {"alpha_x": 1.0, "alpha_y": 1.0, "alpha_y_alone": 1.0, "lambda_sparse": 0.0, "unpaired": True}
OPERATORS = {"target": "image", "kl": "forward", "hidden": 64, "num_images": 60, "init": he_uniform}


@pytest.mark.parametrize("kind", [ScanConcepts, TELBO])
def test_what_was_taught_and_what_is_made_of_it(kind, teach, vision, rooms) -> None:
    settings = {"vision": vision, **SCAN} if kind is ScanConcepts else TELBOS
    model, _ = teach(kind, **settings)
    symbols = symbols_of(model)
    assert symbols is not None
    assert symbols.factors == ("wall", "floor", "object", "identity")
    assert order(symbols.train).min() >= 1
    assert (order(symbols.unseen) == 4).all()
    assert not {tuple(row) for row in symbols.unseen.tolist()} & {tuple(row) for row in symbols.train.tolist()}
    said = symbols.vocabulary.encode(symbols.train)
    mean, logvar = symbols.infer(said)
    with torch.no_grad():
        expected = model.encode_symbols(torch.from_numpy(said))
        probabilities = model.describe(expected[0])
    np.testing.assert_array_equal(mean, expected[0])
    np.testing.assert_array_equal(logvar, expected[1])
    np.testing.assert_allclose(symbols.describe(mean), probabilities, rtol=1e-5)
    assert symbols.recombine is None

    operators, _ = teach(Recombination, concepts=Frozen(model, rooms.info), **OPERATORS)
    recombining = symbols_of(operators)
    assert recombining is not None
    assert recombining.recombine is not None
    np.testing.assert_array_equal(recombining.train, symbols.train)
    np.testing.assert_array_equal(recombining.infer(said)[0], mean)
    result = recombining.recombine(np.arange(len(mean)) % 3, mean, logvar, mean[::-1], logvar[::-1])
    assert [values.shape for values in result] == [mean.shape, mean.shape]
