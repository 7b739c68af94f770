"""What someone sends is opened, and nothing that it names is run."""

import sys

import pytest
import yaml
from omegaconf import OmegaConf

import disent_runner
from disent_runner.assembly.conf import CONF, choices
from disent_runner.assembly.own_classes import targets
from disent_runner.assembly.recall import recalled
from disent_runner.assembly.recorded import belongs, recorded_config
from tests.report.folders import composed, write_run

COMMAND = "touch pwned"
CALLED = {
    "torch.load": {"f": "pwned", "weights_only": False},
    "torch.hub.load": {"repo_or_dir": ".", "model": "evil", "source": "local", "trust_repo": True},
    "torch.save": {"obj": 1, "f": "pwned"},
    "torch.serialization.load": {"f": "pwned"},
    "torch.utils.cpp_extension.load": {"name": "evil", "sources": ["evil.cpp"]},
    "torch.jit.load": {"f": "pwned"},
    "numpy.load": {"file": "pwned", "allow_pickle": True},
    "numpy.save": {"file": "pwned", "arr": [1]},
    "joblib.load": {"filename": "pwned"},
    "joblib.dump": {"value": 1, "filename": "pwned"},
    "pandas.read_pickle": {"filepath_or_buffer": "pwned"},
    "pandas.eval": {"expr": "1"},
    "sympy.sympify": {"a": f"__import__('os').system('{COMMAND}')"},
    "shutil.copyfile": {"src": "config.yaml", "dst": "pwned"},
    "shutil.rmtree": {"path": "folder"},
    "os.makedirs": {"name": "pwned"},
    "os.system": {"command": COMMAND},
    "os.remove": {"path": "config.yaml"},
    "posix.system": {"command": COMMAND},
    "subprocess.run": {"args": COMMAND, "shell": True},
    "subprocess.Popen": {"args": COMMAND, "shell": True},
    "builtins.eval": {"_args_": [f"__import__('os').system('{COMMAND}')"]},
    "builtins.exec": {"_args_": [f"__import__('os').system('{COMMAND}')"]},
    "builtins.open": {"file": "pwned", "mode": "w"},
    "importlib.import_module": {"name": "evil"},
    "runpy.run_path": {"path_name": "evil.py"},
    "hydra.utils.get_method": {"path": "os.system"},
    "hydra.utils.instantiate": {"config": {"_target_": "os.system", "command": COMMAND}},
    "ctypes.CDLL": {"name": "evil.so"},
    "functools.partial": {"_args_": [{"_target_": "builtins.open", "file": "pwned", "mode": "w"}]},
    "pickle.loads": {"data": "cos\nsystem\n(S'touch pwned'\ntR."},
    "webbrowser.open": {"url": "file:pwned"},
    "logging.FileHandler": {"filename": "pwned"},
    "logging.config.dictConfig": {"config": {}},
    "pathlib.Path.write_text": {"self": "pwned", "data": "x"},
    "evil.Model": {},
    "evil": {},
    "disent_runner.machine.files.write_whole": {"path": "pwned", "content": "x"},
    "disent_runner.data_folder.exporting.export": {"path": "pwned"},
    "disent_runner.runs.checkpoints.load_checkpoint": {"path": "pwned"},
    "disent_runner.runs.record.subprocess.run": {"args": COMMAND, "shell": True},
    "disent_runner.__main__.run": {},
    "disent_runner.datasets.load.load": {"card": None, "data_dir": "pwned"},
    "disent_runner.datasets.images.image_cache.write_cache": {"path": "pwned"},
    "disent_runner.models.base.torch.load": {"f": "pwned"},
    "disent_runner.models.vae.L.LightningModule.load_from_checkpoint": {"checkpoint_path": "pwned"},
    "disent_runner.models.base.AbstractModel.load_from_checkpoint": {"checkpoint_path": "pwned"},
    "disent_runner.networks.tiny.nn.Module": {},
    "disent_runner.losses.likelihoods.torch.save": {"obj": 1, "f": "pwned"},
    "disent_runner.models./../../../evil.Model": {},
    "disent_runner.modelsevil.Model": {},
    "torch.optim.lr_scheduler.warnings.warn": {"message": "pwned"},
    "torch.optim.optimizer.functools.partial": {"_args_": ["pwned"]},
    "torch.optim.optimizer.register_optimizer_step_pre_hook": {"hook": None},
    "torch.optim.swa_utils.update_bn": {"loader": [], "model": None},
    "torch.optim.Adam.load_state_dict": {},
}
"""The issue's list, some of the same kinds, and ways to other things through what may be named."""
PLACES = {
    "model": lambda record, node: record.update(model=node),
    "model, of which it is a setting": lambda record, node: record["model"].update(latent_dim=node),
    "model, deep in lists": lambda record, node: record["model"].update(note=[[{"a": [node]}]]),
    "model, not to be called yet": lambda record, node: record["model"].update(encoder={**node, "_partial_": True}),
    "model, below what is not recursive": lambda record, node: record["model"].update(x=node, _recursive_=False),
    "arguments": lambda record, node: record["model"].update(_args_=[node]),
    "card": lambda record, node: record["dataset"].update(card=node),
    "card, inside": lambda record, node: record["dataset"]["card"].update(npz=node),
    "split": lambda record, node: record["dataset"].update(split=node),
    "joint": lambda record, node: record["dataset"].update(joint=node),
    "subset": lambda record, node: record["dataset"].update(subset=node),
    "optimizer": lambda record, node: record["model"].update(optimizer={**node, "_partial_": True}),
    "trainer": lambda record, node: record["trainer"].update(max_steps=node),
    "evaluation": lambda record, node: record["evaluation"].update(num_images=node),
    "network": lambda record, node: record["network"].update(encoder=node),
    "likelihood": lambda record, node: record.update(likelihood=node),
    "init": lambda record, node: record.update(init=node),
    "environment": lambda record, node: record["model"].update(environment={**node, "_partial_": True}),
    "environment of frames": lambda record, node: record["dataset"]["card"].update(environment=node),
}


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A run folder in an empty working directory, beside a module that tells when it is imported."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "evil.py").write_text("open('pwned', 'w')\n")
    (tmp_path / "folder").mkdir()
    return write_run(tmp_path / "run")


def rewritten(folder, change) -> None:
    path = folder / "config.yaml"
    record = yaml.load(path.read_text(), yaml.CSafeLoader)
    change(record)
    path.write_text(yaml.dump(record, Dumper=yaml.CSafeDumper))


def refusal(call) -> str:
    with pytest.raises(ValueError, match="not disent-runner's own") as refused:
        call()
    assert str(refused.value).endswith("trust=true runs that")
    assert "\n" not in str(refused.value)
    return str(refused.value)


def _asked(folder, **changes):
    config = composed("model=betavae").copy()
    config.update({"run": str(folder), **changes})
    return config


@pytest.mark.parametrize("target", CALLED)
def test_what_a_recorded_config_names_is_not_run(folder, tmp_path, target):
    before = sorted(tmp_path.rglob("*"))
    content = (folder / "config.yaml").read_text()
    for place in PLACES if target == "os.system" else ("model", "card"):
        (folder / "config.yaml").write_text(content)
        rewritten(folder, lambda record, put=PLACES[place]: put(record, {"_target_": target, **CALLED[target]}))
        assert f"{target} (" in refusal(lambda: disent_runner.load(folder)), place
    assert sorted(tmp_path.rglob("*")) == before
    assert "evil" not in sys.modules


def test_nor_is_it_by_a_command(folder):
    rewritten(folder, lambda record: record["dataset"].update(card={"_target_": "os.getcwd"}))
    assert "os.getcwd (dataset.card)" in refusal(lambda: recalled(_asked(folder), []))


def test_a_target_that_is_no_text_is_refused(folder):
    rewritten(folder, lambda record: record["model"].update(_target_={"_target_": "os.getcwd"}))
    assert "os.getcwd (model._target_)" in refusal(lambda: disent_runner.load(folder))


@pytest.mark.parametrize("part", ["model", "dataset", "optimizer", "network", "init", "likelihood"])
def test_all_that_is_ours_is_not_refused(part):
    """Every choice of the config groups, where it stands in a run's config."""
    for name in choices(part):
        node = OmegaConf.to_container(OmegaConf.load(CONF / part / f"{name}.yaml"))
        assert [named for named in targets(node, part) if not belongs(*named)] == [], name


@pytest.mark.parametrize("part", ["split", "joint"])
def test_nor_is_what_is_held_out_or_weighted(part):
    for name in choices(part):
        node = OmegaConf.to_container(OmegaConf.load(CONF / part / f"{name}.yaml"))
        assert [named for named in targets(node, f"dataset.{part}") if not belongs(*named)] == [], name


@pytest.mark.parametrize("place", ["model.environment", "dataset.environment", "dataset.card.environment"])
def test_environments_are_named_where_they_belong_and_nowhere_else(place):
    for name in choices("environment"):
        node = OmegaConf.to_container(OmegaConf.load(CONF / "environment" / f"{name}.yaml"))
        for _, target in targets(node, place):
            assert belongs(place, target)
            assert not belongs("model.encoder", target)
            assert not belongs("dataset.card", target)
    rooms = "disent_runner.environments"
    for other in (
        "registered.register",
        "extra.needs_agents",
        "icf_grid.IcfGrid",
        "world.world_of",
        "gymnasium.partial",
    ):
        assert not belongs(place, f"{rooms}.{other}")


def test_whoever_trusts_a_folder_gets_what_it_names(folder):
    rewritten(folder, lambda record: record["dataset"].update(card={"_target_": "os.getcwd"}))
    assert recorded_config(folder, trust=True).dataset.card == {"_target_": "os.getcwd"}
    assert recalled(_asked(folder, trust=True), []).dataset.card._target_ == "os.getcwd"


@pytest.mark.parametrize("trust", [False, True])
@pytest.mark.parametrize("asked", ["${oc.env:HOME}", "x${oc.decode:1}", "${seed}", "${hydra:runtime.cwd}", "\\${a}"])
def test_what_a_run_is_made_from_asks_for_nothing(folder, asked, trust):
    rewritten(folder, lambda record: record["model"].update(latent_dim=asked))
    with pytest.raises(ValueError, match=r"model holds .* what was recorded is not resolved"):
        recorded_config(folder, trust=trust)


def test_elsewhere_that_is_text(folder, monkeypatch):
    monkeypatch.setenv("SECRET", "hunter2")
    asked = ["${oc.env:SECRET}", "\\${oc.env:SECRET}", "\\\\${oc.env:SECRET}", "${oc.decode:${oc.env:SECRET}}", "a\\b"]
    rewritten(folder, lambda record: record.update(note=asked))
    assert list(recorded_config(folder, trust=False).note) == asked


@pytest.mark.parametrize("key", ["model", "dataset", "seed"])
def test_a_config_of_something_else_is_refused(folder, key):
    rewritten(folder, lambda record: record.pop(key))
    with pytest.raises(ValueError, match=f"config.yaml of .* is none of a run: .*{key}"):
        recorded_config(folder, trust=False)


def test_a_config_that_does_not_say_what_was_trained_on_is_refused(folder):
    rewritten(folder, lambda record: record.pop("run"))
    with pytest.raises(ValueError, match=r"the part `run` of config\.yaml is damaged"):
        disent_runner.load(folder)
