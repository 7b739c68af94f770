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
