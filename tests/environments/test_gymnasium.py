import re
import sys

import numpy as np
import pytest

from disent_runner.environments.gymnasium import gymnasium


def test_a_minigrid_is_seen_whole_and_in_colour():
    many = gymnasium(2, id="MiniGrid-Empty-5x5-v0", tile_size=8, settings={})
    images, _ = many.reset(seed=0)
    assert (images.shape, images.dtype) == ((2, 40, 40, 3), np.uint8)
    assert len(np.unique(images.reshape(-1, 3), axis=0)) > 3
    again, _ = many.reset(seed=0)
    np.testing.assert_array_equal(images, again)
    over = [many.step(np.array([2, 0]))[4] for _ in range(100)]  # forward; left
    assert "final_obs" in over[-1]  # 100 steps are a MiniGrid's end, and the next begins in the same step
    larger = gymnasium(1, id="MiniGrid-Empty-5x5-v0", tile_size=4, settings={"size": 8})
    assert larger.reset(seed=0)[0].shape == (1, 32, 32, 3)


def test_ours_by_their_ids_as_well():
    many = gymnasium(2, id="disent_runner/ToyArena-v0", settings={"domain": "target"})
    images, infos = many.reset(seed=0)
    assert images.shape == (2, 32, 32, 3)
    assert infos["factors"].shape == (2, 23)


@pytest.mark.parametrize(
    ("id", "said"),
    [
        ("MiniGrid-Empty-5x6-v0", "no such environment is registered, did you mean MiniGrid-Empty-6x6-v0 or "),
        ("CartPole", "did you mean CartPole-v1 or "),
        ("qqqqqqqq", r"no such environment is registered; \d+ are, such as "),
        ("os:Id-v0", "a module named in an id is not imported; expected an id alone"),
        ("CartPole-v1", r"its observations are Box\(.*\(4,\), float32\), expected uint8 images of"),
        ("FrozenLake-v1", r"its observations are Discrete\(16\), expected uint8 images of"),
        ("CarRacing-v3", "Box2D is not installed, you can install it by "),
    ],
)
def test_ids_that_do_not_do(id, said):
    with pytest.raises(ValueError, match=f"^environment.id={re.escape(id)}: .*{said}") as raised:
        gymnasium(id=id, settings={})
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize(("id", "module", "package"), [("MiniGrid-Empty-5x5-v0", "minigrid", "minigrid")])
def test_a_package_that_is_not_there(id, module, package, monkeypatch):
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(ValueError, match=f"^environment.id={id} needs {package}: pip install {package}$"):
        gymnasium(id=id, settings={})


def test_settings_that_the_environment_does_not_know():
    with pytest.raises(ValueError, match=r"^environment.id=MiniGrid-Empty-5x5-v0: .*unexpected keyword argument 'siz'"):
        gymnasium(id="MiniGrid-Empty-5x5-v0", settings={"siz": 8})


def test_a_module_named_in_an_id_is_not_imported(tmp_path, monkeypatch):
    (tmp_path / "evil_environments.py").write_text("raise SystemExit('imported')")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(ValueError, match="is not imported"):
        gymnasium(id="evil_environments:CartPole-v1", settings={})
