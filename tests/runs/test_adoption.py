import hashlib
import shutil

import pytest
from omegaconf import OmegaConf

from disent_runner.assembly.recall import recalled
from disent_runner.runs.adoption import adopt
from disent_runner.runs.checkpoint_files import checkpoint_path
from disent_runner.runs.checkpoints import load_newest_checkpoint
from disent_runner.runs.scores import numbers
from disent_runner.stages.job import run_job


@pytest.fixture
def theirs(composed, tmp_path):
    run_job(composed("model=pca", "metric=[mig]", "stages=[fit,evaluate]"), tmp_path / "theirs")
    return tmp_path / "theirs"


def contents(folder):
    return {path.name: hashlib.sha256(path.read_bytes()).digest() for path in folder.rglob("*") if path.is_file()}


def test_a_run_in_a_folder_to_be_read_only_goes_on_in_one_s_own(theirs, composed, tmp_path):
    before, mine = contents(theirs), tmp_path / "mine"
    asked = composed("metric=[mig,sap]", "figure=[reconstructions]")  # with fit, which has nothing left to do
    asked.run = str(theirs)
    run_job(recalled(asked, []), mine)
    assert contents(theirs) == before
    assert contents(mine).items() >= {name: before[name] for name in ("config.yaml", "codes.h5")}.items()
    assert numbers(mine)["mig"] == numbers(theirs)["mig"]
    assert "sap" in numbers(mine)
    assert (mine / "figures" / "reconstructions.png").exists()
    (theirs / "metrics.json").write_text("[")
    shutil.rmtree(mine)
    adopt(theirs, mine)
    assert not (mine / "metrics.json").exists()
    assert load_newest_checkpoint(mine) is not None


def test_what_is_another_run_stays_as_it_is(theirs, tmp_path):
    mine = tmp_path / "mine"
    adopt(theirs, mine)
    adopt(theirs, mine)
    checkpoint_path(mine, 0).write_bytes(b"other weights")
    with pytest.raises(ValueError, match=r"holds other weights of step=000000000 than .*; choose another output_root"):
        adopt(theirs, mine)
    record = OmegaConf.load(mine / "config.yaml")
    record.seed = 10
    OmegaConf.save(record, mine / "config.yaml")
    with pytest.raises(ValueError, match=r"holds the run \w+ seed=10, other than .*; choose another output_root"):
        adopt(theirs, mine)
