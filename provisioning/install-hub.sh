#!/bin/sh
# Puts the hub on this machine for good, upgrades it, or takes it away: Debian 12 and 13, Raspberry Pi OS (64-bit). Root.
#   install-hub.sh            BROKER=NAME:PORT as cameras are to call this machine; THROWAWAY=1 for a trial's words
#   install-hub.sh uninstall  keeps /var/lib/sealcam-hub; PURGE=/var/lib/sealcam-hub removes that as well
# Run again it upgrades, and changes nothing where nothing has changed. What it puts where: design/hub.md, "Operations".
set -eu
top=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
lib=/usr/lib/sealcam state=/var/lib/sealcam-hub units=/etc/systemd/system
link=$lib/hub bin=/usr/local/bin commands='sealcam-hub sealcam-provision'
mark=$lib/changed # stands from before the first change until what runs has been started anew
names='sealcam-hub.service sealcam-hub-worker@.service sealcam-hub-broker.service sealcam-hub.target'

say() { printf 'sealcam: %s\n' "$*"; }
fail() { printf 'sealcam: error: %s\n' "$1" >&2; [ $# -lt 2 ] || printf 'hint: %s\n' "$2" >&2; exit 1; }

[ "$(id -u)" = 0 ] || fail "this needs root" "sudo make install-hub"
[ -d /run/systemd/system ] || fail "this machine isn't run by systemd" "container/README.md is for Home Assistant OS"

if [ "${1:-}" = uninstall ]; then
    if [ -n "${PURGE:-}" ] && [ "$PURGE" != "$state" ]; then
        fail "PURGE names what goes for ever, and $PURGE isn't it" "PURGE=$state: all keys, and all that was ever seen"
    fi
    systemctl --quiet stop 'sealcam-hub-worker@*.service' 2>/dev/null || :
    for name in $names; do
        [ ! -e "$units/$name" ] || { systemctl --quiet disable --now "$name" 2>/dev/null || :; rm -f "$units/$name"; }
    done
    systemctl daemon-reload
    for name in $commands; do
        [ "$(readlink "$bin/$name" 2>/dev/null)" != "$link/bin/$name" ] || rm -f "$bin/$name"
    done
    rm -rf "$link" "$link.new" "$mark" "$lib"/hub-*
    rmdir "$lib" 2>/dev/null || :
    if [ -z "${PURGE:-}" ]; then
        say "the hub is taken away; its keys and what was seen stay in $state"
    else
        rm -rf "$state"
        say "the hub is taken away, and everything that was in $state"
    fi
    exit 0
fi

# Packages. A packaged Mosquitto starts a broker of its own on port 1883: one that wasn't here before isn't to.
missing=
command -v python3 >/dev/null 2>&1 || missing="$missing python3"
python3 -c 'import ensurepip, venv' 2>/dev/null || missing="$missing python3-venv"
[ -x /usr/sbin/mosquitto ] || missing="$missing mosquitto"
[ -e /usr/share/zoneinfo/UTC ] || missing="$missing tzdata" # a small Debian 12 lacks it
if [ -n "$missing" ]; then
    say "installing$missing"
    export DEBIAN_FRONTEND=noninteractive
    apt-get -qq update >/dev/null || fail "the package lists can't be had" "is the network away? Run the same command again"
    [ -x /usr/sbin/mosquitto ] || ln -sf /dev/null "$units/mosquitto.service"
    # shellcheck disable=SC2086
    apt-get -qq install -y --no-install-recommends $missing >/dev/null || fail "these can't be installed:$missing" "the lines above say why"
    [ "$(readlink "$units/mosquitto.service" 2>/dev/null)" != /dev/null ] || rm -f "$units/mosquitto.service"
    systemctl daemon-reload
    case $missing in *mosquitto*) systemctl --quiet disable mosquitto.service 2>/dev/null || : ;; esac
fi
python3 -c 'import struct, sys; sys.exit(not ((3, 11) <= sys.version_info[:2] <= (3, 13) and struct.calcsize("P") == 8))' ||
    fail "the hub needs Python 3.11 to 3.13, 64-bit" "Debian 12 or 13 and Raspberry Pi OS (64-bit) have it"

# Programs: a folder for each version, named by what it was made from, and a link that is turned in one step.
lock=$( (cat "$top/locks/hub.txt"; python3 --version) | sha256sum | cut -c1-12)
product=$(cd "$top" && find firmware/sealcam hub provisioning/sealcam_provision models/verdict setup.cfg pyproject.toml -type f \
    ! -name '*.pyc' -print0 | sort -z | xargs -0 sha256sum | sha256sum | cut -c1-12)
new=$lib/hub-$lock-$product
changed=
[ ! -e "$mark" ] || changed=1
change() { mkdir -p "$lib"; touch "$mark"; changed=1; }
if [ ! -e "$new/.whole" ]; then
    say "installing the programs into $new (a minute or two)"
    rm -rf "$new"
    mkdir -p "$lib"
    old=$(find "$lib" -maxdepth 1 -name "hub-$lock-*" | head -n 1)
    pip="$new/bin/python -m pip install -q --disable-pip-version-check --no-input --no-deps"
    if [ -n "$old" ] && [ -e "$old/.whole" ]; then
        cp -a "$old" "$new" && rm "$new/.whole"
    else
        python3 -m venv "$new"
        $pip --require-hashes -r "$top/locks/hub.txt" || fail "the hub's libraries can't be had" "pip's lines above say why; run the same command again"
    fi
    room=$(mktemp -d)
    trap 'rm -rf "$room"' EXIT
    (cd "$top" && tar -cf - --exclude='*.pyc' --exclude='*.egg-info' firmware hub provisioning models systemd setup.cfg pyproject.toml README.md LICENSE) | tar -xf - -C "$room"
    $pip --force-reinstall --no-index --no-build-isolation "$room" || fail "the hub can't be installed" "the lines above say why"
    touch "$new/.whole"
fi
if [ "$(readlink "$link" 2>/dev/null)" != "$new" ]; then
    change
    ln -sfn "$new" "$link.new"
    mv -T "$link.new" "$link"
fi
for name in $commands; do ln -sfn "$link/bin/$name" "$bin/$name"; done

# User, folder, units.
install_file() { # install_file FROM TO: only where it differs
    cmp -s "$1" "$2" || { change; install -D -m 0644 "$1" "$2"; }
}
id -u sealcam-hub >/dev/null 2>&1 || useradd --system --user-group --home-dir "$state" --no-create-home --shell /usr/sbin/nologin sealcam-hub
install -d -m 0700 -o sealcam-hub -g sealcam-hub "$state"
find "$state" -ignore_readdir_race -xdev ! -user sealcam-hub -execdir chown -h sealcam-hub:sealcam-hub {} + # of a folder that was copied back
for name in $names; do
    draft=$(mktemp)
    sed "s#$lib/venv#$link#" "$top/systemd/system/$name" >"$draft"
    install_file "$draft" "$units/$name"
    rm -f "$draft"
done
[ -z "$changed" ] || systemctl daemon-reload
systemctl --quiet enable sealcam-hub.target sealcam-hub.service sealcam-hub-broker.service

# The hub itself: its 24 words are shown to a person, so without one it waits.
if [ ! -e "$state/hub.toml" ]; then
    broker=${BROKER:-$(hostname).local:8883}
    as_hub="runuser -u sealcam-hub -- $link/bin/sealcam-hub --state $state"
    if [ -n "${THROWAWAY:-}" ]; then
        $as_hub init --broker "$broker" --throwaway
    elif [ -t 0 ] && [ -t 1 ]; then
        $as_hub init --broker "$broker"
    else
        say "installed. Now make the hub, at a terminal: $as_hub init --broker $broker"
        say "then: systemctl start sealcam-hub.target"
        rm -f "$mark" # nothing runs yet
        exit 0
    fi
fi

if [ -n "$changed" ]; then
    systemctl restart sealcam-hub-broker.service sealcam-hub.service || fail "the hub doesn't start" "journalctl -u sealcam-hub -u sealcam-hub-broker says why; the version before is in $lib"
    find "$lib" -maxdepth 1 -name 'hub-*' ! -path "$new" -exec rm -rf {} +
    rm -f "$mark"
else
    systemctl start sealcam-hub.target sealcam-hub-broker.service sealcam-hub.service
fi
say "the hub runs: ${changed:+upgraded or }as it was installed, $new"
if [ -t 1 ] && [ ! -e "$state/keys/passphrase" ]; then
    say "its console, to be opened once, by you, on this machine:"
    "$link/bin/sealcam-hub" --state "$state" link || :
else
    say "its console: sealcam-hub link"
fi
