#!/bin/bash
# What the container runs: makes the hub once the owner's device has signed it, then the broker and the hub. When one of
# the two ends, so does the container, and its supervisor starts it again.
set -euo pipefail
state=${SEALCAM_HUB_STATE:-/data/hub} share=${SEALCAM_SHARE:-/share/sealcam} options=${SEALCAM_OPTIONS:-/data/options.json}
console=${SEALCAM_CONSOLE:-0.0.0.0:8480} metrics=${SEALCAM_METRICS:-127.0.0.1:9480}
umask 077

# The supervisor's file is root's alone: it is read before root is given up.
if [ -z "${SEALCAM_BROKER+read}" ] && [ -e "$options" ]; then
    # Exactly one object: of an empty file jq 1.6 makes nothing, and calls it well.
    if ! SEALCAM_BROKER=$(jq -ers 'if length == 1 then .[0].broker // "" | strings else empty end' "$options"); then
        echo "sealcam: $options can't be read: look at the add-on's configuration, and start it again" >&2
        exit 1
    fi
    export SEALCAM_BROKER
fi

if [ "$(id -u)" = 0 ] && id sealcam-hub >/dev/null 2>&1 && [ -z "${SEALCAM_AS_ROOT:-}" ]; then
    mkdir -p "$state" "$share"
    chown -R sealcam-hub: "$state"
    chown sealcam-hub: "$share"
    export SEALCAM_AS_ROOT=no
    exec setpriv --reuid sealcam-hub --regid sealcam-hub --init-groups --no-new-privs --bounding-set=-all /bin/bash "$0"
fi

# The 24 words are never typed here: `sealcam-hub words new -o owner` makes them on the owner's own device.
mkdir -p "$share"
told=
while [ ! -e "$state/hub.toml" ]; do
    if [ -e "$share/signed" ]; then
        sealcam-hub --state "$state" init --broker "${SEALCAM_BROKER:-homeassistant.local:8883}" --signed "$share/signed"
        rm -f "$share/owner" "$share/request" "$share/signed"
    elif [ -e "$share/owner" ] && [ ! -e "$share/request" ]; then
        sealcam-hub --state "$state" init --owner "$share/owner" -o "$share/request"
        echo "sealcam: sign $share/request on your own device: sealcam-hub words sign request -o signed"
    else
        [ -n "$told" ] || echo "sealcam: waiting for $share/owner, of \`sealcam-hub words new -o owner\` on your own device; then for $share/signed"
        told=1
        sleep 2 &
        wait $!
    fi
done

stopped=
ended() { kill "$broker_pid" "$hub_pid" 2>/dev/null || true; }
trap 'stopped=1; ended' TERM INT
mosquitto -c "$state/broker/mosquitto.conf" &
broker_pid=$!
sealcam-hub --state "$state" serve --console "$console" --metrics "$metrics" &
hub_pid=$!
code=0
wait -n "$broker_pid" "$hub_pid" || code=$?
ended
wait || true
[ -z "$stopped" ] || code=0 # it was told to
exit "$code"
