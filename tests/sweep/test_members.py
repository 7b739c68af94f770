import json
import shutil

import pytest

from disent_runner.sweep.members import members_of


@pytest.fixture
def sweep(tmp_path):
    runs = [tmp_path / "outputs" / "blob" / "vae" / "0123abcd" / f"seed={seed}" for seed in (0, 1)]
    for run in runs:
        run.mkdir(parents=True)
    folder = tmp_path / "outputs" / "sweeps" / "89ab"
    write(folder, [str(run) for run in runs])
    return folder


def write(folder, runs):
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "sweep.json").write_text(json.dumps({"runs": [{"folder": run} for run in runs]}))


def test_the_runs_are_those_that_it_names(sweep, tmp_path):
    assert [run.name for run in members_of(sweep)] == ["seed=0", "seed=1"]
    assert members_of(tmp_path) == []


def test_they_are_found_where_the_outputs_were_moved(sweep, tmp_path):
    shutil.move(tmp_path / "outputs", tmp_path / "moved")
    moved = members_of(tmp_path / "moved" / "sweeps" / "89ab")
    assert moved == [tmp_path / "moved" / "blob" / "vae" / "0123abcd" / f"seed={seed}" for seed in (0, 1)]


@pytest.mark.parametrize("place", ["/etc", "outputs/../../etc", "nothing/like/it"])
def test_one_that_was_sent_leads_nowhere_else(sweep, tmp_path, place):
    (tmp_path / "etc").mkdir()
    write(sweep, [place])
    with pytest.raises(ValueError, match="name the folders of its runs instead"):
        members_of(sweep)


@pytest.mark.parametrize("text", ["{", "[]", '{"runs": 3}', '{"runs": [{}]}'])
def test_a_damaged_one_is_named(sweep, text):
    (sweep / "sweep.json").write_text(text)
    with pytest.raises(ValueError, match="damaged"):
        members_of(sweep)
