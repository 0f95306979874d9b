#!/bin/sh
# layers.sh ROOT [CC]: fails when an #include points up or sideways, a public header does not stand alone, a file is too
# long, or a text names a machine or an unfinished thing.
cd "${1:?usage: layers.sh ROOT [CC]}" || exit 2
cc=${2:-cc}
rc=0

bad() { # bad WHY HITS: a line for each hit
    [ -z "$2" ] || { printf '%s\n' "$2" | awk -v why="$1" '{ print why ": " $0 }'; rc=1; }
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
deny 'hiredis belongs to core/net/redis*' 'hiredis' core bindings runner ! -path 'core/net/redis*'
deny 'OpenSSL belongs to core/sign and core/net/tls*' 'openssl/' core bindings runner \
    ! -path 'core/sign/*' ! -path 'core/net/tls*' ! -path 'core/tests/*' ! -path 'runner/bench/*'
deny 'bindings see core/include/smc only' '[^">]*\.\./|smcr|(net|base|sign|market|policy)/' bindings
deny 'the runner sees core/include/smc and smcb*.h only' '[^">]*\.\./|(net|base|sign|market|policy)/' runner
bad 'a public header includes the C library and smc/ only' "$(grep -n '#include' core/include/smc/*.h |
    grep -vE '#include ("smc/[a-z0-9_]+\.h"|<(std[a-z]+|inttypes|limits|string|time)\.h>)$')"

sideways() { # "file includes header" for each #include of a folder that is neither base nor the file's own
    for header in core/include/smc/*.h; do
        name=$(basename "$header" .h)
        echo "header $name $(folder_of "$name")"
    done | cat - "$1" | awk '
        $1 == "header" { $1 = ""; name = $2; $2 = ""; of[name] = $0 " "; next }
        { split($1, path, "/") }
        index(of[$2], " base ") == 0 && index(of[$2], " " path[2] " ") == 0 {
            print $1 " includes smc/" $2 ".h, which is neither of core/" path[2] " nor of core/base"
        }'
}
includes=$(mktemp)
for folder in base net sign market policy; do public_includes core/$folder; done >"$includes"
bad 'inside core every folder sees itself and base' "$(sideways "$includes")"
rm -f "$includes"

for header in core/include/smc/*.h; do
    bad "$header does not compile alone" \
        "$("$cc" -std=c11 -fsyntax-only -Wall -Werror -Icore/include -x c "$header" 2>&1)"
done
bad 'over 600 lines' "$(find core bindings runner scenarios vendor .ci -type f \( -name '*.[ch]' -o -name '*.lua' -o \
    -name '*.sh' -o -name bootstrap -o -name run \) -exec awk 'END { if (NR > 600) print FILENAME ": " NR }' {} \;)"
bad 'a machine or an unfinished thing' "$(find core bindings runner scenarios vendor .ci CMakeLists.txt README.md -type f \
    -exec grep -nIE '\b[T]ODO\b|\b[F]IXME\b|\b[X]XX\b|/[w]ork/|/[r]oot/|/[h]ome/|registry\.[n]pmjs|[d]eb\.debian\.org' /dev/null {} +)"
exit $rc
