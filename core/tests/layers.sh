#!/bin/sh
# layers.sh ROOT [CC]: fails when an #include points up or sideways, a public header does not stand alone, a file is too
# long, or a text names a machine or an unfinished thing.
cd "${1:?usage: layers.sh ROOT [CC]}" || exit 2
cc=${2:-cc}
rc=0

bad() { # bad WHY HITS
    [ -z "$2" ] || { printf '%s\n%s\n' "$1" "$2"; rc=1; }
}
deny() { # deny WHY REGEX FIND-ARGUMENTS...: no #include in these files may match
    why=$1 regex=$2
    shift 2
    bad "$why" "$(find "$@" -name '*.[ch]' -exec grep -nE "^[[:space:]]*#[[:space:]]*include[[:space:]]*[<\"]($regex)" /dev/null {} +)"
}
folder_of() { # folder_of NAME: the core folder of a public header: it has the header's name, or sources that have it
    find core/base core/net core/sign core/market core/policy \( -name "$1.c" -o -name "$1_*.c" -o -path "core/${1%%_*}/*.c" \) \
        -printf '%h ' | sed 's,core/,,g'
}
public_includes() { # public_includes FOLDER: "file name" for each #include "smc/<name>.h" below it
    grep -roE --include='*.[ch]' '^[[:space:]]*#[[:space:]]*include "smc/[a-z0-9_]+\.h' "$1" |
        sed -E 's,^([^:]*):.*smc/([a-z0-9_]+)\.h$,\1 \2,'
}

deny 'core knows neither Lua nor bindings nor runner' \
    '(lua|lauxlib|lualib|luajit)|smcb|smcr|[^">]*(bindings|runner)/' core
deny 'libuv belongs to core/net' '(uv\.h|uv/)' core bindings runner ! -path 'core/net/*' ! -path 'core/tests/*'
# The peers of the benches use what we are measured against.
deny 'libcurl belongs to core/net/http_*' 'curl/' core bindings runner ! -path 'core/net/http_*' ! -path 'runner/bench/*'
deny 'libwebsockets belongs to core/net/ws_*' 'libwebsockets' core bindings runner ! -path 'core/net/ws_*'
deny 'OpenSSL belongs to core/sign and core/net/tls*' 'openssl/' core bindings runner \
    ! -path 'core/sign/*' ! -path 'core/net/tls*' ! -path 'core/tests/*' ! -path 'runner/bench/*'
deny 'bindings see core/include/smc only' '[^">]*\.\./|smcr|(net|base|sign|market|policy)/' bindings
deny 'the runner sees core/include/smc and smcb*.h only' '[^">]*\.\./|(net|base|sign|market|policy)/' runner
bad 'a public header includes the C library and smc/ only' "$(grep -n '#include' core/include/smc/*.h |
    grep -vE '#include ("smc/[a-z0-9_]+\.h"|<(std[a-z]+|inttypes|limits|string|time)\.h>)$')"

for folder in base net sign market policy; do
    public_includes core/$folder | while read -r file name; do
        case "$(folder_of "$name")" in
        *base* | *$folder*) ;;
        *) echo "$file includes smc/$name.h, which is neither of core/$folder nor of core/base" ;;
        esac
    done
done >"${TMPDIR:-/tmp}/layers.$$"
bad 'inside core every folder sees itself and base' "$(cat "${TMPDIR:-/tmp}/layers.$$")"
rm -f "${TMPDIR:-/tmp}/layers.$$"

for header in core/include/smc/*.h; do
    bad "$header does not compile alone" \
        "$("$cc" -std=c11 -fsyntax-only -Wall -Werror -Icore/include -x c "$header" 2>&1)"
done
bad 'over 600 lines' "$(find core bindings runner scenarios vendor .ci -type f \( -name '*.[ch]' -o -name '*.lua' -o \
    -name '*.sh' -o -name bootstrap -o -name run \) -exec awk 'END { if (NR > 600) print FILENAME ": " NR }' {} \;)"
bad 'a machine or an unfinished thing' "$(find core bindings runner scenarios vendor .ci CMakeLists.txt README.md -type f \
    -exec grep -nIE '\b[T]ODO\b|\b[F]IXME\b|\b[X]XX\b|/[w]ork/|/[r]oot/|/[h]ome/|registry\.[n]pmjs|[d]eb\.debian\.org' /dev/null {} +)"
exit $rc
