#!/bin/sh
# Puts the add-on together in DIR, which then is copied into /addons of Home Assistant OS:  container/make.sh DIR
set -eu
top=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
to=${1:-}
[ -n "$to" ] && [ ! -e "$to" ] || { echo "usage: container/make.sh DIR, a folder that isn't there yet" >&2; exit 2; }
python=${PYTHON:-$top/build/venv/bin/python}
[ -x "$python" ] || { echo "sealcam: error: the environment isn't set up" >&2; echo "hint: make setup" >&2; exit 1; }
room=$(mktemp -d)
trap 'rm -rf "$room"' EXIT
(cd "$top" && tar -cf - --exclude='*.pyc' --exclude='*.egg-info' firmware hub provisioning models setup.cfg pyproject.toml README.md LICENSE) | tar -xf - -C "$room"
mkdir -p "$to"
"$python" -m pip wheel -q --disable-pip-version-check --no-deps --no-build-isolation --no-index -w "$to" "$room"
cp "$top/container/sealcam_hub/config.yaml" "$top/container/sealcam_hub/Dockerfile" "$top/container/sealcam_hub/run.sh" "$to"
cp "$top/locks/hub.txt" "$to"
echo "sealcam: the add-on is in $to; copy it to /addons/sealcam_hub and look for it under local add-ons"
