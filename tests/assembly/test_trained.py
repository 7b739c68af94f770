from typing import Any

import numpy as np
import pytest
import torch

import disent_runner
from disent_runner.assembly.trained import checked_codes, checked_images
from disent_runner.stages.job import run_job


@pytest.fixture
def folder(composed, tmp_path):
    run_job(composed("model=betavae", "metric=[mig]", "stages=[fit,evaluate]", "model.beta=3"), tmp_path / "run")
    return tmp_path / "run"


@pytest.mark.slow
def test_a_run_is_given_back(folder):
    run = disent_runner.load(folder)
    assert run.config.model.beta == 3
    assert run.step == run.train_log["step"].iloc[-1] == 5
    assert run.info.factors["pos_x"] == 8
    data = run.dataset()
    images = data.gather(torch.arange(3)).numpy()
    mean, logvar = run.encode(images)
    assert logvar is not None
    assert mean.shape == logvar.shape == (3, 10)
    assert run.decode(mean).shape == images.shape
    for one, other in zip(run.encode((255 * images).astype(np.uint8)), (mean, logvar), strict=True):
        np.testing.assert_array_equal(one, other)
    with pytest.raises(ValueError, match="images hold -1"):
        run.encode(2 * images - 1)
    with pytest.raises(ValueError, match="codes hold nan"):
        run.decode(mean * np.nan)
    np.testing.assert_array_equal(run.sample(2, seed=1), run.sample(2, seed=1))
    assert run.sample(2).min() >= 0
    assert run.metrics["mig"] == run.table[run.table.factor.isna()].set_index("name")["value"]["mig"]


@pytest.mark.slow
def test_so_is_an_earlier_checkpoint_of_it(folder):
    run = disent_runner.load(folder / "checkpoints" / "step=000000004.pt")
    assert run.step == 4
    assert run.metrics == {}  # those of step 5 are not its own


def test_where_there_is_no_run_that_is_said(tmp_path):
    with pytest.raises(FileNotFoundError, match="no run there; name a folder that holds"):
        disent_runner.load(tmp_path)


def test_settings_that_a_class_does_not_take_are_named_with_the_folder(composed, tmp_path):
    run_job(composed("model=pca", "stages=[fit]"), tmp_path / "run")
    path = tmp_path / "run" / "config.yaml"
    text = path.read_text()
    assert disent_runner.load(tmp_path / "run").info.value_names == {"shape": ("square", "ellipse", "heart")}
    names = "  value_names:\n    shape:\n    - square\n    - ellipse\n    - heart\n"
    assert names in text
    path.write_text(text.replace("  periods: {}\n", "").replace(names, ""))  # an earlier version had neither
    info = disent_runner.load(tmp_path / "run").info
    assert (info.periods, info.value_names) == ({}, {})
    path.write_text(text.replace("  latent_dim: ", "  latent_dims: "))
    with pytest.raises(ValueError, match=rf"^{tmp_path}/run: .*latent_dims"):
        disent_runner.load(tmp_path / "run")


def test_the_home_folder_is_found(monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "config.yaml").write_text("no config")
    with pytest.raises(ValueError, match=str(tmp_path / "run")):
        disent_runner.load("~/run")


def test_images_of_words_show_the_codes_that_symbols_have(concept_run):
    run = disent_runner.load(concept_run)
    model: Any = run.model
    assert run.attributes[:2] == ("red wall", "green wall")
    assert run.attributes[-3:] == ("hat", "ice lolly", "suitcase")
    said = np.zeros((1, 15), np.float32)
    said[0, [0, 12]] = 1
    mean, logvar = model.encode_symbols(torch.from_numpy(said))
    noise = np.random.default_rng(7).standard_normal((3, mean.shape[1]), dtype=np.float32)
    expected = model.decode(mean + (logvar / 2).exp() * torch.from_numpy(noise)).detach()
    for phrase in ("red wall, hat", "hat red wall", "red wall AND hat", "red wall, hat, red floor IGNORE red floor"):
        np.testing.assert_allclose(run.imagine(phrase, 3, seed=7), expected, atol=1e-6)
    assert run.imagine("hat").shape == (16, 3, 32, 32)

    operands = [model.encode_symbols(torch.eye(15)[symbol][None]) for symbol in (0, 12)]
    mean, logvar = model.recombine(torch.tensor([0]), *operands)
    expected = model.decode(mean + (logvar / 2).exp() * torch.from_numpy(noise)).detach()
    np.testing.assert_allclose(run.recombine("red wall", "AND", "hat", 3, seed=7), expected, atol=1e-6)


def test_images_are_described_by_their_mean_codes(concept_run):
    run = disent_runner.load(concept_run)
    model: Any = run.model
    images = run.dataset().gather(torch.arange(5))
    expected = model.describe(model.encode(images)[0]).detach()
    np.testing.assert_allclose(run.describe(images), expected, atol=1e-6)
    levels = np.rint(255 * images.numpy()).astype(np.uint8)
    np.testing.assert_array_equal(run.describe(levels), run.describe(levels / np.float32(255)))
    assert run.describe(images[:0]).shape == (0, 15)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda run: run.imagine("red hatt"), "'red' may be red wall, red floor or red object; say which"),
        (lambda run: run.imagine(["hat"]), "phrase is list, expected text such as 'red wall'"),
        (lambda run: run.imagine("hat", 0), "imagine needs num_images >= 1, got 0"),
        (lambda run: run.recombine("hat", "OR", "red wall"), "operator must be AND, IN COMMON or IGNORE, got 'OR'"),
        (lambda run: run.recombine("hat", "AND", None), "second is NoneType, expected text such as 'red wall'"),
        (lambda run: run.recombine("hat", "AND", "suitcase"), "'hat' and 'suitcase' contradict each other: an image"),
        (lambda run: run.recombine("hat", "IGNORE", "red wall"), "IGNORE 'red wall': that is no part of 'hat'"),
        (lambda run: run.recombine("hat AND red wall", "AND", "red floor"), "has AND and AND; recombine two concepts"),
        (lambda run: run.describe(np.zeros((1, 3, 8, 8))), r"images have shape (1, 3, 8, 8), expected (N, 3, 32, 32)"),
    ],
)
def test_words_that_mean_nothing_are_refused(call, message, concept_run):
    with pytest.raises(ValueError) as refused:
        call(disent_runner.load(concept_run))
    assert message in str(refused.value)


SHAPE = (3, 8, 8)


def test_images_are_taken_as_a_data_set_s_file_means_them():
    levels = np.random.default_rng(0).integers(0, 256, (4, *SHAPE), dtype=np.uint8)
    for given in (levels, torch.from_numpy(levels), levels / 255, (levels / 255).astype(np.float16).tolist()):
        images = checked_images(given, SHAPE)
        assert images.dtype == np.float32
        np.testing.assert_allclose(images, levels / 255, atol=3e-4)
    np.testing.assert_array_equal(checked_images(levels > 99, SHAPE), (levels > 99).astype(float))
    np.testing.assert_array_equal(checked_images(torch.rand(2, *SHAPE).bfloat16(), SHAPE).shape, (2, *SHAPE))
    assert checked_images(levels[:0], SHAPE).shape == (0, *SHAPE)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (np.full((2, *SHAPE), 255.0), r"hold 255\.0, expected uint8, bool or floats from 0 to 1"),
        (np.full((2, *SHAPE), -1.0), r"hold -1\.0, expected"),
        (np.full((2, *SHAPE), np.nan), "hold nan, expected"),
        (np.full((2, *SHAPE), 200), "are int64, expected uint8, bool or floats"),
        (np.ones((2, *SHAPE), np.uint8), r"bytes of 0 and 1 only, .* give images\.astype\(bool\)"),
        (np.zeros((2, 8, 8, 3)), r"shape \(2, 8, 8, 3\), expected \(N, 3, 8, 8\): N, channels, height, width"),
        (np.zeros(SHAPE), r"shape \(3, 8, 8\), expected \(N, 3, 8, 8\)"),
        (np.zeros((2, 3, 16, 16)), r"shape \(2, 3, 16, 16\), expected"),
        (np.full((2, *SHAPE), "a"), "are <U1, expected numbers"),
        (np.ma.masked_less(np.linspace(0, 1, 384).reshape(2, *SHAPE), 0.5), "are a masked array"),
    ],
)
def test_images_that_are_something_else_are_refused(given, message):
    with pytest.raises(ValueError, match=message):
        checked_images(given, SHAPE)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (np.zeros(5), r"shape \(5,\), expected \(N, 5\)"),
        (np.zeros((2, 4)), r"shape \(2, 4\), expected \(N, 5\)"),
        (np.full((2, 5), np.nan), "hold nan, expected finite numbers"),
        (np.full((2, 5), 1e300), "hold inf, expected finite numbers"),
        (np.full((2, 5), 1j), "are complex128, expected numbers"),
    ],
)
def test_codes_that_are_something_else_are_refused(given, message):
    with pytest.raises(ValueError, match=message):
        checked_codes(given, 5)
