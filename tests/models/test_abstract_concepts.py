"""What models of concepts learn from: pairs drawn once, nothing that is held out."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from disent_runner.datasets.symbols.concepts import ANY, FACTORS, order
from disent_runner.models.abstract_concepts import symbols_in
from disent_runner.models.scan_concepts import ScanConcepts
from disent_runner.networks.symbols import SymbolNetwork

SETTINGS = {"beta": 1.0, "lambda_": 10.0, "kl": "forward"}


@pytest.fixture
def taught(teach, vision):
    return lambda **settings: teach(ScanConcepts, vision=vision, **{**SETTINGS, **settings})


def test_images_show_their_concepts_and_none_is_held_out(taught, rooms) -> None:
    model, _ = taught()
    concepts, rows = model.train_concepts.numpy(), model.train_rows.numpy()
    assert concepts.shape == (20, 4)
    assert rows.shape == (20, 3)
    assert len(np.unique(concepts, axis=0)) == 20
    assert set(order(concepts)) == {1, 2, 3, 4}
    assert all(len(set(row)) == 3 for row in rows.tolist())
    shown = rooms.space.factors(rows.ravel())[:, :4].reshape(20, 3, 4)
    assert ((concepts[:, None] == ANY) | (concepts[:, None] == shown)).all()


def test_unseen_concepts_are_the_combinations_without_an_image(taught, rooms) -> None:
    model, _ = taught()
    seen = {tuple(row) for row in rooms.space.factors(np.arange(len(rooms)))[:, :4].tolist()}
    unseen = {tuple(row) for row in model.unseen_concepts.tolist()}
    assert len(unseen) == 4
    assert len(seen | unseen) == 3 * 3 * 2 * 2
    assert not seen & unseen
    assert not unseen & {tuple(row) for row in model.train_concepts.tolist()}


def test_batches_are_symbols_of_the_concepts_beside_their_images(taught, rooms) -> None:
    model, batch = taught()
    drawn = model.vocabulary.decode(symbols_in(batch()).numpy())
    assert len(model.vocabulary) == 3 + 3 + 2 + 2 + 2
    shown = rooms.space.factors(batch().draw.rows.numpy())[:, :4]
    assert ((drawn == ANY) | (drawn == shown)).all()
    pairs = {
        (tuple(c), r)
        for c, row in zip(model.train_concepts.tolist(), model.train_rows.tolist(), strict=True)
        for r in row
    }
    assert {(tuple(c), r) for c, r in zip(drawn.tolist(), batch().draw.rows.tolist(), strict=True)} <= pairs


def test_a_checkpoint_holds_what_was_drawn(taught) -> None:
    model, _ = taught(seed=1)
    other, _ = taught(seed=2)
    assert not torch.equal(model.train_concepts, other.train_concepts)
    other.load_state_dict(model.state_dict())
    assert torch.equal(model.train_concepts, other.train_concepts)
    assert torch.equal(model.train_rows, other.train_rows)
    assert model.unseen_concepts.tolist() == other.unseen_concepts.tolist()
    assert not [name for name in model.state_dict() if "vision" in name]
    assert len(model.vocabulary) == len(other.vocabulary)


def test_the_factors_are_those_of_scan_or_those_named_or_all(taught, rooms, vision) -> None:
    assert taught()[0].factors == FACTORS
    assert taught(factors=["wall", "yaw"], num_concepts=5)[0].vocabulary.sizes == {"wall": 3, "yaw": 4}
    bare = {"info": replace(rooms.info, factors={"wall": 3, "yaw": 4})}
    assert ScanConcepts(vision=vision, **SETTINGS, **bare, **plain()).factors == ("wall", "yaw")


def plain() -> dict:
    networks = {"symbol_encoder": SymbolNetwork, "symbol_decoder": SymbolNetwork, "optimizer": torch.optim.SGD}
    return {"factors": None, "num_concepts": 3, "images_per_concept": 2, "synonyms": 0, **networks}


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"factors": ["hue"]}, "model.factors names 'hue'; the factors are wall, floor, object, identity, yaw"),
        (
            {"num_concepts": 500},
            "model.num_concepts=500: the number of concepts with 3 images to train on must be",
        ),
        ({"synonyms": 11}, "the number of synonyms must be 0 to 10, got 11"),
        ({"batch_size": 61}, "dataset.batch_size is 61, but there are 60 pairs of a concept and an image"),
    ],
)
def test_other_settings_are_refused(settings, message, taught) -> None:
    with pytest.raises(ValueError, match=message):
        taught(**settings)


def test_too_many_concepts_are_told_without_training(rooms, vision) -> None:
    model = ScanConcepts(info=rooms.info, vision=vision, **SETTINGS, **{**plain(), "num_concepts": 500})
    with pytest.raises(ValueError, match=r"^model\.num_concepts=500: the number of concepts with 2 images"):
        model.check_training(rooms)
    assert not model.train_concepts.any()


def test_data_without_factors_or_with_too_many_are_refused(rooms, vision) -> None:
    for factors, message in (
        ({}, "concepts need ground-truth factors, rooms has none"),
        ({f"f{i}": 2 for i in range(40)}, r"model.factors: 40 factors have .* combinations, .*model.factors=\[f0,f1\]"),
    ):
        info = replace(rooms.info, factors=factors)
        with pytest.raises(ValueError, match=message):
            ScanConcepts(info=info, vision=vision, **SETTINGS, **plain())


def test_how_specific_concepts_are_is_logged(taught) -> None:
    model, batch = taught()
    logged = model.update(batch())
    _, logvar = model.encode_symbols(symbols_in(batch()))
    torch.testing.assert_close(logged["specificity"], (1 - (logvar / 2).exp()).clamp_min(0).mean(0).detach())
    assert "specificity" not in model.update(replace(batch(1), is_logged=False))
