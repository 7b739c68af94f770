#!/usr/bin/env bash
# On a machine with one CUDA GPU: the CPU's and the GPU's numbers agree, every switch trains, and one table of speeds.
#   scripts/gpu_check.sh [FOLDER]     FOLDER gets gpu.md, gpu.json and the tests' report (default outputs/gpu_check)
set -euo pipefail
cd "$(dirname "$0")/.."
python=${PYTHON:-.venv/bin/python}
out=${1:-outputs/gpu_check}
mkdir -p "$out"
"$python" -c 'import sys, torch; sys.exit(None if torch.cuda.is_available() else "no CUDA GPU that this torch can use")'
status=0
"$python" -m pytest -m gpu -q -p no:cacheprovider 2>&1 | tee "$out/tests.txt" || status=$?
"$python" scripts/benchmark.py training --accelerator cuda --out "$out/gpu"
tail -n 3 "$out/tests.txt"
cat "$out/gpu.md"
exit "$status"
