#!/usr/bin/env bash
# Runs the product's main job with the simulated sensor, in a fresh folder, and ends with a table and a page.
# Usage: scripts/demo.sh FOLDER [FRAMES]; the commands must be on PATH.
set -euo pipefail
scripts=$(cd "$(dirname "$0")" && pwd)
folder=${1:-demo}
frames=${2:-100}
mark=$folder/.made-by-demo

if [ -e "$folder" ] && [ ! -e "$mark" ]; then
  echo "demo: $folder exists and was not made by this command; move it away, or give another folder" >&2
  exit 2
fi
rm -rf -- "$folder"
mkdir -p -- "$folder"
touch "$mark"
cd "$folder"

step() {
  local began=$SECONDS
  printf '\n$ %s\n' "$*"
  "$@" </dev/null
  echo "($((SECONDS - began)) s)"
}

step recorder capture --sensor simulated --frames "$frames"
step tracker run session.h5
step tracker evaluate session.h5 --json track-errors.json
step renderer make-pairs
# half of the default steps: the whole demo is meant to take less than ten minutes
step train fit --occlusion --steps 300
step train fit --no-occlusion --steps 300 --output run-without
printf '\n'
PYTHONPATH=$scripts/.. python -m scripts.demo_report .
echo "The whole demo took $((SECONDS / 60)) min $((SECONDS % 60)) s."
