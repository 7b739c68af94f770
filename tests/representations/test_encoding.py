from dataclasses import replace

import h5py
import numpy as np
import pytest
import torch

from disent_runner.assembly import build
from disent_runner.datasets.dataset import Dataset
from disent_runner.datasets.images.image_store import ByteImages
from disent_runner.datasets.info import DatasetInfo
from disent_runner.datasets.labels.label_table import LabelTable
from disent_runner.representations.encoding import encode_once, evaluated_images


@pytest.fixture
def run(composed):
    config = composed("model=betavae")
    data = build.build_data(config).dataset
    return build.build_model(config, data.info), data


def test_the_choice_of_images_is_sorted_unique_and_always_the_same():
    chosen = evaluated_images(100, 5000)
    assert len(np.unique(chosen)) == 100
    assert (np.diff(chosen) > 0).all()
    np.testing.assert_array_equal(chosen, evaluated_images(100, 5000))
    np.testing.assert_array_equal(evaluated_images(None, 7), np.arange(7))
    np.testing.assert_array_equal(evaluated_images(9, 7), np.arange(7))


@pytest.mark.parametrize("num_images", [-3, 0, 1])
def test_the_number_of_images_is_checked(num_images):
    with pytest.raises(ValueError, match=rf"2 or more \(or null for all\), got {num_images}"):
        evaluated_images(num_images, 5000)


def test_codes_are_the_models_own_with_their_factors(run, tmp_path):
    model, data = run
    encoded = encode_once(model, data, folder=tmp_path, indices=evaluated_images(50, len(data)), batch_size=16)
    rows = torch.from_numpy(encoded.indices)
    mean, logvar = model.eval().encode(data.gather(rows))
    np.testing.assert_allclose(encoded.representation.codes, mean.detach(), atol=1e-5)
    assert encoded.representation.logvar is not None
    np.testing.assert_allclose(encoded.representation.logvar, logvar.detach(), atol=1e-5)
    np.testing.assert_array_equal(data.space.indices(encoded.representation.factors), encoded.indices)
    with h5py.File(tmp_path / "codes.h5") as file:
        assert set(file) == {"mean", "logvar", "factors", "index", "check", "done"}
        assert file.attrs["source"] == "rendered"
    assert encoded.representation.factor_names == tuple(data.info.factors)
    assert encoded.representation.autoencoder is not None


def test_nothing_is_encoded_twice_unless_the_model_or_the_choice_changed(run, tmp_path, monkeypatch):
    model, data = run
    calls = []
    encode = model.encode
    monkeypatch.setattr(model, "encode", lambda images: calls.append(len(images)) or encode(images))

    def count(num_images: int = 20) -> int:
        calls.clear()
        encode_once(model, data, folder=tmp_path, indices=evaluated_images(num_images, len(data)), batch_size=16)
        return sum(calls)

    assert count() == 20
    assert count() == 0
    assert count(num_images=30) == 30
    model.step = 9
    assert count(num_images=30) == 30
    (tmp_path / "codes.h5").write_bytes(b"torn")
    assert count(num_images=30) == 30


def test_other_data_of_the_same_name_is_encoded_again(run, tmp_path):
    model, data = run
    for dataset in (data, replace(data, content_hash="other")):
        encode_once(model, dataset, folder=tmp_path, indices=np.arange(20), batch_size=16)
    with h5py.File(tmp_path / "codes.h5") as file:
        assert file.attrs["data_hash"] == "other"


def test_a_stopped_pass_goes_on_where_it_was_and_ends_the_same(run, tmp_path, monkeypatch):
    model, data = run
    settings = {"indices": np.arange(100), "batch_size": 16}
    whole = encode_once(model, data, folder=tmp_path / "whole", **settings).representation
    monkeypatch.setattr("disent_runner.representations.encoding._SECONDS_BETWEEN_SAVES", 0.0)
    encode, seen = model.encode, []

    def stopped(images):
        if sum(seen) >= 48:
            raise KeyboardInterrupt
        seen.append(len(images))
        return encode(images)

    monkeypatch.setattr(model, "encode", stopped)
    with pytest.raises(KeyboardInterrupt):
        encode_once(model, data, folder=tmp_path / "parts", **settings)
    assert not (tmp_path / "parts" / "codes.h5").exists()
    done = sum(seen) // 16 * 16
    seen.clear()
    monkeypatch.setattr(model, "encode", lambda images: seen.append(len(images)) or encode(images))
    resumed = encode_once(model, data, folder=tmp_path / "parts", **settings).representation
    assert sum(seen) == 100 - done < 100
    np.testing.assert_array_equal(resumed.codes, whole.codes)
    assert resumed.logvar is not None
    np.testing.assert_array_equal(resumed.logvar, whole.logvar)
    assert {path.name for path in (tmp_path / "parts").iterdir()} == {"codes.h5"}


def test_a_damaged_or_other_unfinished_file_is_started_anew(run, tmp_path):
    model, data = run
    (tmp_path / ".codes.h5.partial").write_bytes(b"torn")
    encoded = encode_once(model, data, folder=tmp_path, indices=np.arange(20), batch_size=16)
    assert np.abs(encoded.representation.codes).sum(axis=1).min() > 0


@pytest.mark.parametrize("labels", [np.zeros((6, 0), int), np.array([[0], [300], [-1], [2], [2], [1]])])
def test_images_with_few_or_missing_labels(labels, composed, tmp_path):
    sizes = {"kind": 301} if labels.shape[1] else {}
    images = ByteImages(np.random.default_rng(0).integers(0, 255, (6, 1, 64, 64), np.uint8))
    info = DatasetInfo("things", (1, 64, 64), sizes, 6, "file")
    data = Dataset(info=info, space=LabelTable(sizes, labels), images=images, content_hash="")
    model = build.build_model(composed("model=vae"), info)
    encoded = encode_once(model, data, folder=tmp_path, indices=np.arange(6), batch_size=4)
    np.testing.assert_array_equal(encoded.representation.factors, labels)
    with h5py.File(tmp_path / "codes.h5") as file:
        np.testing.assert_array_equal(file["factors"], labels)


def test_weights_and_the_layout_of_codes_come_with_the_representation(run, tmp_path):
    model, data = run
    model.categorical = (3,)
    weights, indices = np.arange(len(data)) / np.arange(len(data)).sum(), np.array([1, 4, 5])
    settings = {"folder": tmp_path, "indices": indices, "batch_size": 16}
    rep = encode_once(model, data, **settings, weights=weights).representation
    assert rep.weights is not None
    np.testing.assert_allclose(rep.weights, [0.1, 0.4, 0.5])
    assert rep.categorical == (3,)
    assert encode_once(model, data, **settings).representation.weights is None
