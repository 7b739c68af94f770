"""SCAN's operators: what they learn from, against sets of names, and that they do."""

import numpy as np
import pytest
import torch
from torch.distributions import Normal, kl_divergence

from disent_runner.datasets.symbols.concepts import ANY, scenes_shown
from disent_runner.datasets.symbols.recombinations import AND, IGNORE, IN_COMMON, OPERATORS
from disent_runner.models import recombination
from disent_runner.models.abstract_concepts import symbols_in
from disent_runner.models.frozen import Frozen
from disent_runner.models.recombination import Recombination, draw_pool, result_of
from disent_runner.models.scan_concepts import ScanConcepts
from disent_runner.models.telbo import TELBO
from disent_runner.networks.initialization import he_uniform

SCAN = {"beta": 1.0, "lambda_": 10.0, "kl": "forward"}
TELBOS = {"alpha_x": 1.0, "alpha_y": 1.0, "alpha_y_alone": 1.0, "lambda_sparse": 0.0, "unpaired": True}
SETTINGS = {"target": "image", "kl": "forward", "hidden": 64, "num_images": 60, "init": he_uniform}


@pytest.fixture
def scan(teach, vision, rooms) -> Frozen:
    return Frozen(teach(ScanConcepts, vision=vision, **SCAN)[0], rooms.info)


@pytest.fixture
def taught(teach, scan):
    return lambda **settings: teach(Recombination, **{"concepts": scan, **SETTINGS, **settings})


def normal(posterior: tuple[torch.Tensor, torch.Tensor]) -> Normal:
    return Normal(posterior[0], (posterior[1] / 2).exp())


@pytest.mark.parametrize("kl", ["forward", "reverse"])
@pytest.mark.parametrize("target", ["image", "symbol"])
def test_the_loss_is_the_divergence_of_the_result(target, kl, taught, scan) -> None:
    model, batch = taught(target=target, kl=kl)
    symbols, operators = symbols_in(batch()), batch().draw.operators
    first, second = (scan.model.encode_symbols(symbols[:, which]) for which in (0, 1))
    result = normal(model.recombine(operators, first, second))
    wanted = scan.encode(batch().images)
    if target == "symbol":
        wanted = scan.model.encode_symbols(result_of(operators, symbols, model.vocabulary))
    pair = (normal(wanted), result) if kl == "forward" else (result, normal(wanted))
    terms = kl_divergence(*pair).sum(1)
    logged = model.update(batch())
    torch.testing.assert_close(logged["loss"], terms.mean().detach())
    for index, name in enumerate(("and", "in_common", "ignore")):
        torch.testing.assert_close(logged[f"grounding_{name}"], terms[operators == index].mean().detach())


def test_a_batch_without_some_operator_logs_the_others(taught) -> None:
    model, batch = taught(batch_size=2)
    assert {"grounding_and", "grounding_in_common"} < model.update(batch()).keys()
    assert "grounding_ignore" not in model.update(batch())


def test_results_are_those_of_sets_whatever_a_value_is_called(taught) -> None:
    model, batch = taught(batch_size=30)
    words = model.vocabulary
    assert len(words.synonyms) == 2
    combine = {AND: set.union, IN_COMMON: set.intersection, IGNORE: set.difference}
    for step in range(5):
        symbols, operators = symbols_in(batch(step)), batch(step).draw.operators
        found = result_of(operators, symbols, words)
        for row, operator, (first, second) in zip(found, operators.tolist(), symbols, strict=True):
            meant = [{int(words.values[symbol]) for symbol in named.nonzero()} for named in (first, second)]
            expected = combine[OPERATORS[operator]](*meant)
            assert set(row.nonzero().flatten().tolist()) == expected
            assert row.max() == 1


def test_images_show_the_result_and_nothing_held_out_is_drawn(taught, rooms, scan) -> None:
    model, batch = taught(batch_size=30)
    unseen = {tuple(row) for row in scan.model.unseen_concepts.tolist()}
    rows = set()
    for step in range(20):
        symbols, operators = symbols_in(batch(step)), batch(step).draw.operators
        results = model.vocabulary.decode(result_of(operators, symbols, model.vocabulary).numpy())
        shown = rooms.space.factors(batch(step).draw.rows.numpy())[:, :4]
        assert ((results == ANY) | (results == shown)).all()
        operands = [model.vocabulary.decode(symbols[:, which].numpy()) for which in (0, 1)]
        assert not unseen & {tuple(row) for table in (results, shown, *operands) for row in table.tolist()}
        rows |= set(batch(step).draw.rows.tolist())
    assert 45 < len(rows) <= 60  # of the pool alone


def test_a_pool_has_all_combinations_before_it_has_one_twice(rooms) -> None:
    scenes = scenes_shown(rooms.space)
    num_combinations = (~scenes.held_out).sum()
    assert num_combinations == 32
    for count, each in ((32, {1}), (64, {2}), (50, {1, 2}), (1000, {4})):
        pool = draw_pool(scenes, count=count, seed=1)
        times = np.bincount(scenes.combinations[pool], minlength=36)[~scenes.held_out]
        assert set(times.tolist()) == each
        assert (np.diff(pool) > 0).all()
        assert len(pool) == min(count, 128)
    assert draw_pool(scenes, count=50, seed=2).tolist() != draw_pool(scenes, count=50, seed=1).tolist()


def test_permuting_latents_permutes_the_result(taught) -> None:
    model, _ = taught()
    operators, order = torch.tensor([0, 1, 2, 0]), torch.tensor([2, 0, 1])
    first, second = torch.randn(2, 2, 4, 3)
    mean, logvar = model.recombine(operators, tuple(first), tuple(second))
    permuted = model.recombine(operators, tuple(first[:, :, order]), tuple(second[:, :, order]))
    torch.testing.assert_close(permuted, (mean[:, order], logvar[:, order]))


def test_what_lies_below_is_asked_once_and_never_changed(taught, scan, vision) -> None:
    model, batch = taught()
    before = {name: value.clone() for name, value in scan.model.state_dict().items()}
    asked = []
    vision.model.encoder.register_forward_pre_hook(lambda _, images: asked.append(len(images[0])))
    model.train()
    for step in range(8):
        model.update(batch(step))
    assert sum(asked) == 60
    assert not scan.model.training
    assert all(torch.equal(before[name], value) for name, value in scan.model.state_dict().items())
    assert {name.partition(".")[0] for name in model.state_dict()} == {"network"}


def test_the_rest_is_that_of_the_concepts(taught, scan, rooms) -> None:
    model, _ = taught()
    images = rooms.gather(torch.arange(3))
    torch.testing.assert_close(model.encode(images), scan.encode(images))
    torch.testing.assert_close(model.decode(torch.ones(2, 3)), scan.decode(torch.ones(2, 3)))
    symbols = torch.eye(12)
    torch.testing.assert_close(model.encode_symbols(symbols), scan.model.encode_symbols(symbols))
    torch.testing.assert_close(model.describe(torch.ones(2, 3)), scan.model.describe(torch.ones(2, 3)))
    assert model.vocabulary is scan.model.vocabulary
    assert model.factors == scan.model.factors
    assert model.train_concepts is scan.model.train_concepts
    assert model.unseen_concepts.tolist() == scan.model.unseen_concepts.tolist()


def test_operators_of_a_joint_model(teach, rooms) -> None:
    joint = Frozen(teach(TELBO, **TELBOS)[0], rooms.info)
    model, batch = teach(Recombination, concepts=joint, **SETTINGS)
    before = {name: value.clone() for name, value in model.named_parameters()}
    for step in range(3):
        model.update(batch(step))
    assert not [name for name, value in model.named_parameters() if torch.equal(value, before[name])]


def test_other_parents_and_settings_are_refused(taught, vision) -> None:
    message = r"model\.concepts must be a run of scan_concepts, jmvae or telbo, got one of VAE"
    with pytest.raises(ValueError, match=message):
        taught(concepts=vision)
    message = r"model\.target must be image or symbol and model\.kl forward or reverse, got 'word' and 'forward'"
    with pytest.raises(ValueError, match=message):
        taught(target="word")


def test_concepts_too_many_to_count_are_refused(taught, monkeypatch) -> None:
    monkeypatch.setattr(recombination, "MOST_COUNTED", 10)
    with pytest.raises(ValueError, match=r"with \d+ concepts, operators take at most 10; name fewer"):
        taught()


@pytest.mark.slow
def test_operators_are_learned(taught, scan) -> None:
    """Each symbol with a latent of its own, narrow at 1 where it is named: results are as the operators say."""
    size = len(scan.model.vocabulary)

    def encode(symbols: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        meanings = torch.from_numpy(scan.model.vocabulary.values)
        named = torch.zeros_like(symbols).index_add_(1, meanings, symbols)
        return named, -4 * named

    scan.model.latent_dim = size
    scan.model.encode_symbols = encode
    model, batch = taught(target="symbol", batch_size=60)
    model.optimizer_of["model"] = torch.optim.Adam(model.parameters(), lr=1e-2)
    for step in range(600):
        model.update(batch(step))
    symbols, operators = symbols_in(batch(1000)), batch(1000).draw.operators
    mean, logvar = model.recombine(operators, encode(symbols[:, 0]), encode(symbols[:, 1]))
    expected = result_of(operators, symbols, model.vocabulary)
    assert ((mean > 0.5) == (expected > 0.5)).all()
    assert ((logvar < -2) == (expected > 0.5)).all()
