import subprocess
import sys

import pytest

from disent_runner.environments.extra import needs_agents
from disent_runner.environments.gymnasium import gymnasium
from disent_runner.environments.icf_grid import icf_grid
from disent_runner.environments.registered import register
from disent_runner.environments.toyarena import toyarena


@pytest.mark.parametrize("make", [toyarena, icf_grid, register, lambda: gymnasium(id="CartPole-v1", settings={})])
def test_without_the_extra_one_line_says_what_to_install(make, monkeypatch):
    monkeypatch.setitem(sys.modules, "gymnasium", None)
    with pytest.raises(ValueError, match=r"needs the extra `agents`: pip install 'disent-runner\[agents\]'$"):
        make()


@pytest.mark.parametrize("lacking", ["gymnasium", "stable_baselines3"])
def test_agents_need_both_of_its_packages(lacking, monkeypatch):
    monkeypatch.setitem(sys.modules, lacking, None)
    with pytest.raises(
        ValueError, match=r"^model=a2c needs the extra `agents`: pip install 'disent-runner\[agents\]'$"
    ):
        needs_agents("model=a2c")


def test_with_it_nothing_is_said():
    needs_agents("environment=toyarena")


def test_worlds_and_the_package_do_not_import_gymnasium():
    code = (
        "import sys, disent_runner, disent_runner.environments.registered, disent_runner.environments.gymnasium\n"
        "print({'gymnasium', 'torch', 'stable_baselines3', 'minigrid'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"
