"""bash, zsh and fish, for what a user types into them or pastes."""

import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest


def typed(
    shell: str, *arguments: str, environment: Mapping[str, str], folder: Path | None = None, text: str = ""
) -> str:
    """What the shell printed. Skips where there is no such shell, unless DISENT_SHELL_TESTS=1 asks for it."""
    if shutil.which(shell) is None:
        if os.environ.get("DISENT_SHELL_TESTS") == "1":
            pytest.fail(f"no {shell} on the PATH, and DISENT_SHELL_TESTS=1 asks for the tests in it: install {shell}")
        pytest.skip(f"needs {shell} on the PATH")
    done = subprocess.run(
        [shell, *arguments], input=text, capture_output=True, text=True, env=environment, check=True, cwd=folder
    )
    return done.stdout
