#!/bin/sh
# Gets real footage to try the camera with: build/footage/vtest.avi and tree.avi, from Debian's package opencv-doc.
# Needs no root: the package is downloaded and unpacked, not installed. Does nothing the second time.
set -eu
top=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
target=$top/build/footage
inside=usr/share/doc/opencv-doc/examples/data
sums='45cddc9490be69345cbdab64ca583be65987e864ca408038e648db99e10516cf  vtest.avi
4666099d0f704e310047b2f0a5ec9f936cb76a7271de9a2e70a0c57f82ac82dc  tree.avi'

say() { printf 'sealcam: %s\n' "$*" >&2; }
fail() { printf 'sealcam: error: %s\n' "$1" >&2; [ $# -lt 2 ] || printf 'hint: %s\n' "$2" >&2; exit 1; }
good() { (cd "$1" 2>/dev/null && printf '%s\n' "$sums" | sha256sum --check --status 2>/dev/null); }

if good "$target"; then exit 0; fi
mkdir -p "$target"
work=$(mktemp -d "$top/build/footage-XXXXXX")
trap 'rm -rf "$work"' EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM

keep() { # keep FOLDER: the two files in it are what they should be; put them in place, each whole or not at all
    good "$1" || fail "the footage isn't what was expected: another size or checksum" "run the same command again, or name a recording of your own: make run CAMERA=FILE"
    for file in vtest.avi tree.avi; do
        cp "$1/$file" "$work/whole" && mv -f "$work/whole" "$target/$file" ||
            fail "the footage can't be written to build/footage" "is the disk full? $(df -h "$target" | awk 'NR==2{print $4}') are free"
    done
    exit 0
}

if good "/$inside"; then keep "/$inside"; fi # the package is installed already

hint='name a recording of your own instead: make run CAMERA=FILE'
for tool in apt-get dpkg-deb; do
    command -v "$tool" >/dev/null 2>&1 || fail "the footage comes as a Debian package, and there is no $tool here" "$hint"
done
fetch() { (cd "$work" && apt-get "$@" download opencv-doc) >"$work/log" 2>&1; }
unpack() {
    dpkg-deb --fsys-tarfile "$work"/opencv-doc_*.deb | tar -x -C "$work" "./$inside/vtest.avi" "./$inside/tree.avi"
}

say "getting real footage from Debian's package opencv-doc (95 MB, once)"
if ! fetch; then
    # Most often the package lists are missing or old. Lists of our own need no root.
    mkdir -p "$work/lists/partial" "$work/cache/archives/partial"
    say "asking for the package lists"
    set -- -o "Dir::State::lists=$work/lists" -o "Dir::Cache=$work/cache"
    { apt-get -qq "$@" update >"$work/log" 2>&1 && fetch "$@"; } || {
        sed -n 's/^[EW]: /  /p' "$work/log" | head -n 3 >&2
        fail "the package opencv-doc could not be downloaded" "is the network up? Then run the same command again; or $hint"
    }
fi
unpack 2>"$work/log" || fail "the package opencv-doc can't be unpacked: $(head -n 1 "$work/log")" \
    "is the disk full? $(df -h "$target" | awk 'NR==2{print $4}') are free"
keep "$work/$inside"
