"""Measure this program on this machine: one table, as Markdown and as JSON.

python scripts/benchmark.py                                  everything, about half an hour on two cores
python scripts/benchmark.py training startup                 some sections, the files of scripts/benchmarks/
python scripts/benchmark.py training --accelerator cuda      on a GPU
python scripts/benchmark.py --out docs/benchmarks/first      writes first.md and first.json
"""

import argparse
import json
import os
import platform
import subprocess
import sys
from datetime import date
from importlib.metadata import version
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent / "benchmarks"
SECTIONS = ["startup", "sweep", "training", "data", "metrics", "growth", "memory", "operations", "agents"]
VERSIONS = ["disent-runner", "torch", "pytorch-lightning", "hydra-core", "numpy", "scikit-learn"]

Rows = list[dict[str, Any]]


def machine() -> dict[str, str]:
    """What the numbers depend on."""
    cpu = platform.processor() or platform.machine()
    info = Path("/proc/cpuinfo")
    if info.exists():
        models = [
            line.split(": ")[1]
            for line in info.read_text(encoding="utf-8").splitlines()
            if line.startswith("model name")
        ]
        cpu = models[0] if models else cpu
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    commit = subprocess.run(["git", "describe", "--always", "--dirty"], capture_output=True, text=True, check=False)
    import torch

    gpu = torch.cuda.get_device_name() if torch.cuda.is_available() else "none"
    versions = [f"{name} {version(name)}" for name in VERSIONS]
    return {
        "date": date.today().isoformat(),
        "commit": commit.stdout.strip(),
        "cpu": f"{cpu}, {os.cpu_count()} cores, {memory:.0f} GiB",
        "gpu": gpu,
        "load before": f"{os.getloadavg()[0]:.1f}",
        "versions": ", ".join([f"Python {platform.python_version()}", *versions]),
    }


def measure(section: str, arguments: list[str]) -> Rows:
    """The rows of one section, from a process of its own, shown as they come."""
    command = [sys.executable, str(FOLDER / f"{section}.py"), *arguments]
    rows: Rows = []
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        for line in child.stdout:
            rows.append(json.loads(line))
            print(table_row(rows[-1]), flush=True)
    if child.returncode:
        sys.exit(f"{' '.join(command)} failed; its message stands above")
    return rows


def table_row(row: dict[str, Any]) -> str:
    from disent_runner.machine.markdown import markdown_row

    spread = "" if row["windows"] == 1 else f"{row['low']:.4g} … {row['high']:.4g}"
    return markdown_row((row["what"], f"{row['value']:.4g}", row["unit"], spread, str(row["windows"]), row["note"]))


def report(facts: dict[str, str], sections: dict[str, Rows], command: str) -> str:
    lines = ["# Benchmark", "", f"`{command}`", ""]
    lines += [f"- {name}: {value}" for name, value in facts.items()]
    lines += ["", "Each value is the median of its windows; the spread is the smallest and the largest.", ""]
    for section, rows in sections.items():
        lines += [f"## {section.capitalize()}", "", HEAD, *map(table_row, rows), ""]
    return "\n".join(lines)


HEAD = "| what | value | unit | spread | windows | note |\n| --- | --- | --- | --- | --- | --- |"


def write(out: Path, facts: dict[str, str], sections: dict[str, Rows]) -> None:
    """Both files, with the sections so far: what is measured is not lost when a later section fails."""
    out.parent.mkdir(parents=True, exist_ok=True)
    out.with_suffix(".md").write_text(report(facts, sections, " ".join(["python", *sys.argv])))
    out.with_suffix(".json").write_text(json.dumps({"machine": facts, "sections": sections}, indent=1) + "\n")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sections", nargs="*", choices=[[], *SECTIONS], metavar="section")
    parser.add_argument("--accelerator", default="cpu", choices=["cpu", "cuda"])
    parser.add_argument("--out", type=Path, help="path of the two files, without their suffix")
    options = parser.parse_args()
    facts = machine()
    print("\n".join(f"- {name}: {value}" for name, value in facts.items()), f"\n\n{HEAD}", sep="", flush=True)
    sections: dict[str, Rows] = {}
    for section in options.sections or SECTIONS:
        arguments = ["--accelerator", options.accelerator] if section == "training" else []
        sections[section] = measure(section, arguments)
        if options.out:
            write(options.out, facts, sections)


if __name__ == "__main__":
    main()
