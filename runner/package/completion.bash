# bash completion of smcrun(1)

_smcrun() {
    local line=${COMP_LINE:0:COMP_POINT} cur option command=run commands='' options='' kind='' words='' value=''
    local of long short takes k w _
    local -a typed
    read -ra typed <<<"$line"
    [[ $line != *[[:blank:]] ]] || typed+=('')
    cur=${typed[-1]} option=${typed[-2]}
    if [[ $cur == --*=* ]]; then
        option=${cur%%=*} cur=${cur#*=}
    fi
    while IFS='|' read -r of long short takes k w _; do
        if [[ $takes == operand ]]; then
            commands+=" $of"
            [[ ${#typed[@]} -le 2 || $of != "${typed[1]}" ]] || command=$of
        fi
        [[ $of == "$command" ]] || continue
        case $takes:$option in
        operand:*) kind=$k words=$w options='' value='' ;;
        value:"$long" | value:"${short:-none}") kind=$k words=$w value=yes ;;
        esac
        options+=" $long $short"
    done <<'END'
@TABLE@
END
    [[ $value != '' || $cur != -* ]] || kind=words words=$options
    [[ ${#typed[@]} -eq 2 ]] || commands=''
    # Only what is behind the last : or = is replaced.
    [[ $kind != report || $cur != *:* ]] || kind=file cur=${cur#*:}
    case $kind in
    words | report) mapfile -t COMPREPLY < <(compgen -W "$words" -- "$cur") ;;
    file) mapfile -t COMPREPLY < <(compgen -f -- "$cur") ;;
    folder) mapfile -t COMPREPLY < <(compgen -d -- "$cur") ;;
    scenario)
        mapfile -t COMPREPLY < <(
            compgen -W "$commands" -- "$cur"
            compgen -d -- "$cur"
            compgen -f -X '!*.lua' -- "$cur"
        )
        ;;
    *) COMPREPLY=() ;;
    esac
    [[ $kind == words || $kind == report ]] || compopt -o filenames 2>/dev/null
}
complete -F _smcrun smcrun
