#!/usr/bin/env bash
# package.sh BUILD: what is installed is complete and finds itself wherever it lies, and the Debian package holds the same.
# fresh_root.sh in runner/package installs that package on a Debian of its own.
set -euo pipefail
build=$(realpath "$1") source=$(realpath "$(dirname "${BASH_SOURCE[0]}")/../..")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
umask 022

die() {
    printf '%s\n' "$*" >&2
    exit 1
}

equal() { # equal A B: two files or folders
    local out
    out=$(diff "$@") || die "not equal: $*"$'\n'"${out:0:1000}"
}

has() { # has TEXT OUTPUT
    [[ $2 == *"$1"* ]] || die "wanted: $1"$'\n'"$2"
}

cmake --install "$build" --prefix "$work/first" >/dev/null
mkdir empty own own/scenarios
mv first moved
smcrun=$work/moved/bin/smcrun

# All of the tree's scenarios, but nothing that is no scenario.
equal <(cd "$source/scenarios" && find . -type f | sort) <(cd moved/share/smcrun/scenarios && find . -type f | sort)
for file in bindings/meta runner/ci runner/tests/own_venue runner/report/report.schema.json .env.example; do
    equal -r "$source/$file" "moved/share/smcrun/$file"
done
for file in share/doc/smcrun/copyright share/man/man1/smcrun.1.gz share/bash-completion/completions/smcrun \
    share/fish/vendor_completions.d/smcrun.fish share/zsh/site-functions/_smcrun; do
    [[ -s moved/$file ]] || die "$file is not installed"
done

# A page that is installed links to what is installed.
while IFS= read -r page; do
    while IFS= read -r link; do
        [[ -e $(dirname "$page")/$link ]] || die "$page links to $link, which is not installed"
    done < <(grep -oE '\]\([^)#: ]+[)#]' "$page" | sed 's/^](//; s/[)#]$//')
done < <(find moved/share/smcrun -name '*.md')

# Without a path: the folder that lies here, else the installed one, else an error that says so.
equal <("$smcrun" --list "$source/scenarios" | sed "s,^$source/,,") \
    <(cd empty && "$smcrun" --list | sed "s,^$work/moved/share/smcrun/,,")
out=$(cd empty && "$smcrun" --no-color -k connection/binance) || die "$out"
has ', 0 failed, 0 skipped' "$out"
out=$(cd empty && "$smcrun" --list --suite failover 2>&1) || die "$out"
[[ $out == *share/smcrun/scenarios/failover/* && $out != *connection/* ]] || die "not the suite failover: $out"
echo 'it("is here", function() assert.is_true(true) end)' >own/scenarios/mine.lua
out=$(cd own && "$smcrun" --list)
[[ $out == 'scenarios/mine.lua::is here' ]] || die "$out"
rm -r moved/share/smcrun/scenarios
out=$(cd empty && "$smcrun" --list 2>&1) && die 'no scenario, and no error'
has 'name the files or folders to run' "$out"

# The Debian package: the same files, for everybody to read, and what is loaded at run time.
(cd "$build" && cpack -G DEB -B "$work/deb" >"$work/cpack.log" 2>&1) || die "$(cat cpack.log)"
deb=$(echo deb/smcrun_*_"$(dpkg --print-architecture)".deb)
equal <(cd "$source" && find scenarios -type f | sed 's,^,./usr/share/smcrun/,' | sort) \
    <(dpkg-deb --fsys-tarfile "$deb" | tar -t | grep '/scenarios/.*[^/]$' | sort)
out=$(dpkg-deb --fsys-tarfile "$deb" | tar -tv | grep -Ev '^(drwxr-xr-x|-rwxr-xr-x|-rw-r--r--) root/root ') && die "$out"
dpkg-deb --fsys-tarfile "$deb" | tar -t ./usr/share/zsh/vendor-completions/_smcrun >/dev/null || die 'zsh would not find it'
out=$(dpkg-deb -f "$deb" Depends)
for library in ca-certificates libcurl4 libedit2 libwebsockets-evlib-uv libwebsockets17 libuv1 libssl3 libc6; do
    has "$library" ", $out,"
done
