"""Contracts that enumerate conf/: whatever is added there is tested without an edit here."""

import ast
import re
from pathlib import Path

import pytest
import torch
from omegaconf import OmegaConf

from disent_runner import build
from disent_runner.cli import CONF
from disent_runner.cli_help import describe
from disent_runner.fit import fit

ROOT = Path(__file__).parents[1]
FILES = sorted(path for path in CONF.rglob("*.yaml") if "hydra" not in path.parts)
FOLDER = {"model": "models", "metric": "metrics", "dataset": "datasets", "network": "networks", "figure": "figures"}


def names(group: str) -> list[str]:
    return sorted(path.stem for path in (CONF / group).glob("*.yaml"))


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


@pytest.mark.parametrize("name", names("model"))
def test_every_parameter_of_every_model_learns(name, composed, tmp_path):
    config = composed(f"model={name}", "trainer.max_steps=3")
    datamodule = build.build_data(config)
    model = build.build_model(config, datamodule.dataset.info)
    before = {key: value.clone() for key, value in model.named_parameters()}
    fit(model, datamodule, folder=tmp_path, seed=0, accelerator="cpu", precision="32-true")
    frozen = [key for key, value in model.named_parameters() if torch.equal(value, before[key])]
    assert not frozen
    assert model.step == 3


@pytest.mark.parametrize("name", names("model"))
def test_every_model_encodes_and_decodes(name, composed):
    config = composed(f"model={name}")
    datamodule = build.build_data(config)
    model = build.build_model(config, datamodule.dataset.info)
    images = datamodule.dataset.gather(torch.arange(4))
    mean, logvar = model.encode(images)
    decoded = model.decode(mean)
    assert mean.shape == logvar.shape == (4, config.model.latent_dim)
    assert decoded.shape == images.shape
    assert decoded.min() >= 0
    assert decoded.max() <= 1


@pytest.mark.parametrize("name", names("optimizer"))
def test_every_optimizer_takes_a_step(name, composed, tmp_path):
    config = composed("model=vae", f"optimizer={name}", "trainer.max_steps=1")
    datamodule = build.build_data(config)
    model = build.build_model(config, datamodule.dataset.info)
    before = [value.clone() for value in model.parameters()]
    fit(model, datamodule, folder=tmp_path, seed=0, accelerator="cpu", precision="32-true")
    assert not any(map(torch.equal, before, model.parameters()))


@pytest.mark.parametrize("name", names("likelihood"))
def test_every_likelihood_trains(name, composed, tmp_path):
    config = composed("model=vae", f"likelihood={name}")
    datamodule = build.build_data(config)
    model = build.build_model(config, datamodule.dataset.info)
    fit(model, datamodule, folder=tmp_path, seed=0, accelerator="cpu", precision="32-true")
    assert model.step == config.trainer.max_steps
