#!/usr/bin/env bash
# Build the wheel, install it into a clean environment, and from another directory ask for help, do a sweep of two
# five-step runs, report on it, list the data sets and ask for help with concepts.
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
"$root/.venv/bin/python" -m build --wheel --outdir "$place/dist" "$root" >"$place/build.log" 2>&1 || { cat "$place/build.log"; exit 1; }
"$root/.venv/bin/python" -m venv "$place/venv"
"$place/venv/bin/pip" install --quiet --disable-pip-version-check --constraint "$root/constraints.txt" "$place"/dist/*.whl
cd "$place"
"$place/venv/bin/disent-run" --help | grep factorvae
"$place/venv/bin/disent-run" -m model=betavae network=tiny trainer=smoke seed=0,1
ls "$place"/outputs/dsprites/betavae/*/seed=1/metrics.json
"$place/venv/bin/disent-report" outputs
ls "$place/outputs/report/index.html"
"$place/venv/bin/disent-concept" --help | grep imagine
"$place/venv/bin/disent-data" list | grep shapes3d_rendered
echo "the wheel runs"
