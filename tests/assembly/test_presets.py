import re

import pytest
from hydra.errors import HydraException

from disent_runner.assembly.presets import commands


def options(group: str) -> list[str]:
    return {"sweep": ["one", "two"], "experiment": ["a/b", "a/c", "d"]}.get(group, [])


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        (["sweep=one", "seed=0,1"], ["sweep=one seed=0,1"]),
        (["sweep=one,two", "seed=0,1"], ["sweep=one seed=0,1", "sweep=two seed=0,1"]),
        (["sweep=[one,two]"], ["sweep=one", "sweep=two"]),
        (
            ["metric=[mig,dci]", "+experiment=choice(d,a/b)"],
            ["metric=[mig,dci] +experiment=d", "metric=[mig,dci] +experiment=a/b"],
        ),
        (["+experiment=glob(a/*)"], ["+experiment=a/b", "+experiment=a/c"]),
        (
            ["sweep=one,two", "+experiment=d,null"],
            [f"sweep={one} +experiment={two}" for one in ("one", "two") for two in ("d", "null")],
        ),
        (["~sweep", "model=vae,betavae"], ["~sweep model=vae,betavae"]),
    ],
)
def test_several_presets_are_several_commands(typed, expected):
    assert [" ".join(command) for command in commands(typed, options)] == expected


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        (["sweep=one", "sweep=two"], "sweep=one sweep=two: each takes the place of the other; sweep=one,two does"),
        (["+experiment=d", "+experiment=d"], "+experiment=d +experiment=d: each takes"),
        (["+experiment@model=d"], "+experiment@model=d: a preset is about the whole config; leave out @model"),
        (["sweep=glob(x*)"], "sweep=glob(x*): no value, so that nothing would be run"),
        (["sweep={a: 1}"], "sweep={a: 1}: a preset is the name of a file of the group sweep"),
    ],
)
def test_what_would_not_be_what_was_asked_is_refused(typed, expected):
    with pytest.raises(HydraException, match=re.escape(expected)):
        commands(typed, options)
