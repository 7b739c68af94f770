import itertools
import re

import pytest
from hydra._internal.core_plugins.basic_sweeper import BasicSweeper
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.errors import HydraException
from omegaconf import OmegaConf

from disent_runner.assembly.conf import CONF
from disent_runner.sweep import grid as grids
from disent_runner.sweep.grid import varied


def grid(params, cases, zipped, overrides):
    """Of a config with one group, `model`."""
    choices = {"model": ["p", "q", "betavae", "btcvae", "vae"]}
    return grids.grid(params, cases, zipped, overrides, lambda group: choices.get(group, []))


@pytest.mark.parametrize(
    "typed",
    [
        ["model=betavae", "model.beta=1,4,16", "seed=range(3)"],
        ["metric=[mig,dci]", "dataset.subset={pos_x:8}", "model.beta=1"],
        ["seed=1,2", "seed=3"],
        ["+new=a,b", "output_root='a,b'"],
        ["stages=[fit],[evaluate]"],
    ],
)
def test_a_plain_grid_is_that_of_hydra(typed):
    (expected,) = BasicSweeper.split_arguments(OverridesParser.create().parse_overrides(typed), None)
    assert grid({}, {}, [], typed) == expected


def test_a_key_can_be_left_out():
    assert grid({}, {}, [], ["~metric.mig", "seed=0,1"]) == [["~metric.mig", "seed=0"], ["~metric.mig", "seed=1"]]


def test_what_is_typed_wins_over_the_grid():
    runs = grid({"seed": "range(2)", "model.beta": "1,2"}, {}, [], ["model.beta=7"])
    assert runs == [["seed=0", "model.beta=7"], ["seed=1", "model.beta=7"]]


def test_zipped_keys_vary_together_in_the_place_of_the_first():
    runs = grid({"a": "1,2", "seed": "0,1", "b": "x,y"}, {}, [["a", "b"]], [])
    assert runs == [
        ["a=1", "b=x", "seed=0"],
        ["a=1", "b=x", "seed=1"],
        ["a=2", "b=y", "seed=0"],
        ["a=2", "b=y", "seed=1"],
    ]


def test_a_union_of_cases_each_with_its_own_grid():
    cases = {"p": {"model": "p", "x": "1,2"}, "q": {"model": "q", "y": "3"}}
    assert grid({"seed": "0,1"}, cases, [], []) == [
        ["seed=0", "model=p", "x=1"],
        ["seed=0", "model=p", "x=2"],
        ["seed=1", "model=p", "x=1"],
        ["seed=1", "model=p", "x=2"],
        ["seed=0", "model=q", "y=3"],
        ["seed=1", "model=q", "y=3"],
    ]
    assert {job[1] for job in grid({"seed": "0,1"}, cases, [], ["model=q"])} == {"model=q"}
    with pytest.raises(HydraException, match="no case of the sweep fits model=r; its cases: p, q"):
        grid({}, cases, [], ["model=r"])


CASES = {
    "p": {"model": "p", "x": "1,2"},
    "q1": {"model": "q", "kind": "i", "steps": 300},
    "q2": {"model": "q", "kind": "ii", "y": "3"},
}


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        pytest.param(["model=q"], ["model=q kind=i steps=300", "model=q kind=ii y=3"], id="a group chooses"),
        pytest.param(
            ["model=p,q", "x=1", "kind=ii"], ["model=p x=1 kind=ii", "model=q kind=ii y=3 x=1"], id="of several"
        ),
        pytest.param(["model=q", "kind=ii"], ["model=q kind=ii y=3"], id="what a case fixes chooses"),
        pytest.param(
            ["model=q", "steps=5"], ["model=q kind=i steps=5", "model=q kind=ii y=3 steps=5"], id="or is typed over"
        ),
        pytest.param(["model=p", "+x=7"], ["model=p +x=7"], id="with a plus or without"),
        pytest.param(["model=p", "++x=7"], ["model=p ++x=7"], id="or two"),
    ],
)
def test_what_is_typed_chooses_cases_or_wins_over_them(typed, expected):
    assert [" ".join(run) for run in grid({}, CASES, [], typed)] == expected


def test_a_glob_is_the_choices_that_fit_it():
    assert grid({"model": "glob(b*)"}, {}, [], []) == [["model=betavae"], ["model=btcvae"]]
    assert grid({}, {}, [], ["model=glob(*,exclude=b*)"]) == [["model=p"], ["model=q"], ["model=vae"]]


def test_what_is_shuffled_has_the_same_pairs_whenever_it_is_typed():
    typed = ["a=shuffle(range(8))", "b=shuffle(1,2,3,4,5,6,7,8)"]
    runs = grid({}, {}, [["a", "b"]], typed)
    assert runs == grid({}, {}, [["a", "b"]], typed)
    assert [int(a.removeprefix("a=")) for a, _ in runs] != list(range(8))
    assert sorted(b for _, b in runs) == [f"b={number}" for number in range(1, 9)]


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (
            [0, 1],
            "the sweep's seed: [0, 1] has to be a text: seed: 'choice(0, 1)' for one after the other, or seed: '[0",
        ),
        ({"pos_x": 8}, """the sweep's seed: {"pos_x": 8} has to be a text: seed: '{"pos_x": 8}' for one value"""),
    ],
)
def test_a_list_of_yaml_might_be_one_value_or_several(value, expected):
    for params, cases in (({"seed": value}, {}), ({}, {"one": {"seed": OmegaConf.create(value)}})):
        with pytest.raises(HydraException, match=re.escape(expected)):
            grid(params, cases, [], [])


@pytest.mark.parametrize(
    ("zipped", "typed", "expected"),
    [
        ([], ["a=range(5,0)"], "a=range(5,0): no value, so that nothing would be run"),
        ([], ["model=glob(x*)"], "model=glob(x*): no value"),
        ([], ["seed=glob(*)"], "seed=glob(*): no value"),
        ([["a", "b"]], ["a=1,2", "b=1,2,3"], "needs keys with equally many values, got a 2, b 3"),
        ([["a", "c"]], ["a=1,2"], "hydra.sweeper.zip names c, which the sweep does not vary"),
        ([], ["a=interval(0,1)"], "a=interval(0,1): a grid needs choices such as 1,2,4 or range(5)"),
    ],
)
def test_what_is_no_grid_is_said(zipped, typed, expected):
    with pytest.raises(HydraException, match=re.escape(expected)):
        grid({}, {}, zipped, typed)


def test_a_label_is_what_sets_a_run_apart():
    assert varied([["m=a", "x=1", "seed=0"], ["m=a", "x=2", "seed=0"]]) == ["x=1", "x=2"]
    assert varied([["m=a"]]) == [""]


def test_the_grids_of_locatello_2019():
    """METHODS.md's list: six values each for six methods, λ_d ten times λ_od for DIP-VAE-I and equal to it for II."""
    sweeper = OmegaConf.load(CONF / "sweep" / "locatello2019.yaml").hydra.sweeper
    jobs = grid(sweeper.params, sweeper.cases, sweeper.zip, ["seed=0"])
    settings = {tuple(sorted(override for override in job if override != "seed=0")) for job in jobs}
    expected = {
        *(("model.beta=" + str(beta), "model=betavae") for beta in (1, 2, 4, 6, 8, 16)),
        *(("model.capacity=" + str(capacity), "model=annealedvae") for capacity in (5, 10, 25, 50, 75, 100)),
        *(("model.gamma=" + str(gamma), "model=factorvae") for gamma in (10, 20, 30, 40, 50, 100)),
        *(("model.beta=" + str(beta), "model=btcvae") for beta in (1, 2, 4, 6, 8, 10)),
        *(
            ("model.kind=" + kind, f"model.lambda_d={factor * od}", f"model.lambda_od={od}", "model=dipvae")
            for (kind, factor), od in itertools.product({"i": 10, "ii": 1}.items(), (1, 2, 5, 10, 20, 50))
        ),
    }
    assert len(jobs) == 36
    assert settings == expected
    assert len(grid(sweeper.params, sweeper.cases, sweeper.zip, [])) == 36 * 50


@pytest.mark.parametrize(
    ("typed", "launcher", "params", "is_sweep"),
    [
        (["seed=0"], "basic", {}, False),
        (["seed=0,1"], "basic", {}, True),
        (["seed=0"], "slurm", {}, True),
        ([], "basic", {"seed": "range(5)"}, True),
    ],
)
def test_a_sweep_that_varies_nothing_is_refused_unless_it_is_a_job_for_a_cluster(typed, launcher, params, is_sweep):
    hydra = {"sweeper": {"params": params, "cases": {}}, "runtime": {"choices": {"hydra/launcher": launcher}}}
    config = OmegaConf.create({"hydra": hydra})
    if is_sweep:
        grids.check_varied(config, typed)
    else:
        with pytest.raises(HydraException, match=r"^-m: nothing is varied; give a key several values"):
            grids.check_varied(config, typed)
