#!/usr/bin/env bash
# Real video: records a folder of images with mug.ply, tracks it, and makes pairs of which the last part is for the test.
# Usage: scripts/video.sh IMAGES FOLDER; ends with FOLDER/hand-mug.h5. The commands must be on PATH.
set -euo pipefail
images=$1
folder=$2
[ -e "$folder/hand-mug.h5" ] && { echo "$folder/hand-mug.h5 is there"; exit 0; }
mkdir -p -- "$folder"
[ -e "$folder/session.h5" ] || recorder capture --sensor folder --source "$images" --object "$images/mug.ply" \
  --output "$folder/session.h5" </dev/null
[ -e "$folder/session.track.h5" ] || tracker run "$folder/session.h5" </dev/null
renderer make-pairs "$folder/session.h5" --views-per-frame 24 --output "$folder/hand-mug.h5" </dev/null
