from pathlib import Path

import pytest
import torch

from disent_runner.runs.lineage import (
    Parent,
    check_parents,
    facts_of,
    folder_of,
    is_trained,
    named_parents,
    weights_hash,
)

WAS = Parent(id="0a1b2c3d", seed=1, step=5, weights="f" * 64)


def test_weights_are_known_by_names_shapes_types_and_bytes():
    state = {"a": torch.arange(4.0), "b": torch.ones(2, dtype=torch.int64)}
    same = {"b": torch.ones(2, dtype=torch.int64), "a": torch.arange(8.0)[::2] / 2}
    assert weights_hash(state) == weights_hash(same)
    others = [
        {**state, "a": torch.tensor([0.0, 1.0, 2.0, 3.0000002])},
        {**state, "a": torch.arange(4.0).reshape(2, 2)},
        {**state, "a": torch.arange(4.0).double()},
        {"a": state["a"], "c": state["b"]},
        {**state, "a": torch.tensor([-0.0, 1, 2, 3])},
        {},
    ]
    hashes = {weights_hash(state), *map(weights_hash, others)}
    assert len(hashes) == 1 + len(others)


def test_weights_in_half_precision_and_without_dimensions_have_a_hash():
    assert weights_hash({"a": torch.ones((), dtype=torch.bfloat16)}) != weights_hash({"a": torch.zeros(())})


def test_parents_are_parts_of_a_model_that_name_a_run():
    vision = {"run": None, "overrides": ["model=vae"]}
    assert named_parents({"beta": 1, "vision": vision, "encoder": {"_target_": "x", "run": 3}}) == {"vision": vision}
    assert named_parents(None) == named_parents({}) == {}


@pytest.mark.parametrize("change", [{"seed": 2}, {"step": 6}, {"weights": "0" * 64}, {"id": "ffffffff"}])
def test_a_run_whose_parent_changed_is_refused(change):
    recorded = {"parents": {"vision": {**vars(WAS), "settings": {}}}}
    check_parents(recorded, {"vision": WAS}, Path("child"))
    with pytest.raises(
        ValueError, match=r"^child stands on vision 0a1b2c3d seed=1 at step 5 with weights ffffffff…, w"
    ):
        check_parents(recorded, {"vision": Parent(**{**vars(WAS), **change})}, Path("child"))


def test_a_run_that_begins_has_any_parents():
    for before in ({}, {"parents": None}, {"parents": {"dae": {}}}, {"parents": "damaged"}):
        check_parents(before, {"vision": WAS}, Path("child"))


def recorded(folder: Path, *, step: int, max_steps: int = 10, own_id: str = "0a1b2c3d") -> Path:
    (folder / "checkpoints").mkdir(parents=True)
    (folder / "checkpoints" / f"step={step:09d}.pt").touch()
    (folder / "config.yaml").write_text(f"seed: 2\ntrainer: {{max_steps: {max_steps}}}\nrun: {{id: {own_id}}}\n")
    return folder


def test_a_finished_run_is_known_by_its_id_and_seed(tmp_path):
    folder = recorded(tmp_path / "run", step=10)
    facts = {"id": "0a1b2c3d", "seed": 2, "step": None}
    assert facts_of("vision", str(folder)) == facts
    assert facts_of("vision", str(folder / "checkpoints" / "step=000000010.pt")) == facts
    (folder / "checkpoints" / "step=000000005.pt").touch()
    assert facts_of("vision", str(folder / "checkpoints" / "step=000000005.pt")) == {**facts, "step": 5}


def test_a_model_without_steps_is_finished_at_once(tmp_path):
    assert facts_of("vision", str(recorded(tmp_path / "run", step=0)))["step"] is None


def test_what_cannot_be_stood_on_is_one_line(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"vision\.run=.*: no run there; name a folder that holds config.yaml"):
        facts_of("vision", str(tmp_path))
    folder = recorded(tmp_path / "half", step=4)
    with pytest.raises(ValueError, match="its training is at step 4 of 10; type its command again, which goes on"):
        facts_of("vision", str(folder))
    (folder / "checkpoints" / "step=000000004.pt").unlink()
    with pytest.raises(ValueError, match="nothing was trained there; name the folder of a trained run"):
        facts_of("vision", str(folder))
    assert not is_trained("vision", {"run": None, "folder": str(folder), "id": "0a1b2c3d"})


def test_a_parent_is_found_where_it_was_or_beside_its_child_that_was_moved(tmp_path):
    place = Path("toylab8/vae/0a1b2c3d/seed=2")
    child = tmp_path / "new" / "toylab8/scan/ffffffff/seed=2"
    node = {"run": None, "overrides": [], "folder": str(tmp_path / "old" / place), "id": "0a1b2c3d"}
    with pytest.raises(FileNotFoundError, match=r"vision: there is no run in .*old.*put it back, or type the command"):
        folder_of("vision", node, child=child)
    moved = recorded(tmp_path / "new" / place, step=10)
    assert folder_of("vision", node, child=child) == moved
    by_file = {**node, "run": f"{node['folder']}/checkpoints/step=000000010.pt"}
    assert folder_of("vision", by_file, child=child) == moved / "checkpoints" / "step=000000010.pt"
    old = recorded(tmp_path / "old" / place, step=10)
    assert folder_of("vision", node, child=child) == old


def test_another_run_in_its_place_is_refused(tmp_path):
    folder = recorded(tmp_path / "run", step=10, own_id="ffffffff")
    with pytest.raises(ValueError, match=r"vision: .* holds the run ffffffff seed=2, expected 0a1b2c3d"):
        folder_of("vision", {"run": None, "overrides": [], "folder": str(folder), "id": "0a1b2c3d"})
