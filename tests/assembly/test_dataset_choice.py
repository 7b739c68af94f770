"""Choices from the real config files, merged here or composed by Hydra."""

from pathlib import Path

import pytest
from hydra.errors import HydraException, MissingConfigException

from disent_runner.assembly.conf import CONF
from disent_runner.assembly.conf import choices as names
from disent_runner.assembly.dataset_choice import Choice, choices, choose
from disent_runner.datasets.images.transform import Transform


@pytest.mark.slow
def test_every_data_set_is_the_one_that_disent_run_composes(tmp_path: Path):
    found = dict(choices(tmp_path))
    assert list(found) == names("dataset")
    for name in names("dataset")[::8]:
        merged = found[name]
        assert isinstance(merged, Choice)
        composed = choose(name, data_dir=tmp_path)
        assert composed.card.name == merged.card.name
        assert composed.transform == merged.transform


def test_no_file_has_a_defaults_list():
    """It would have no effect in `choices`."""
    assert not [name for name in names("dataset") if "defaults:" in (CONF / "dataset" / f"{name}.yaml").read_text()]


def test_what_has_no_card_without_a_setting_says_so(tmp_path: Path):
    (reason,) = [choice for name, choice in choices(tmp_path) if name == "custom"]
    assert isinstance(reason, HydraException)
    assert "dataset.path must be your file" in str(reason)


def test_settings_are_those_of_disent_run(tmp_path: Path):
    choice = choose(
        "blob", ["dataset.crop=32", "dataset.grey=true", "dataset.subset={pos_x: 2}", "dataset.check_hash=false"]
    )
    assert choice.transform == Transform(crop=32, grey=True)
    assert choice.image_shape == (1, 32, 32)
    assert choice.subset == {"pos_x": 2}
    assert not choice.check_hash


def test_the_data_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.setenv("DISENT_DATA_DIR", str(tmp_path))
    assert choose("blob").data_dir == tmp_path
    assert choose("blob", data_dir=Path("other = {folder}")).data_dir == Path("other = {folder}")
    monkeypatch.delenv("DISENT_DATA_DIR")
    assert choose("blob").data_dir == Path("data")


def test_no_such_data_set():
    with pytest.raises(MissingConfigException):
        choose("nothing")


def test_a_user_s_own_config_folder(tmp_path: Path):
    (tmp_path / "dataset").mkdir()
    (tmp_path / "dataset" / "mine.yaml").write_text(
        "# Mine\nimage_size: 16\ncard: {_target_: disent_runner.datasets.blob.card}\n"
    )
    choice = choose("mine", config_dir=tmp_path)
    assert choice.image_shape == (1, 16, 16)
    name, listed = list(choices(tmp_path, tmp_path))[-1]
    assert isinstance(listed, Choice)
    assert (name, listed.image_shape) == ("mine", (1, 16, 16))
    with pytest.raises(FileNotFoundError, match=r"--config-dir=.*nowhere: no such folder"):
        choose("mine", config_dir=tmp_path / "nowhere")
