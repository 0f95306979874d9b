#!/usr/bin/env bash
# fresh_root.sh DEB [MIRROR]: installs the package, with what it depends on, on a Debian 12 made for the purpose, and runs
# the default scenarios there, as nobody, in an empty folder.  Wants root, debootstrap, and a Debian mirror.
set -euo pipefail
deb=$(realpath "${1:?usage: fresh_root.sh DEB [MIRROR]}")
root=$(mktemp -d)
chmod 755 "$root" # nobody, too, walks through it
mounted=''

leave() {
    [[ -z $mounted ]] || umount "$root/proc" "$root/dev/shm"
    rm -rf --one-file-system "$root"
}
trap leave EXIT

inside() {
    chroot "$root" /usr/bin/env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C DEBIAN_FRONTEND=noninteractive "$@"
}

echo 'fresh_root: a new Debian 12' >&2
debootstrap --variant=minbase bookworm "$root" ${2:+"$2"} >"$root.log" 2>&1 || { cat "$root.log" >&2; exit 1; }
rm -f "$root.log"
mkdir -p "$root/dev/shm"
mount -t proc proc "$root/proc"
mount -t tmpfs tmpfs "$root/dev/shm"
mounted=yes

cp "$deb" "$root/tmp/smcrun.deb"
inside apt-get -q -y install --no-install-recommends /tmp/smcrun.deb >&2
inside smcrun --version
out=$(inside setpriv --reuid nobody --regid nogroup --clear-groups env HOME=/nonexistent TMPDIR=/tmp \
    sh -c 'cd "$(mktemp -d)" && exec smcrun --no-color') || { printf '%s\n' "$out" >&2; exit 1; }
printf '%s\n' "$out" | tail -n 1
programs=$(inside smcrun --list --tag process | wc -l) # which are not allowed here
[[ ${out##*$'\n'} == *[1-9]*" passed, 0 failed, $programs skipped" ]]

# What it brought, it takes away.
inside apt-get -q -y purge smcrun >&2
[[ -z $(find "$root" -xdev -path "$root/tmp" -prune -o -name '*smcrun*' -print -quit) ]]
