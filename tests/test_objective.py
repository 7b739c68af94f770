import json

import pytest
from omegaconf import OmegaConf

from disent_runner.objective import check_objective, objective


def test_the_number_of_the_last_step_and_the_codes_asked_for(tmp_path):
    rows = [
        {"name": "mig", "value": value, "step": step, "representation": codes}
        for value, step, codes in [(0.1, 4, "mean"), (0.2, 5, "mean"), (0.3, 5, "sampled")]
    ]
    (tmp_path / "metrics.json").write_text(json.dumps([*rows, {**rows[1], "name": "dci", "value": None}]))
    config = OmegaConf.create({"objective": "mig", "representation": "mean"})
    assert objective(config, tmp_path) == 0.2
    config.representation = "sampled"
    assert objective(config, tmp_path) == 0.3
    config.update(objective="dci", representation="mean")
    with pytest.raises(ValueError, match="objective=dci: the run has no such number; it has mig"):
        objective(config, tmp_path)
    (tmp_path / "metrics.json").unlink()
    with pytest.raises(ValueError, match="it has none, no metric was computed"):
        objective(config, tmp_path)


def test_a_search_the_wrong_way_is_refused_before_it_starts(composed):
    config = composed("metric=[mig,reconstruction]", "objective=mig")
    check_objective(config, "maximize")
    with pytest.raises(
        ValueError, match=r"objective=mig is better when it is higher, .* add hydra.sweeper.direction=max"
    ):
        check_objective(config, "minimize")
    config.objective = "reconstruction"
    check_objective(config, "minimize")
    with pytest.raises(ValueError, match="is better when it is lower"):
        check_objective(config, "maximize")
    config.objective = None
    with pytest.raises(ValueError, match="add objective=mig, or another number"):
        check_objective(config, "minimize")
