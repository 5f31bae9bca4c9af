#!/bin/sh
# Renews both locks from setup.cfg. Needs the network. The default lock holds for Python 3.11 to 3.13 on x86_64 and aarch64.
set -eu
cd "$(dirname -- "$0")/.."
mkdir -p build
[ -x build/venv-lock/bin/uv ] || { python3 -m venv build/venv-lock && build/venv-lock/bin/python -m pip install -q 'uv>=0.9,<1'; }
# backports-strenum 1.3 declares Python < 3.11, which a resolver for 3.11 and later takes all the same.
printf 'backports-strenum<1.3\n' > build/constraints.txt
compile() { build/venv-lock/bin/uv pip compile -q --upgrade --generate-hashes --python-version 3.11 --no-emit-index-url --no-annotate \
    --custom-compile-command 'make lock' --extra device --extra hub --extra hub-media --extra provision --extra dev --constraint build/constraints.txt "$@" setup.cfg; }
compile --universal --extra litert -o locks/litert.txt
compile --extra tflite -o locks/tflite.txt
