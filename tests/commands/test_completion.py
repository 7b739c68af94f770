import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from disent_runner.commands.completion import ZSH, is_asked_for_zsh

ENVIRONMENT = {**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}


def typed(shell: str, script: str) -> list[str]:
    if shutil.which(shell) is None:
        if os.environ.get("DISENT_SHELL_TESTS") == "1":
            pytest.fail(f"no {shell} on the PATH, and DISENT_SHELL_TESTS=1 asks for the tests in it: install {shell}")
        pytest.skip(f"needs {shell} on the PATH")
    done = subprocess.run([shell, "-c", script], capture_output=True, text=True, env=ENVIRONMENT, check=True)
    return done.stdout.split()


def test_zsh_has_words_of_its_own():
    assert is_asked_for_zsh(["-sc", "install=zsh"])
    assert not is_asked_for_zsh(["-sc", "install=bash"])
    assert not is_asked_for_zsh(["model=vae"])


def test_zsh_offers_choices(tmp_path):
    stubs = 'compdef() { }; compadd() { shift 3; print -l -- "$@" }'
    script = f"{stubs}\n{ZSH}\nwords=(disent-run model=b); CURRENT=2; _disent_run"
    assert typed("zsh", f"cd {tmp_path}; {script}") == ["model=betavae", "model=btcvae"]


def test_fish_offers_recipes(tmp_path):
    script = f'cd {tmp_path}; disent-run -sc install=fish | source; complete -C"disent-run +experiment=chen2018/"'
    assert typed("fish", script) == ["+experiment=chen2018/bias", "+experiment=chen2018/bias_smoke"]
