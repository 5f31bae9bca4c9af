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
# What `make install-hub` installs: the same versions, without what cameras and developers need.
sed -E 's/ ?\\$//; /^ +--hash/d; /^#/d' locks/litert.txt >build/hub.constraints
printf 'setuptools>=77\n' >build/hub.in
build/venv-lock/bin/uv pip compile -q --universal --generate-hashes --python-version 3.11 --no-emit-index-url --no-annotate \
    --custom-compile-command 'make lock' --extra hub --extra hub-media --extra litert --constraint build/hub.constraints \
    setup.cfg build/hub.in -o locks/hub.txt
# The S3 server that tests of the off-site copy talk to: a process of its own, in an environment of its own.
printf 'moto[s3]>=5\nflask\nflask-cors\n' >build/s3.in
build/venv-lock/bin/uv pip compile -q --upgrade --universal --generate-hashes --python-version 3.11 --no-emit-index-url --no-annotate \
    --custom-compile-command 'make lock' build/s3.in -o locks/s3.txt
