#!/usr/bin/env bash
# Sets up everything in a virtual environment: system libraries where that is allowed, then the pinned dependencies.
# Usage: scripts/setup.sh FOLDER-OF-THE-ENVIRONMENT
set -euo pipefail
cd "$(dirname "$0")/.."
venv=${1:-.venv}

# library to look for -> Debian package that brings it. What each is for:
#   libusb-1.0.so.0            importing open3d
#   libEGL.so.1, libGL.so.1    importing open3d, and drawing with OpenGL on EGL
#   libOSMesa.so.8             drawing with OpenGL in software, where EGL does not work
libraries=(libusb-1.0.so.0:libusb-1.0-0 libEGL.so.1:libegl1 libGL.so.1:libgl1 libOSMesa.so.8:libosmesa6)

missing_packages() {
  local known entry
  known=$(PATH="$PATH:/sbin:/usr/sbin" ldconfig -p 2>/dev/null || true)
  for entry in "${libraries[@]}"; do
    grep -qF "${entry%%:*}" <<<"$known" || echo "${entry##*:}"
  done
}

# Runs apt-get as root, if that needs no password; fails otherwise.
apt() {
  command -v apt-get >/dev/null || return 1
  if [ "$(id -u)" = 0 ]; then
    DEBIAN_FRONTEND=noninteractive apt-get -qq "$@" </dev/null
  elif command -v sudo >/dev/null && sudo -n true 2>/dev/null; then
    sudo -n env DEBIAN_FRONTEND=noninteractive apt-get -qq "$@" </dev/null
  else
    return 1
  fi
}

install_packages() { # one by one: a release that lacks one of them still gets the others
  local package
  apt update || return 1
  for package in "$@"; do
    apt install -y --no-install-recommends "$package" || echo "setup: apt could not install $package" >&2
  done
}

python_of_a_fitting_version() {
  local name
  for name in python3.11 python3.12 python3.13 python3; do
    if "$name" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
      echo "$name"
      return
    fi
  done
  echo "setup: Python 3.11 or newer is needed and none was found; run: apt-get install python3.11 python3.11-venv" >&2
  return 1
}

make_environment() {
  local python=$1
  "$python" -m venv "$venv" && return
  echo "setup: $python cannot make virtual environments yet; trying to install ${python}-venv" >&2
  rm -rf "$venv"
  install_packages "${python}-venv" || true
  "$python" -m venv "$venv" && return
  echo "setup: run this line and then this command again: sudo apt-get install ${python}-venv" >&2
  return 1
}

python=$(python_of_a_fitting_version)
missing=$(missing_packages | tr '\n' ' ')
if [ -n "$missing" ]; then
  echo "setup: installing the system libraries ${missing}"
  # shellcheck disable=SC2086 # one word a package
  install_packages $missing || true
  missing=$(missing_packages | tr '\n' ' ')
fi
[ -x "$venv/bin/python" ] || make_environment "$python"
"$venv/bin/python" -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]' </dev/null
if [ -n "$missing" ]; then
  echo "setup: some system libraries are missing and could not be installed; without libusb-1.0-0, libegl1 and libgl1"
  echo "setup: open3d does not import, without the rest drawing goes on by casting rays. To install them, run:"
  echo "setup:   sudo apt-get install ${missing}"
fi
echo "setup: ready in $venv"
