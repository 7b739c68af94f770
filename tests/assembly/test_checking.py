"""What is typed is held against what was declared, in process: nothing is opened, no command is started."""

import copy
import math
import operator
import re
import sys
from functools import cache, reduce
from typing import Any

import pytest
from hydra import compose, initialize_config_dir
from hydra.errors import HydraException
from omegaconf import DictConfig, OmegaConf

from disent_runner.assembly import schema
from disent_runner.assembly.checking import check, hints, mistakes
from disent_runner.assembly.conf import CONF, choices
from disent_runner.assembly.declared import signature_of
from disent_runner.assembly.kinds import described
from disent_runner.assembly.loader import parsed
from disent_runner.assembly.overrides import check_typed

WRONG: dict[str, Any] = {
    **{"abc": "abc", "true": True, "-1": -1, "nan": math.nan, "inf": math.inf, "2.5": 2.5},
    **{"[1, 2]": [1, 2], "{a: 1}": {"a": 1}, "null": None, "huge": 10**12, "empty": ""},
}
PRIMARY = (CONF / "run.yaml").read_text(encoding="utf-8")


@cache
def _composed(*overrides: str, with_hydra: bool = False) -> DictConfig:
    with initialize_config_dir(version_base="1.3", config_dir=str(CONF)):
        return compose("run", overrides=list(overrides), return_hydra_config=with_hydra)


@cache
def _plain(*overrides: str) -> tuple[Any, Any]:
    """The config as it stands, and resolved."""
    config = OmegaConf.masked_copy(
        _composed(*overrides), [str(key) for key in _composed(*overrides) if key != "logger"]
    )
    return OmegaConf.to_container(config), OmegaConf.to_container(config, resolve=True)


def refusal(key: str, value: Any, *overrides: str) -> str | None:
    """What is said of the value; the composed config, which copying would take longer than checking, is put back."""
    *parts, last = key.split(".")
    roots = _plain(*overrides)
    nodes = [reduce(operator.getitem, parts, root) for root in roots]
    before = [dict(node) for node in nodes]
    for node in nodes:
        node[last] = value
    try:
        return next(mistakes(roots[1], roots[0]), None)
    finally:
        for node, kept in zip(nodes, before, strict=True):
            node.clear()
            node.update(kept)


def settings(node: Any, place: str) -> list[tuple[str, Any]]:
    """Key and value of every setting in a part of the config."""
    return [
        found
        for key, value in node.items()
        for found in (settings(value, f"{place}.{key}") if isinstance(value, dict) else [(f"{place}.{key}", value)])
        if not str(key).startswith("_")
    ]


@pytest.mark.parametrize("section", ["metric", "figure", "trainer", "evaluation"])
def test_every_setting_has_values_that_are_refused_by_its_name(section):
    """No setting takes everything: of text, truth, an infinity and a mapping it takes two at most."""
    overrides = (f"figure=[{','.join(choices('figure'))}]",) if section == "figure" else ()
    found = settings(OmegaConf.to_container(_composed(*overrides)[section]), section)
    assert found
    for key, _ in found:
        said = [refusal(key, WRONG[name], *overrides) for name in ("abc", "true", "inf", "{a: 1}")]
        told = [line for line in said if line is not None]
        assert len(told) >= 2, key
        assert all(line.startswith(f"{key}") and "\n" not in line for line in told), told


@pytest.mark.parametrize(
    ("key", "wrong"),
    [
        ("dataset.batch_size", "abc true -1 nan inf 2.5 [1, 2] {a: 1} null huge empty"),
        ("dataset.grey", "abc -1 nan 2.5 [1, 2] {a: 1} null"),
        ("dataset.dequantize", "abc -1 null"),
        ("dataset.crop", "abc true -1 2.5"),
        ("dataset.subset", "abc -1 true [1, 2]"),
        ("seed", "abc true -1 nan 2.5 null huge"),
        ("stages", "abc null [1, 2] true"),
        ("data_dir", "null empty"),
        ("factors", "abc [1, 2] true"),
        ("objective", "[1, 2] true empty"),
        ("representation", "null"),
        ("trainer.max_steps", "abc true -1 2.5 null huge"),
        ("trainer.data_on_device", "abc null"),
        ("evaluation.batch_size", "-1 2.5 null"),
        ("optimizer.lr", "abc true -1 nan inf null"),
        ("optimizer.betas", "2.5 null [1, 2]"),
        ("model.gamma", "abc true -1 nan inf [1, 2] {a: 1} null"),
        ("model.discriminator.width", "-1 2.5 null"),
        ("network.encoder", "abc -1 null"),
        ("metric.mig.num_bins", "abc -1 2.5 null"),
        ("figure.traversals.limit", "abc -1 nan"),
    ],
)
def test_values_without_a_meaning_are_one_line_with_the_key(key, wrong):
    for name in re.findall(r"\[1, 2\]|\{a: 1\}|\S+", wrong):
        said = refusal(key, WRONG[name])
        assert said is not None, f"{key}={name} was taken"
        assert said.startswith(f"{key}"), said
        assert "expected" in said, said


@pytest.mark.parametrize(
    ("override", "key", "value", "line"),
    [
        ("model=betavae", "model.beta", -1, "model.beta=-1: expected a number of at least 0"),
        ("model=betavae", "model.beta", [1, 4], "for a run of each: -m model.beta=1,4"),
        ("model=vae", "stages", "fit", "write 'stages=[fit]'"),
        ("model=vae", "stages", ["fit", "fit"], "each once"),
        ("model=vae", "trainer.max_steps", 1e5, "write trainer.max_steps=100000"),
        ("model=vae", "output_root", 2024, "as text: 'output_root=\"2024\"'"),
        ("model=infovae", "model.kernel", "imp", "expected rbf or imq, did you mean imq?"),
        ("dataset=mnist", "dataset.card.part", "trian", "dataset.card.part=trian: expected all, train or test, did"),
        ("model=vae", "model.foo", 1, "model.foo: VAE has no such setting"),
        ("model=vae", "foo", "bar", "foo=bar: nothing reads that key"),
        ("model=vae", "dataset.batchsize", 3, "nothing reads that key, did you mean batch_size?"),
        ("model=vae", "representation", "modes", "expected mean, sampled or a file of codes"),
        ("model=vae", "factors", "???", "factors has to be given"),
        ("model=vae", "model._target_", "disent_runner.models.vae.Vae", "there is no disent_runner.models.vae.Vae"),
        ("model=vae", "evaluation.part", "held_out", "no image is held out; choose a split"),
    ],
)
def test_the_line_says_what_was_expected_and_the_fix(override, key, value, line):
    said = refusal(key, value, override)
    assert said is not None
    assert line in said


@pytest.mark.parametrize(
    ("key", "value"),
    [
        *[("model.gamma", 0), ("model.gamma", 3), ("model.free_bits", None), ("model.warmup", {"kl": 10})],
        *[("trainer.compile", False), ("trainer.compile", "default"), ("optimizer.betas", [0, 0.9])],
        *[("evaluation.num_images", None), ("factors", ["shape"]), ("dataset.subset", {"shape": 2})],
    ],
)
def test_values_with_a_meaning_are_taken(key, value):
    assert refusal(key, value) is None


@pytest.mark.parametrize(
    ("override", "key", "wrong", "line"),
    [
        ("logger=[wandb]", "logger.wandb.offline", "maybe", "expected true or false"),
        ("logger=[wandb]", "logger.wandb.tags", "abc", "write 'logger.wandb.tags=[abc]'"),
        ("logger=[wandb]", "logger.wandb.project", None, "logger.wandb.project=null: expected text"),
        ("logger=[wandb]", "logger.wandb.resume", "perhaps", "expected true or false, allow, never, must or auto"),
        ("logger=[wandb]", "logger.wandb", None, "logger.wandb=null: expected settings with a _target_"),
        ("logger=[tensorboard]", "logger.tensorboard.flush_secs", "abc", "expected a whole number of at least 1"),
        ("logger=[tensorboard]", "logger.tensorboard.colour", 3, "TensorBoardMirror has no such setting"),
        ("logger=[csv]", "logger.foo", 3, "logger.foo=3: expected settings with a _target_"),
        ("hydra/launcher=slurm", "hydra.launcher.timeout_min", "abc", "expected a whole number of at least 1"),
        ("hydra/launcher=slurm", "hydra.launcher.wait", "maybe", "expected true or false"),
        ("optimizer=adam", "optimizer.foreach", "maybe", "expected true or false, or null"),
        ("optimizer=adam", "optimizer.amsgrad", 3, "expected true or false"),
        ("optimizer=adam", "optimizer.maximize", True, "expected false"),
        ("optimizer=adam", "optimizer.params", [1], "optimizer.params: Adam has no such setting; keys here: lr"),
    ],
)
def test_what_others_are_given_is_checked_as_our_own_settings_are(override, key, wrong, line):
    config = copy.deepcopy(_composed(override, with_hydra=True))
    OmegaConf.update(config, key, wrong, force_add=True)
    with pytest.raises(ValueError, match=re.escape(line)) as raised:
        check(config)
    assert str(raised.value).startswith(key)


@pytest.mark.parametrize("line", ["~figure.traversals.limit", "~model.beta", "~model.beta=4", "~metric.mig.num_bins"])
def test_what_a_part_cannot_do_without_is_not_deleted(line):
    chosen = ("model=betavae", "figure=[traversals]", "metric=[mig]")
    if line == "~metric.mig.num_bins":  # has a default
        check(_composed(*chosen, line, with_hydra=True))
        return
    with pytest.raises(ValueError, match=f"^{line}: .* cannot do without"):
        _composed(*chosen, line)


def test_what_an_interpolation_reads_may_have_any_name():
    config = copy.deepcopy(_composed("model=vae"))
    OmegaConf.set_struct(config, False)
    config.mine = 7
    config.model.latent_dim = "${mine}"
    check(config)
    config.mine = "seven"
    with pytest.raises(ValueError, match=r"^mine=seven: expected a whole number"):
        check(config)


@pytest.mark.parametrize("key", ["seed", "model", "trainer.max_steps"])
def test_a_key_that_every_run_has_cannot_be_left_out(key):
    raw, plain = copy.deepcopy(_plain("model=vae"))
    *parts, last = key.split(".")
    for node in (raw, plain):
        del (node[parts[0]] if parts else node)[last]
    assert next(mistakes(plain, raw)) == f"{key} is missing; leave ~{key} out"


def test_the_schema_is_in_step_with_the_files():
    every: Any = OmegaConf.to_container(OmegaConf.load(CONF / "run.yaml"))
    trainer: Any = OmegaConf.to_container(OmegaConf.load(CONF / "trainer" / "paper.yaml"))
    groups = {name for entry in every["defaults"] if isinstance(entry, dict) for name in entry if " " not in name}
    of_others = {"defaults", "hydra", "split", "joint", "sweep", "agent", "vision"}
    assert {*every, *trainer, *groups} - of_others == {*hints(schema.Run)}
    assert {*every["dataset"], "card"} == {*hints(schema.Dataset)}
    assert trainer["trainer"].keys() == {*hints(schema.Trainer)}
    assert trainer["evaluation"].keys() == {*hints(schema.Evaluation)}


def test_nothing_of_what_is_read_is_imported():
    """The signature of a model comes from its source: importing it takes seconds."""
    target = "disent_runner.networks.chen_conv.ChenConvEncoder"
    before = set(sys.modules)
    signature = signature_of(target)
    assert signature is not None
    assert not {name for name in set(sys.modules) - before if name.startswith("disent_runner.networks.chen")}
    assert described(signature.types["num_outputs"]) == "a whole number"


@pytest.mark.parametrize(
    ("typed", "line"),
    [
        (["seed=1", "seed=2"], "seed is there twice, as seed=1 and as seed=2"),
        (["model=vae", "model=betavae"], "model is there twice"),
        (["dataset.subset={a: 1},{a: 2}", "dataset.subset={b: 1},{b: 2}"], "dataset.subset is there twice"),
        (["+model.beta=1", "model.beta=2"], "model.beta is there twice"),
        (["metric=mig"], "metric=mig: expected a list; write 'metric=[mig]'"),
        (["metric=mig,dci"], "write 'metric=[mig,dci]'"),
        (["metric=null"], "for none write 'metric=[]'"),
        (["model=null"], "model=null: expected a choice of the group model, such as model=factorvae"),
        (["network=5"], "network=5: expected the name of a choice"),
        (["init=[he,glorot]"], "init=[he,glorot]: expected one choice; for a run of each: -m init=he,glorot"),
        (["metric=[mig,mig]"], "metric=[mig,mig]: mig is there twice"),
        (["+experiment=kim2018/_smoke"], "kim2018/_smoke is no choice of the group experiment, but a part of others"),
        (["model=vae,_vae"], "_vae is no choice of the group model"),
        (["+experiment=../run"], "../run is no choice of the group experiment"),
    ],
)
def test_what_cannot_be_meant_is_told_before_anything_is_composed(typed, line):
    with pytest.raises(HydraException, match=re.escape(line)):
        check_typed(parsed(typed), PRIMARY)


@pytest.mark.parametrize(
    "typed",
    [
        ["seed=1", "seed=1"],
        ["metric=[mig],[dci]"],
        ["split=null"],
        ["logger=[csv,wandb]"],
        ["sweep=beta", "sweep=gamma"],
        ["~model"],
    ],
)
def test_what_can_be_meant_is_left_alone(typed):
    check_typed(parsed(typed), PRIMARY)
