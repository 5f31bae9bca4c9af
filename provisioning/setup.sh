#!/bin/sh
# Makes the virtual environment that every other make target runs in: build/venv (build/venv-tflite for the light runtime).
#   setup.sh [litert|tflite]
# Needs Python 3.11 to 3.13 (the tflite lock: 3.11). Says what it does; does nothing the second time.
set -eu
lock=${1:-litert}
top=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
cd "$top"
venv=build/venv
[ "$lock" = litert ] || venv=build/venv-$lock

say() { printf 'sealcam: %s\n' "$*" >&2; }
fail() { printf 'sealcam: error: %s\n' "$1" >&2; [ $# -lt 2 ] || printf 'hint: %s\n' "$2" >&2; exit 1; }

apt_install() { # quiet, but for errors
    as_root apt-get -qq update >/dev/null &&
        as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq install -y --no-install-recommends "$@" >/dev/null
}

as_root() {
    if [ "$(id -u)" = 0 ]; then "$@"
    elif command -v sudo >/dev/null 2>&1; then sudo "$@"
    else return 1; fi
}

find_python() {
    for candidate in ${PYTHON:-} python3 python3.13 python3.12 python3.11; do
        command -v "$candidate" >/dev/null 2>&1 || continue
        "$candidate" - "$lock" <<'PY' 2>/dev/null && { command -v "$candidate"; return 0; }
import struct, sys
top = (3, 11) if sys.argv[1] == "tflite" else (3, 13)
sys.exit(not ((3, 11) <= sys.version_info[:2] <= top and struct.calcsize("P") == 8))
PY
    done
    return 1
}

stamp=$venv/.lock
# What is installed is decided by these two files, so they are the stamp.
want=$(cat "locks/$lock.txt" setup.cfg | sha256sum | cut -d' ' -f1)
if [ -x "$venv/bin/python" ] && [ "$(cat "$stamp" 2>/dev/null)" = "$want" ] && "$venv/bin/python" -c '' 2>/dev/null; then exit 0; fi

mkdir -p build
exec 9>"build/.setup-$lock.lock"
if command -v flock >/dev/null 2>&1; then flock 9; fi
if [ -x "$venv/bin/python" ] && [ "$(cat "$stamp" 2>/dev/null)" = "$want" ]; then exit 0; fi

python=$(find_python) || {
    [ "$lock" = tflite ] && fail "the tflite runtime needs Python 3.11, and there is none" "use the default runtime (litert), or install python3.11"
    say "no Python 3.11 to 3.13 found: installing Debian's python3"
    apt_install python3 python3-venv ||
        fail "no Python 3.11 to 3.13 (64-bit) found" "install it with: sudo apt-get install python3 python3-venv"
    python=$(find_python) || fail "this system's Python is too old or too new" "Debian 12 or 13 and Raspberry Pi OS (64-bit) have a fitting one"
}
if ! "$python" -c 'import ensurepip, venv' 2>/dev/null; then
    say "installing python3-venv (needs root or sudo)"
    apt_install python3-venv ||
        fail "Python's venv module is missing" "install it with: sudo apt-get install python3-venv"
fi

# picamera2 and libcamera come from the system's packages only (they match its kernel): let the environment see them.
site=
if "$python" -c 'import libcamera' 2>/dev/null; then site=--system-site-packages; fi

say "setting up $venv with $("$python" --version) and locks/$lock.txt (once; a minute or two)"
"$venv/bin/python" -c '' 2>/dev/null || { rm -rf "$venv"; "$python" -m venv $site "$venv"; }
"$venv/bin/python" -m pip install -q --disable-pip-version-check --no-input --require-hashes --no-deps -r "locks/$lock.txt" >&2 ||
    fail "the packages of locks/$lock.txt could not be installed" "pip's message above says why; most often the network is away. Run the same command again"
"$venv/bin/python" -m pip install -q --disable-pip-version-check --no-input --no-deps --no-build-isolation -e . >&2
printf '%s' "$want" > "$stamp"
say "set up"
