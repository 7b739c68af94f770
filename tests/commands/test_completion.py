import os
import sys
from pathlib import Path

from disent_runner.commands.completion import ZSH, is_asked_for_zsh
from tests.shells import typed

ENVIRONMENT = {**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}


def test_zsh_has_words_of_its_own():
    assert is_asked_for_zsh(["-sc", "install=zsh"])
    assert not is_asked_for_zsh(["-sc", "install=bash"])
    assert not is_asked_for_zsh(["model=vae"])


def test_zsh_offers_choices(tmp_path):
    stubs = 'compdef() { }; compadd() { shift 3; print -l -- "$@" }'
    script = f"{stubs}\n{ZSH}\nwords=(disent-run model=b); CURRENT=2; _disent_run"
    printed = typed("zsh", "-c", script, environment=ENVIRONMENT, folder=tmp_path)
    assert printed.split() == ["model=betavae", "model=btcvae"]


def test_zsh_without_a_set_up_loads_what_completes(tmp_path):
    environment = {**ENVIRONMENT, "HOME": str(tmp_path)}
    assert typed("zsh", "-fc", f"{ZSH}\nprint $_comps[disent-run]", environment=environment) == "_disent_run\n"


def test_fish_offers_recipes(tmp_path):
    script = 'disent-run -sc install=fish | source; complete -C"disent-run +experiment=chen2018/"'
    printed = typed("fish", "-c", script, environment=ENVIRONMENT, folder=tmp_path)
    assert printed.split() == ["+experiment=chen2018/bias", "+experiment=chen2018/bias_smoke"]
