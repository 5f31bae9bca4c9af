#!/bin/sh
# What the tests need beside the Python environment: Mosquitto (`broker`: that alone), node, GStreamer; for `system` also
# nspawn and podman, for `vm` nspawn and QEMU, for `web` Chromium. `eval`: Debian's motion alone, which sight is compared with.
set -eu
need() { # need COMMAND PACKAGE
    command -v "$1" >/dev/null 2>&1 || [ -x "/usr/sbin/$1" ] || missing="${missing:-} $2"
}
if [ "${1:-}" = eval ]; then need motion motion; else need mosquitto mosquitto; fi
if [ "${1:-}" != broker ] && [ "${1:-}" != eval ]; then need mosquitto_sub mosquitto-clients; need node nodejs; need ffprobe ffmpeg; fi
# Tests start a PostgreSQL of their own; Debian's would make a cluster for the whole machine, too.
if [ "${1:-}" != broker ] && [ "${1:-}" != eval ] && ! ls /usr/lib/postgresql/*/bin/postgres >/dev/null 2>&1; then missing="${missing:-} postgresql"; fi
# GStreamer, for what a Jetson's camera and encoder go through; its bindings are for Debian's own version of Python.
version='import sys; print(sys.version_info[:2])'
if [ "${1:-}" != broker ] && [ "${1:-}" != eval ] && [ -x build/venv/bin/python ] && [ -x /usr/bin/python3 ] \
    && [ "$(build/venv/bin/python -c "$version")" = "$(/usr/bin/python3 -c "$version")" ]; then
    for part in "python3-gi python3/dist-packages/gi/__init__.py" "gir1.2-gst-plugins-base-1.0 */girepository-1.0/GstApp-1.0.typelib" \
        "gstreamer1.0-plugins-base */gstreamer-1.0/libgstvideotestsrc.so" "gstreamer1.0-plugins-bad */gstreamer-1.0/libgstvideoparsersbad.so" "gstreamer1.0-plugins-ugly */gstreamer-1.0/libgstx264.so"; do
        # shellcheck disable=SC2086
        ls /usr/lib/${part#* } >/dev/null 2>&1 || missing="${missing:-} ${part%% *}"
    done
fi
if [ "${1:-}" = web ]; then need chromium chromium; fi
if [ "${1:-}" = system ]; then need podman podman; need runc runc; fi
if [ "${1:-}" = system ] || [ "${1:-}" = vm ]; then need mmdebstrap mmdebstrap; need systemd-nspawn systemd-container; fi
if [ "${1:-}" = vm ]; then need qemu-system-x86_64 qemu-system-x86; need mke2fs e2fsprogs; fi

# The opener's pinned library, to compare with the copy that is shipped. Debian's npm is 300 packages: not for this alone.
opener=build/opener
if [ "${1:-}" != broker ] && [ "${1:-}" != eval ] && command -v npm >/dev/null 2>&1 && ! cmp -s hub/opener/package-lock.json $opener/done; then
    mkdir -p $opener
    cp hub/opener/package.json hub/opener/package-lock.json $opener/
    if (cd $opener && npm ci --ignore-scripts --no-audit --no-fund >npm.log 2>&1); then cp $opener/package-lock.json $opener/done
    else printf "sealcam: the opener's library could not be fetched to compare it; %s/npm.log says why\n" $opener >&2; fi
fi
# An S3 server, for the off-site copy; its tests are skipped without it.
if [ "${1:-}" != broker ] && [ "${1:-}" != eval ] && [ -x build/venv/bin/python ] && ! cmp -s locks/s3.txt build/s3/done; then
    if build/venv/bin/python -m venv build/s3 && build/s3/bin/python -m pip install -q --disable-pip-version-check --no-input \
        --no-deps --require-hashes -r locks/s3.txt; then cp locks/s3.txt build/s3/done
    else printf 'sealcam: no S3 server could be had; what needs one is skipped\n' >&2; fi
fi
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
case "$missing" in *postgresql*)
    if [ ! -e /etc/postgresql-common/createcluster.conf ]; then
        $root mkdir -p /etc/postgresql-common
        printf 'create_main_cluster = false\n' | $root tee /etc/postgresql-common/createcluster.conf >/dev/null
    fi ;;
esac
# shellcheck disable=SC2086
$root env DEBIAN_FRONTEND=noninteractive apt-get -qq install -y --no-install-recommends $missing >/dev/null
# A packaged motion would film from /dev/video0 after the next start of the machine: nobody asked for that at all.
if [ "${1:-}" = eval ]; then $root systemctl --quiet disable motion >/dev/null 2>&1 || $root rm -f /etc/systemd/system/multi-user.target.wants/motion.service; fi
