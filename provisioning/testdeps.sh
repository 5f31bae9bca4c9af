#!/bin/sh
# What the tests need beside the Python environment: Mosquitto (`broker`: that alone); for `system` also nspawn, for `web` Chromium.
set -eu
need() { # need COMMAND PACKAGE
    command -v "$1" >/dev/null 2>&1 || [ -x "/usr/sbin/$1" ] || missing="${missing:-} $2"
}
need mosquitto mosquitto
[ "${1:-}" = broker ] || need mosquitto_sub mosquitto-clients
if [ "${1:-}" = web ]; then need chromium chromium; fi
if [ "${1:-}" = system ]; then need mmdebstrap mmdebstrap; need systemd-nspawn systemd-container; fi
[ -n "${missing:-}" ] || exit 0
if [ "$(id -u)" = 0 ]; then root=; elif command -v sudo >/dev/null 2>&1; then root=sudo; else
    printf 'sealcam: error: the tests need%s\nhint: apt-get install%s\n' "$missing" "$missing" >&2; exit 1; fi
printf 'sealcam: installing%s\n' "$missing" >&2
# A packaged Mosquitto starts a system-wide broker on port 1883: nobody asked for that one, so keep it from starting.
if [ ! -e /usr/sbin/policy-rc.d ]; then
    trap '$root rm -f /usr/sbin/policy-rc.d' EXIT # without the three below, a signal would leave it behind
    trap 'exit 129' HUP
    trap 'exit 130' INT
    trap 'exit 143' TERM
    printf '#!/bin/sh\nexit 101\n' | $root tee /usr/sbin/policy-rc.d >/dev/null && $root chmod +x /usr/sbin/policy-rc.d
fi
$root apt-get -qq update >/dev/null
# shellcheck disable=SC2086
$root env DEBIAN_FRONTEND=noninteractive apt-get -qq install -y --no-install-recommends $missing >/dev/null
