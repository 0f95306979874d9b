#!/usr/bin/env bash
# canary.sh SMCRUN: credentials that would be known again, and everything that a run writes.  They must be in none of it:
# neither plain, nor in hex, base64 or percent form; nor a signature that they have made.
# shellcheck disable=SC2154,SC2034
here=$(realpath "$(dirname "$0")")
source "$here/serve_client.sh"
unset BINANCE_TESTNET_URL BYBIT_TESTNET_URL OANDA_PRACTICE_URL SMCRUN_CA_FILE BINANCE_TESTNET_API_KEY \
    BINANCE_TESTNET_API_SECRET BYBIT_TESTNET_API_KEY BYBIT_TESTNET_API_SECRET OANDA_PRACTICE_API_KEY \
    OANDA_PRACTICE_ACCOUNT_ID
key=cAn4ryKey-Zq7Wv9Xk2JfR5 secret='cAn4ry+s3cret/of=Bin%ance&"x' token=cAn4ry-t0ken-0fOanda
credentials="--key $key --secret $secret --token $token --account $account"
ulimit -c unlimited 2>/dev/null

start --tls --ca-file ca.pem || { cat err; exit 1; }
openssl req -x509 -newkey rsa:2048 -nodes -keyout /dev/null -out other.pem -days 2 -subj /CN=other 2>/dev/null
write_env() { # write_env CA
    printf '%s\n' "BINANCE_TESTNET_API_KEY=$key" "BINANCE_TESTNET_API_SECRET='$secret'" "BYBIT_TESTNET_API_KEY=$key" \
        "BYBIT_TESTNET_API_SECRET='$secret'" "OANDA_PRACTICE_API_KEY=$token" "OANDA_PRACTICE_ACCOUNT_ID=$account" \
        "BINANCE_TESTNET_URL=https://127.0.0.1:$venue" "BYBIT_TESTNET_URL=https://localhost:$bybit" \
        "OANDA_PRACTICE_URL=https://127.0.0.1:$oanda" "SMCRUN_CA_FILE=$work/$1" >.env
    chmod 600 .env
}
mkdir out
cp "$here/canary.lua" out

# Every report that there is, to a file each, and what people see.
mapfile -t formats < <("$smcrun" --help | sed -n 's/^ *--report \([a-z0-9|]*\).*/\1/p' | tr '|' '\n' | grep -v pretty)
reports=(--report pretty)
for format in "${formats[@]}"; do reports+=(--report "$format:report.$format"); done

# told NAME STATUS ARG...: a run in out/, all of whose output is kept
told() {
    local status
    checks=$((checks + 1))
    (cd out && GITHUB_STEP_SUMMARY=summary.$1.md timeout 120 "$smcrun" "${@:3}" >"stdout.$1" 2>"stderr.$1")
    status=$?
    answer=$(tail -n 5 "out/stdout.$1" "out/stderr.$1")
    [[ $status == "$2" ]] || complain "${*:3}: exit status $2, not $status"
}

everything=(--target testnet --env-file ../.env --state-dir state --seed 1 --hang-after 2 canary.lua)
write_env ca.pem
told all 2 -v --transcripts transcripts "${reports[@]}" "${everything[@]}"
has 'the last line' '3 passed, 11 failed, 0 skipped'
told quiet 1 -q -k 'shows or refused' --report github "${everything[@]}"
write_env other.pem
told handshake 1 -v -k trades --transcripts strangers "${reports[@]/report./strange.}" "${everything[@]}"
has 'a failing handshake' '0 passed, 3 failed, 0 skipped'
# What the command line and the file of credentials do wrong.
printf 'this is %s\n' "$secret" >>.env
told env 3 "${everything[@]}"
has 'a broken file' '.env'

get $control /binance/requests?limit=1000
printf '%s\n' "$answer" >served
get $control /bybit/requests?limit=1000
printf '%s\n' "$answer" >>served
answer=$(/usr/bin/python3 - "$key" "$secret" "$token" <<'EOF_PY'
import base64, pathlib, re, sys, urllib.parse
needles = {}
for value in sys.argv[1:]:
    raw = value.encode()
    needles |= {raw.hex().encode(): "hex", raw.hex().upper().encode(): "HEX",
                urllib.parse.quote(value, safe="").encode(): "percent",
                raw[-10:]: "its end", "".join(f"%{b:02X}" for b in raw).encode(): "all percent", value.replace('"', '\\"').encode(): "JSON",
                value.replace("&", "&amp;").replace('"', "&quot;").encode(): "XML", raw: "plain"}
    for before in range(3):  # what of it does not depend on its neighbours
        for alphabet in (base64.b64encode, base64.urlsafe_b64encode):
            text = alphabet(b"\0" * before + raw)
            needles[text[(8 * before + 5) // 6: 8 * (before + len(raw)) // 6]] = "base64"
signatures = set(re.findall(rb"[0-9a-f]{64}", pathlib.Path("served").read_bytes()))
needles |= {s: "signature" for s in signatures}
files = [p for p in pathlib.Path("out").rglob("*") if p.is_file()]
size = 0
for path in files:
    data = path.read_bytes()
    size += len(data)
    for needle, form in needles.items():
        if needle in data:
            at = data.index(needle)
            print(f"{path}: {form}: {data[max(0, at - 60):at]!r}")
    for found in re.findall(rb"(?<![0-9a-fA-F])[0-9a-fA-F]{64}(?![0-9a-fA-F])", data)[:1]:
        print(f"{path}: what looks like a signature: {found!r}")
    if path.name.startswith("core") or data.startswith(b"\x7fELF"):
        print(f"{path}: a core")
print(f"{len(signatures)} signatures, {len(files)} files, {size} bytes, {sum(b'***' in p.read_bytes() for p in files)} with ***")
EOF_PY
)
checks=$((checks + 2))
[[ $answer != *$'\n'* ]] || complain 'nothing shows'
read -r signatures _ files _ bytes _ hidden _ <<<"${answer##*$'\n'}"
((signatures >= 12 && files >= 30 && bytes > 100000 && hidden >= 7)) || complain 'enough was signed and written'
verdict
