#!/usr/bin/env bash
# Makes the paper's hand-object set in our data: simulated sessions of the belt, each with another hand, grasp, motion
# and table, at true poses; the last fifth of the sessions is for the test. Ends with FOLDER/belt.h5.
# Usage: scripts/belt.sh FOLDER [SESSIONS] [FRAMES] [VIEWS]; goes on where it was stopped. The commands must be on PATH.
# JOBS sessions are made side by side, by default one a processor; the result does not depend on it.
set -euo pipefail
scripts=$(cd "$(dirname "$0")" && pwd)
folder=${1:-belt}
sessions=${2:-32}
export frames=${3:-40}
export views=${4:-24}
export PYTHONPATH=$scripts/..${PYTHONPATH:+:$PYTHONPATH}
export OMP_NUM_THREADS=1 NUMBA_NUM_THREADS=1  # sessions side by side, each on one processor
[ -e "$folder/belt.h5" ] && { echo "$folder/belt.h5 is there"; exit 0; }
mkdir -p -- "$folder"
cd "$folder"

make_session() {
  set -euo pipefail
  local seed=$1 name hidden=(light medium heavy) hides=()
  name=$(printf 's%02d' "$seed")
  [ -e "$name.done" ] && return
  # every fourth hand rolls from one side to the other, the others hide as much as they are told to
  [ $((seed % 4)) -gt 0 ] && hides=(--occlusion "${hidden[seed % 4 - 1]}")
  recorder capture --sensor simulated --object belt --frames "$frames" --seed "$seed" "${hides[@]}" \
    --output "$name.h5" --overwrite </dev/null
  python -m scripts.true_track "$name.h5"
  # a session belongs to one split as a whole, so that nothing in it needs to be divided
  renderer make-pairs "$name.h5" --output "$name.pairs.h5" --views-per-frame "$views" --balance-rotations \
    --splits.validation 0 --splits.test 0 --seed "$seed" --overwrite </dev/null ||
    echo "$name gives no pairs and is left out"  # a hand may hide all of the object throughout
  rm -- "$name.h5" "$name.track.h5"
  touch "$name.done"
}
export -f make_session
seq "$sessions" | xargs -P "${JOBS:-$(nproc)}" -I{} bash -c 'make_session {}'

parts=(s*.pairs.h5)
pairs merge "${parts[@]}" --output merged.h5 --overwrite
pairs split merged.h5 --by recording --splits.validation 0 --splits.test 0.18 --output belt.h5
rm -- merged.h5 "${parts[@]}" s*.done
