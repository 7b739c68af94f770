import pytest
from omegaconf import OmegaConf

from disent_runner.assembly.build import build_metrics
from disent_runner.runs.score_rows import Making, Score
from disent_runner.runs.scores import write_scores
from disent_runner.sweep.objective import check_objective, objective


def score(name: str, value: float | None, step: int, codes: str) -> Score:
    made = Making("mig", {}, 0, step, "dsprites", "rendered", 64, codes, ("scale",), "0.1.0")
    return Score(name, None, value, None, None, made, skipped=None if value else "no codes")


def test_the_number_of_the_last_step_and_the_codes_asked_for(tmp_path):
    values = [(0.1, 4, "mean"), (0.2, 5, "mean"), (0.3, 5, "sampled")]
    write_scores(tmp_path, [*(score("mig", *value) for value in values), score("dci", None, 5, "mean")])
    config = OmegaConf.create({"objective": "mig", "representation": "mean", "factors": None})
    assert objective(config, tmp_path) == 0.2
    config.representation = "sampled"
    assert objective(config, tmp_path) == 0.3
    config.update(objective="dci", representation="mean")
    with pytest.raises(ValueError, match=r"objective=dci: .* has no number dci of mean codes; it has mig"):
        objective(config, tmp_path)
    (tmp_path / "metrics.json").unlink()
    with pytest.raises(ValueError, match="it has none, no metric was computed"):
        objective(config, tmp_path)


def test_a_search_the_wrong_way_is_refused_before_it_starts(composed):
    metrics = build_metrics(composed("metric=[mig,reconstruction]"))
    check_objective("mig", metrics, "maximize")
    with pytest.raises(
        ValueError, match=r"objective=mig is better when it is higher, .* add hydra.sweeper.direction=max"
    ):
        check_objective("mig", metrics, "minimize")
    check_objective("reconstruction", metrics, "minimize")
    with pytest.raises(ValueError, match="is better when it is lower"):
        check_objective("reconstruction", metrics, "maximize")
    with pytest.raises(ValueError, match="add objective=mig, or another number"):
        check_objective(None, metrics, "minimize")
