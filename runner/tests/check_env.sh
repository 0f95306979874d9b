#!/usr/bin/env bash
# check_env.sh SMCRUN: `smcrun check-env`, with `smcrun serve` in the place of the test venues.
# shellcheck disable=SC2154
source "$(dirname "$0")/serve_client.sh"
unset BINANCE_TESTNET_URL BYBIT_TESTNET_URL OANDA_PRACTICE_URL SMCRUN_CA_FILE BINANCE_TESTNET_API_KEY \
    BINANCE_TESTNET_API_SECRET BYBIT_TESTNET_API_KEY BYBIT_TESTNET_API_SECRET OANDA_PRACTICE_API_KEY \
    OANDA_PRACTICE_ACCOUNT_ID

write_env() { # write_env: to .env, what stands on standard input
    cat >.env
    chmod 600 .env
}

keys() {
    printf '%s\n' "BINANCE_TESTNET_API_KEY=$key" "BINANCE_TESTNET_API_SECRET=$secret" "BYBIT_TESTNET_API_KEY=$key" \
        "BYBIT_TESTNET_API_SECRET=$secret" "OANDA_PRACTICE_API_KEY=$token" "OANDA_PRACTICE_ACCOUNT_ID=$account"
}

addresses() { # addresses SCHEME
    printf '%s\n' "BINANCE_TESTNET_URL=$1://127.0.0.1:$venue" "BYBIT_TESTNET_URL=$1://127.0.0.1:$bybit" \
        "OANDA_PRACTICE_URL=$1://127.0.0.1:$oanda"
}

# look STATUS ARG...: $answer is what it printed; no value of a credential is ever part of it.
look() {
    local status value
    answer=$(timeout 60 "$smcrun" check-env "${@:2}" 2>&1)
    status=$?
    checks=$((checks + 1))
    [[ $status == "$1" ]] || complain "check-env ${*:2}: exit status $1, not $status"
    for value in "$key" "$secret" "$token" "$account" wrong-key-0123 wrong-secret-0123; do
        checks=$((checks + 1))
        [[ $answer != *"$value"* ]] || complain "check-env ${*:2}: shows $value"
    done
}

lacks() { # lacks WHAT TEXT
    checks=$((checks + 1))
    [[ $answer != *"$2"* ]] || complain "$1: did not want $2"
}

line() { # line LABEL TEXT: as it stands under a venue
    printf '  %-27s %s' "$1" "$2"
}

# Nobody is asked: only files and variables are looked at.
offline() {
    : | write_env
    look 5 --offline
    has 'nothing is set' "binance    https://testnet.binance.vision" "$(line BINANCE_TESTNET_API_KEY 'not set')" \
        "$(line OANDA_PRACTICE_ACCOUNT_ID 'not set')" "$(line 'its specs' 'skipped: BYBIT_TESTNET_API_KEY is not set')" \
        '0 ready, 3 without credentials, 0 failed'
    lacks 'offline' reachable
    keys | sed '/BYBIT/d; s/^OANDA_PRACTICE_ACCOUNT.*/OANDA_PRACTICE_ACCOUNT_ID=  /' | write_env
    BINANCE_TESTNET_API_SECRET=$secret look 0 --offline
    has 'where they are set' "$(line BINANCE_TESTNET_API_KEY 'set, in .env')" \
        "$(line BINANCE_TESTNET_API_SECRET 'set, in the environment')" "$(line OANDA_PRACTICE_ACCOUNT_ID 'not set')" \
        "$(line 'its specs' 'skipped: OANDA_PRACTICE_ACCOUNT_ID is not set')" '1 ready, 2 without credentials, 0 failed'
    look 5 --offline bybit
    lacks 'the others' binance
    look 0 --offline --require binance
    look 5 --offline --require bybit
    look 5 --offline binance --require oanda
    mv .env other.env
    look 5 --offline
    look 0 --offline --env-file other.env
    has 'another file' "$(line BINANCE_TESTNET_API_KEY 'set, in other.env')"
    chmod 644 other.env
    look 0 --offline --env-file other.env
    has 'others may read it' 'warning: others may read other.env'
    answer=$("$smcrun" --env-file other.env --check-env --offline 2>&1)
    has 'as an option' '1 ready, 2 without credentials, 0 failed'
}

usage() {
    look 3 kraken
    has 'an unknown venue' "no venue is called 'kraken'; there are binance, bybit, oanda"
    look 3 --require kraken
    look 3 --target sandbox
    has 'a sandbox' '--target sandbox has nothing to check'
    look 3 --env-file missing.env
    printf 'A=1\nnot a pair\n' >bad.env
    look 3 --env-file bad.env
    has 'a wrong line' 'bad.env: line 2: KEY=value was expected'
    BINANCE_TESTNET_API_SECRET=abc look 3 --offline
    has 'a short secret' 'smcrun: BINANCE_TESTNET_API_SECRET is too short: a secret has at least 4 characters'
    printf 'FLASK_SECRET=abc\n' >bad.env
    look 5 --env-file bad.env --offline # that is not for us
    BINANCE_TESTNET_URL=https://api.binance.com look 3 --offline
    has 'a foreign address' 'BINANCE_TESTNET_URL moves a testnet to this machine only'
}

# accepted SCHEME: what answers, and takes the key.
accepted() {
    { keys; addresses "$1"; } | write_env
    [[ $1 == http ]] || echo 'SMCRUN_CA_FILE=ca.pem' >>.env
    look 0
    has 'all is well' "binance    $1://127.0.0.1:$venue" "$(line BINANCE_TESTNET_URL 'set, in .env')" \
        "$(line reachable 'yes, within ')" "$(line key accepted)" "$(line 'its specs' run)" \
        '3 ready, 0 without credentials, 0 failed'
    lacks 'all is well' refused
}

# A key that is wrong, and one that the venue does not know.
refused() {
    { keys; addresses http; } | sed 's/^BINANCE_TESTNET_API_SECRET=.*/BINANCE_TESTNET_API_SECRET=wrong-secret-0123/
        s/^OANDA_PRACTICE_API_KEY=.*/OANDA_PRACTICE_API_KEY=wrong-key-0123/' | write_env
    look 1
    has 'refused' "$(line key 'refused: binance account: auth (-1022)')" "$(line key 'refused: oanda account: auth')" \
        "$(line 'its specs' 'will fail')" '1 ready, 0 without credentials, 2 failed'
    look 0 bybit
    look 1 bybit --require oanda
}

skewed() {
    { keys; addresses http; } | write_env
    post /binance/skew '{"seconds":-30}'
    look 1 binance
    has 'a clock that is wrong' "$(line clock '')" ' s behind ours' \
        "$(line key "accepted by the venue's clock only: set the clock of this machine")" 'clock_skew'
    post /binance/skew '{"seconds":0.4}'
    look 0 binance
    has 'a clock that is right enough' ' s ahead of ours'
    post /binance/skew '{"seconds":0}'
}

unreachable() {
    { keys; addresses http; echo "BINANCE_TESTNET_URL=http://127.0.0.1:1"; } | write_env
    look 1
    has 'nobody is there' "$(line reachable 'no: http: network (connect)')" '2 ready, 0 without credentials, 1 failed'
    { addresses http; echo "BINANCE_TESTNET_URL=http://127.0.0.1:1"; } | write_env
    look 5
    has 'not even a key' '0 ready, 3 without credentials, 0 failed'
}

start --tls --ca-file ca.pem || exit 1
offline
usage
accepted https
kill -TERM "$pid"
wait "$pid"
start || exit 1
accepted http
refused
skewed
unreachable
verdict
