import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from disent_runner.study.claims import StudyRun
from disent_runner.study.study import by_setting, direction, judge, study

NODE = {
    "shows": "a larger β disentangles",
    "source": "Someone 2017, table 1",
    "scale": "smoke",
    "numbers": {"MIG": "mig", "DCI": "dci"},
    "published": {"betavae beta=4": {"MIG": "0.5 ± 0.1"}},
    "claims": {
        "more": {
            "less": {"number": "mig", "where": {"model": "vae"}},
            "than": {"number": "mig", "where": {"model": "betavae", "model.beta": 4}},
        }
    },
    "pictures": ["samples", "absent"],
}


def runs(root: Path) -> list[StudyRun]:
    found = []
    for model, own, value in (
        ("vae", {}, 0.2),
        ("betavae", {"model.beta": "4"}, 0.4),
        ("betavae", {"model.beta": "8"}, 0.3),
    ):
        for seed in (0, 1):
            folder = root / model / "".join(own.values()) / f"seed={seed}"
            (folder / "figures").mkdir(parents=True)
            (folder / "metrics.json").write_text(json.dumps([{"name": "mig", "value": value + 0.1 * seed, "step": 1}]))
            Image.new("RGB", (30, 10), "red" if model == "vae" else "blue").save(folder / "figures" / "samples.png")
            found.append(StudyRun(folder, seed, {"model": model, **own, "network": "tiny", "seed": str(seed)}))
    return found


def test_the_verdict_the_table_and_the_pictures_of_a_study(tmp_path):
    verdict = judge(study(NODE), runs(tmp_path), tmp_path / "study", experiment="someone2017/table")
    assert verdict == json.loads((tmp_path / "study" / "verdict.json").read_text())
    assert verdict["experiment"] == "someone2017/table"
    assert verdict["scale"] == "smoke"
    assert verdict["direction_holds"] is True
    assert verdict["claims"]["more"]["gain"]["mean"] == pytest.approx(0.2)
    assert len(verdict["runs"]) == 6
    assert (tmp_path / "study" / "table.md").read_text() == (
        "a larger β disentangles (Someone 2017, table 1), smoke size\n\n"
        "| setting | MIG | published | DCI | n |\n"
        "| --- | --- | --- | --- | --- |\n"
        "| vae | 0.250 ± 0.071 |  | – | 2 |\n"
        "| betavae beta=4 | 0.450 ± 0.071 | 0.5 ± 0.1 | – | 2 |\n"
        "| betavae beta=8 | 0.350 ± 0.071 |  | – | 2 |\n"
    )
    picture = np.asarray(Image.open(tmp_path / "study" / "samples.png"))
    reds = (picture == [255, 0, 0]).all(-1).sum()
    blues = (picture == [0, 0, 255]).all(-1).sum()
    assert (reds, blues) == (300, 600)  # one of each setting
    assert not (tmp_path / "study" / "absent.png").exists()


@pytest.mark.parametrize(
    ("holds", "expected"),
    [([True, True], True), ([True, False, None], False), ([True, None], "n/a"), ([], "n/a")],
)
def test_the_direction_holds_when_every_claim_does(holds, expected):
    assert direction(holds) == expected


def test_labels_name_what_tells_settings_apart(tmp_path):
    def labels(*overrides: dict[str, str]) -> list[str]:
        return list(by_setting([StudyRun(tmp_path, 0, each) for each in overrides]))

    assert labels({"model": "vae", "network": "tiny"}, {"model": "pca", "network": "tiny"}) == ["vae", "pca"]
    assert labels({"model": "vae"}, {"model": "dcign", "metric.x": "1"}) == ["vae", "dcign"]
    assert labels({"model": "vae"}, {"model": "vae", "dataset.grey": "true"}) == ["vae", "vae dataset.grey=true"]
    assert labels({"model": "vae", "network": "tiny"}) == ["vae"]
    assert labels({"network": "tiny"}) == ["all runs"]
    assert labels({"model.beta": "1", "joint": "null"}, {"model.beta": "4", "joint": "null"}) == ["beta=1", "beta=4"]


def test_a_claim_that_a_recipe_takes_back_is_none():
    assert study({**NODE, "claims": {"more": None}}).claims == {}


@pytest.mark.parametrize(
    ("change", "message"),
    [({"scale": "large"}, "study.scale must be paper or smoke, got 'large'"), ({"title": "x"}, "unexpected keyword")],
)
def test_mistakes_in_a_recipe(change, message):
    with pytest.raises(ValueError, match=message):
        study({**NODE, **change})
