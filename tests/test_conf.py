"""Contracts that enumerate conf/: whatever is added there is tested without an edit here."""

import ast
import math
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from omegaconf import OmegaConf

from disent_runner.assembly import build
from disent_runner.assembly.conf import CONF
from disent_runner.assembly.conf import choices as names
from disent_runner.commands.help import describe
from disent_runner.representations.encoding import encode_once
from disent_runner.representations.representation import Representation
from disent_runner.representations.requirements import NotApplicable
from disent_runner.stages.fit import fit
from tests.metrics.test_contract import SMALL

ROOT = Path(__file__).parents[1]
FILES = sorted(path for path in CONF.rglob("*.yaml") if "hydra" not in path.parts)
FOLDER = {"model": "models", "metric": "metrics", "dataset": "datasets", "network": "networks", "figure": "figures"}
FOLDER |= {"environment": "environments"}


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(CONF)))
def test_every_file_says_what_it_is(path):
    assert describe(path)


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(CONF)))
def test_every_target_has_its_module_and_its_test(path):
    for target in re.findall(r"_target_: (disent_runner\.[\w.]+)", path.read_text()):
        module = target.rpartition(".")[0].removeprefix("disent_runner.").replace(".", "/")
        assert (ROOT / "src" / "disent_runner" / f"{module}.py").exists(), target
        folder, _, name = module.rpartition("/")
        assert (ROOT / "tests" / folder / f"test_{name}.py").exists(), f"{target} has no test"


@pytest.mark.parametrize("group", FOLDER)
def test_files_and_modules_have_the_same_names(group):
    for name in names(group):
        text = (CONF / group / f"{name}.yaml").read_text()
        assert f"disent_runner.{FOLDER[group]}." in text


@pytest.mark.parametrize("group", ["metric", "figure"])
def test_every_setting_stands_in_the_yaml(group):
    """A keyword of an entry that its YAML leaves out would be a hidden default."""
    for name in names(group):
        (settings,) = OmegaConf.to_container(OmegaConf.load(CONF / group / f"{name}.yaml")).values()  # pyright: ignore
        module = ROOT / "src" / "disent_runner" / FOLDER[group] / f"{name}.py"
        tree = ast.parse(module.read_text())
        (entry,) = [node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name == name]
        keywords = {argument.arg for argument in entry.args.kwonlyargs} - {"rng"}
        assert keywords == settings.keys() - {"_target_", "_partial_"}, name


def test_all_metrics_are_all_that_have_a_file(composed):
    assert sorted(composed("metric=[all]").metric) == names("metric")


@pytest.mark.parametrize("preset", ["fast", "paper"])
def test_presets_choose_metrics(preset, composed):
    chosen = set(composed(f"metric=[{preset}]").metric)
    assert {"mig", "factor_vae_score", "sap"} <= chosen < set(names("metric"))


@pytest.mark.parametrize("name", names("metric"))
def test_every_metric_has_its_page(name):
    text = (ROOT / "docs" / "metrics" / f"{name}.md").read_text()
    for heading in ("## Definition", "## What it rewards and misses", "## Settings", "## Numbers", "## Cost"):
        assert heading in text, heading


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("name", names("metric"))
def test_every_metric_scores_a_run_or_says_what_it_lacks(name, composed, tmp_path_factory):
    """On a small untrained model, with its posteriors and its decoder, and with its codes alone."""
    config = composed("model=betavae", f"metric=[{name}]")
    config.metric[name].update({key: value for key, value in SMALL.items() if key in config.metric[name]})
    (entry,) = build.build_metrics(config).values()
    whole = _untrained_representation(composed, tmp_path_factory)
    for rep in (whole, Representation(whole.codes, whole.factors, whole.factor_sizes)):
        is_number_or_reason(name, entry, rep, NotApplicable)


_OF_ALL: list[Representation] = []


def _untrained_representation(composed, tmp_path_factory) -> Representation:
    """One for all metrics of a process."""
    if not _OF_ALL:
        config = composed("model=betavae")
        dataset = build.build_data(config).dataset
        folder, indices = tmp_path_factory.mktemp("codes"), np.arange(0, 4608, 3)
        encoded = encode_once(
            build.build_model(config, dataset.info), dataset, folder=folder, indices=indices, batch_size=256
        )
        _OF_ALL.append(encoded.representation)
    return _OF_ALL[0]


def is_number_or_reason(name: str, entry: Any, rep: Representation, expected: type[Exception]) -> None:
    """Finite floats, or an error that names the metric."""
    try:
        values = entry(rep, rng=np.random.default_rng(0))
    except expected as error:
        reason = error
    else:
        reason = None
        assert all(isinstance(value, float) and math.isfinite(value) for value in values.values()), values
    assert reason is None or str(reason).startswith(f"{name} needs "), reason


@pytest.mark.slow
@pytest.mark.parametrize("name", names("metric"))
@pytest.mark.parametrize(
    ("codes", "factors"),
    [
        pytest.param(np.eye(2), np.array([[0, 0], [1, 1]]), id="two images"),
        pytest.param(np.arange(64.0)[:, None], np.indices((8, 8)).reshape(2, -1).T, id="one latent"),
        pytest.param(np.ones((64, 3)), np.indices((8, 8)).reshape(2, -1).T, id="constant codes"),
        pytest.param(np.random.default_rng(0).random((64, 2)), np.zeros((64, 2), int), id="factors of one value"),
        pytest.param(np.random.default_rng(0).random((64, 2)), np.full((64, 1), -1), id="no label known"),
        pytest.param(np.random.default_rng(0).random((64, 2)), np.zeros((64, 0), int), id="no factors"),
        pytest.param(
            np.random.default_rng(0).random((90, 2)), np.random.default_rng(1).integers(0, 9, (90, 3)), id="no grid"
        ),
    ],
)
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_every_metric_has_a_number_or_a_reason_for_poor_input(name, codes, factors, composed):
    (entry,) = build.build_metrics(composed(f"metric=[{name}]")).values()
    sizes = tuple(max(1, int(values.max()) + 1) for values in factors.T)
    rep = Representation(codes, factors, sizes, logvar=np.full(codes.shape, -2.0))
    is_number_or_reason(name, entry, rep, ValueError)


@pytest.mark.parametrize("name", names("optimizer"))
def test_every_optimizer_takes_a_step(name, composed, tmp_path):
    config = composed("model=vae", f"optimizer={name}", "trainer.max_steps=1")
    datamodule = build.build_data(config)
    model = build.build_model(config, datamodule.dataset.info)
    before = [value.clone() for value in model.parameters()]
    fit(model, datamodule, folder=tmp_path, seed=0, accelerator="cpu", precision="32-true")
    assert not any(map(torch.equal, before, model.parameters()))


@pytest.mark.parametrize("name", names("schedule"))
def test_every_schedule_sets_the_learning_rate_to_the_end_of_a_run(name, untrained):
    model, batch = untrained("model=vae", f"schedule={name}", "trainer.max_steps=4", "optimizer.lr=0.5")
    for _ in range(4):
        model.training_step([batch], 0)
    assert 0 <= model.optimizer_of["model"].param_groups[0]["lr"] <= 0.5


@pytest.mark.parametrize("name", names("likelihood"))
def test_every_likelihood_trains(name, composed, tmp_path):
    config = composed("model=vae", f"likelihood={name}")
    datamodule = build.build_data(config)
    model = build.build_model(config, datamodule.dataset.info)
    fit(model, datamodule, folder=tmp_path, seed=0, accelerator="cpu", precision="32-true")
    assert model.step == config.trainer.max_steps
