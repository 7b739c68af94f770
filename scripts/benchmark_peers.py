"""Training speed beside the peers on PyPI, each with its own trainer, on the same images: one table, Markdown and JSON.

python scripts/benchmark_peers.py --out docs/benchmarks/peers    ten minutes on two cores

pythae and disent are installed into outputs/benchmark/peers/venv, with this machine's PyTorch. Nobody's code is
changed. The runs take turns, each in a process of its own, so that all see the same hours of the machine.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import venv
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import torch

from benchmark import HEAD, machine, table_row, write
from disent_runner.datasets import dsprites
from disent_runner.datasets.load import load

PEERS = Path(__file__).parent / "benchmarks" / "peers"
FOLDER = Path("outputs/benchmark/peers")
NUM_IMAGES = 24_576
WORK = {
    ("ours", "betavae"): "conv64, Bernoulli from logits",
    ("pythae", "betavae"): "conv64 brought along, binary cross entropy of sigmoids",
    ("disent", "betavae"): "its EncoderConv64 (padding 2: maps of 33, 17, 9, 5 pixels), Bernoulli from logits",
    ("ours", "btcvae"): "conv64, Bernoulli from logits",
    ("pythae", "btcvae"): "conv64 brought along, binary cross entropy of sigmoids",
    ("disent", "btcvae"): "its EncoderConv64 (padding 2: maps of 33, 17, 9, 5 pixels), Bernoulli from logits",
    ("ours", "factorvae"): "a second batch of 64, discriminator of 6 hidden layers",
    ("pythae", "factorvae"): "a batch of 128 that it halves to 64 and 64, discriminator of 5 hidden layers",
}


def python_of_peers() -> Path:
    """The peers' own environment, made on the first call."""
    python = FOLDER / "venv" / "bin" / "python"
    if not python.exists():
        venv.create(FOLDER / "venv", with_pip=True)
    lightning = version("pytorch-lightning")  # of the same number, which is not one of the malicious ones
    pinned = [
        f"torch=={version('torch').partition('+')[0]}",
        f"pytorch-lightning=={lightning}",
        f"lightning=={lightning}",
    ]
    install = [str(python), "-m", "pip", "install", "--quiet", *pinned, "pythae==0.1.2", "disent==0.8.0"]
    subprocess.run(install, check=True)
    return python


def write_images() -> Path:
    """Random images of dSprites, as bytes."""
    dataset = load(dsprites.card(), data_dir=os.environ.get("DISENT_DATA_DIR", "data"), source="rendered")
    indices = np.random.default_rng(0).choice(len(dataset), NUM_IMAGES, replace=False)
    path = FOLDER / "images.npy"
    np.save(path, (255 * dataset.gather(torch.from_numpy(indices))).byte().numpy())
    return path


def steps_per_second(python: str, peer: str, model: str, images: Path, steps: int) -> float:
    command = [python, str(PEERS / f"run_{peer}.py"), str(images.resolve()), model, str(steps)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=FOLDER)
    if done.returncode:
        sys.exit(f"{' '.join(command)} failed:\n{done.stderr}")
    return json.loads(done.stdout.splitlines()[-1])["steps_per_second"]


def table_of(work: tuple[str, str], values: list[float], ours: float) -> dict[str, Any]:
    """One row: what was measured of whom, the work that it did, and how many times as fast ours was."""
    peer, model = work
    value = statistics.median(values)
    note = WORK[work] if peer == "ours" else f"{WORK[work]}; ours is {ours / value:.2f} times as fast"
    return {
        "what": f"{model}, {peer}",
        "value": value,
        "unit": "steps/s",
        "low": min(values),
        "high": max(values),
        "windows": len(values),
        "note": note,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--windows", type=int, default=3)
    parser.add_argument("--steps", type=int, default=80)
    parser.add_argument("--out", type=Path, help="path of the two files, without their suffix")
    options = parser.parse_args()
    FOLDER.mkdir(parents=True, exist_ok=True)
    peers_python = str(python_of_peers())
    images = write_images()
    rates: dict[tuple[str, str], list[float]] = {work: [] for work in WORK}
    for _ in range(options.windows):
        for peer, model in WORK:
            python = sys.executable if peer == "ours" else str(Path(peers_python).absolute())
            rates[peer, model].append(steps_per_second(python, peer, model, images, options.steps))
    rows = [table_of(work, values, statistics.median(rates["ours", work[1]])) for work, values in rates.items()]
    facts = machine() | {"peers": "pythae 0.1.2, disent 0.8.0", "images": f"{NUM_IMAGES:,} of dSprites, batches of 64"}
    print(HEAD, *map(table_row, rows), sep="\n")
    if options.out:
        write(options.out, facts, {"training beside the peers": rows})


if __name__ == "__main__":
    main()
