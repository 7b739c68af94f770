import re
from pathlib import Path

import pytest

from disent_runner.assembly.sources import Source

GRID = "hydra: {sweeper: {params: {seed: '0,1'}}}\n"


@pytest.fixture
def mine(tmp_path: Path) -> Path:
    for group in ("sweep", "experiment/me", "model"):
        (tmp_path / group).mkdir(parents=True)
    return tmp_path


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(f"# @package _global_\n{GRID}", id="as documented"),
        pytest.param(f"\ufeff# @package _global_\n# mine\n{GRID}", id="a byte order mark"),
        pytest.param(f"# @package _global_\n# mine\n{GRID}".replace("\n", "\r\n"), id="line ends of Windows"),
        pytest.param(f"# mine\n\n---\n# @package _global_\n{GRID}", id="another first line"),
        pytest.param(GRID, id="no package"),
        pytest.param(f"\ufeff{GRID}", id="a mark alone"),
    ],
)
def test_a_preset_is_about_the_whole_config_however_it_begins(text, mine):
    for group in ("sweep", "experiment/me"):
        (mine / group / "mine.yaml").write_bytes(text.encode())
        loaded = Source("mine", f"file://{mine}").load_config(f"{group}/mine")
        assert loaded.header["package"] == "_global_"
        assert loaded.config == {"hydra": {"sweeper": {"params": {"seed": "0,1"}}}}


def test_the_package_of_another_file_is_the_one_that_it_names(mine):
    (mine / "model" / "mine.yaml").write_text("\ufeff# @package trainer\nx: 1\n")
    (mine / "model" / "other.yaml").write_text("x: 1\n# @package trainer\n")
    source = Source("mine", f"file://{mine}")
    assert source.load_config("model/mine").header["package"] == "trainer"
    assert source.load_config("model/other").header["package"] is None


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"# @package sweep\nhydra: {}\n", "mine.yaml: `# @package sweep`, but a preset is about the whole config"),
        (b"# @package sweep of mine\n", "mine.yaml: Too many components"),
        (b"\xff\xfeh\x00", "mine.yaml is not UTF-8; save it as such"),
        (b"hydra: [\n", "mine.yaml: while parsing"),
    ],
)
def test_a_file_that_cannot_be_taken_at_its_word_is_named(content, expected, mine):
    (mine / "sweep" / "mine.yaml").write_bytes(content)
    with pytest.raises(ValueError, match=re.escape(expected)):
        Source("mine", f"file://{mine}").load_config("sweep/mine")
