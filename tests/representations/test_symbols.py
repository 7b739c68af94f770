from typing import Any, final

import numpy as np
import pytest
import torch

from disent_runner.assembly import build
from disent_runner.datasets.symbols.vocabulary import Vocabulary
from disent_runner.models.base import AbstractModel
from disent_runner.representations.encoding import encode_once
from disent_runner.representations.representation import Representation
from disent_runner.representations.requirements import NotApplicable, require_symbols
from disent_runner.representations.symbols import symbols_of

VOCABULARY = Vocabulary({"wall": 2, "hat": 2})
TRAIN = torch.tensor([[0, -1], [1, 1]])


class Images(AbstractModel):
    latent_dim = 4

    def update(self, batch):
        raise NotImplementedError

    def encode(self, images):
        raise NotImplementedError

    def decode(self, codes):
        raise NotImplementedError

    def new_optimizers(self):
        return {}


@final
class Concepts(Images):
    """A code is the symbol itself; its log variance is -symbol."""

    def __init__(self) -> None:
        super().__init__()
        self.vocabulary = VOCABULARY
        self.factors = ["wall", "hat"]
        self.register_buffer("train_concepts", TRAIN)
        self.scale = torch.nn.Parameter(torch.ones(()))
        self.dropout = torch.nn.Dropout(0.5)

    @property
    def unseen_concepts(self) -> np.ndarray:
        return np.array([[0, 1]])

    def encode_symbols(self, symbols: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        return self.dropout(self.scale * symbols), -symbols

    def describe(self, codes: torch.Tensor) -> torch.Tensor:
        return torch.sigmoid(self.scale * codes)


@final
class Recombined(Images):
    """What comes out is the first for operator 0, the second otherwise."""

    def __init__(self, concepts: Any) -> None:
        super().__init__()
        self.concepts = concepts

    def encode_symbols(self, symbols):
        return self.concepts.model.encode_symbols(symbols)

    def describe(self, codes):
        return self.concepts.model.describe(codes)

    def recombine(self, operators, first, second):
        chosen = [torch.where(operators[:, None] == 0, one, other) for one, other in zip(first, second, strict=True)]
        return chosen[0], chosen[1]


@final
class Holder:
    """As `Frozen` holds a model."""

    def __init__(self, model: AbstractModel) -> None:
        self.model = model


def test_a_model_of_images_knows_none() -> None:
    assert symbols_of(Images()) is None


def test_what_a_model_was_taught() -> None:
    model = Concepts().train()
    symbols = symbols_of(model)
    assert symbols is not None
    assert (symbols.vocabulary, symbols.factors, symbols.recombine) == (VOCABULARY, ("wall", "hat"), None)
    np.testing.assert_array_equal(symbols.train, TRAIN.numpy())
    np.testing.assert_array_equal(symbols.unseen, [[0, 1]])
    encoded = VOCABULARY.encode(symbols.train)
    mean, logvar = symbols.infer(encoded)
    np.testing.assert_array_equal(mean, encoded)  # no dropout
    np.testing.assert_array_equal(logvar, -encoded)
    codes = np.array([[0.0, 1, 2, 3]])  # in double precision
    np.testing.assert_allclose(symbols.describe(codes), 1 / (1 + np.exp(-codes)), rtol=1e-6)


def test_operators_have_the_symbols_of_their_concepts() -> None:
    symbols = symbols_of(Recombined(Holder(Concepts())))
    assert symbols is not None
    assert symbols.recombine is not None
    np.testing.assert_array_equal(symbols.train, TRAIN.numpy())
    assert symbols.describe(np.zeros((5, 4))).shape == symbols.infer(np.zeros((5, 4)))[1].shape == (5, 4)
    first, second = np.zeros((3, 4)), np.ones((3, 4))
    mean, logvar = symbols.recombine(np.array([0, 1, 2]), first, -first, second, -second)
    np.testing.assert_array_equal(mean[:, 0], [0, 1, 1])
    np.testing.assert_array_equal(logvar[:, 0], [0, -1, -1])


def test_answers_in_half_precision_are_numbers_too() -> None:
    symbols = symbols_of(Concepts().to(torch.bfloat16))
    assert symbols is not None
    assert symbols.describe(np.zeros((2, 4))).dtype == symbols.infer(np.zeros((2, 4)))[0].dtype == np.float32


def test_what_metrics_ask_for() -> None:
    symbols = symbols_of(Concepts())
    factors = np.zeros((3, 3), np.int64)
    codes = np.zeros((3, 4))
    named = {"factor_sizes": (1, 2, 2), "factor_names": ("yaw", "hat", "wall")}
    assert require_symbols("mine", Representation(codes, factors, **named, symbols=symbols)) is symbols
    with pytest.raises(NotApplicable, match=r"^mine needs a model that was taught symbols, such as scan, got none$"):
        require_symbols("mine", Representation(codes, factors, **named))
    chosen = Representation(codes, factors, **named, symbols=symbols).with_factors(["yaw", "hat"])
    with pytest.raises(NotApplicable, match=r"^mine needs the factors that concepts are about, got none called wall$"):
        require_symbols("mine", chosen)


def test_codes_come_with_what_the_model_knows_of_symbols(composed, tmp_path) -> None:
    data = build.build_data(composed("model=betavae")).dataset
    model = build.build_model(composed("model=betavae"), data.info)
    rep = encode_once(model, data, folder=tmp_path, indices=np.arange(4), batch_size=4).representation
    assert rep.symbols is None
