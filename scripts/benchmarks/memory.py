"""Most memory that a command held at once (resident set of the process)."""

import os
import subprocess
import sys
from tempfile import TemporaryDirectory

from measure import DATA, row

FIT, EVALUATE = ["stages=[fit]"], ["stages=[evaluate]", "evaluation.num_images=null"]
COMMANDS = {
    "training on all of dSprites, betavae": ("betavae", [FIT]),
    "training on all of dSprites, factorvae": ("factorvae", [FIT]),
    "evaluation of all of dSprites, metric=[fast]": ("betavae", [FIT, EVALUATE]),
}
SETTINGS = ["network=conv64", "trainer=quick", "trainer.max_steps=60", "trainer.accelerator=cpu"]


def peak_of(arguments: list[str]) -> float:
    """Megabytes, of the last of the children of this process."""
    command = [sys.executable, "-m", "disent_runner", *SETTINGS, *arguments]
    child = subprocess.Popen(command, stdout=subprocess.DEVNULL, env={**os.environ, "DISENT_DATA_DIR": DATA})
    _, status, usage = os.wait4(child.pid, 0)
    if status:
        sys.exit(f"{' '.join(command)} failed")
    scale = 1 if sys.platform == "darwin" else 1024
    return usage.ru_maxrss * scale / 1e6


def main() -> None:
    for what, (model, commands) in COMMANDS.items():
        with TemporaryDirectory() as folder:
            peaks = [peak_of([*arguments, f"model={model}", f"output_root={folder}"]) for arguments in commands]
        row(what, peaks[-1:], "MB", "the memory-mapped images, up to 377 MB, included").print()


if __name__ == "__main__":
    main()
