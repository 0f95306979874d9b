#compdef smcrun
# zsh completion of smcrun(1)

# A word, and perhaps :FILE
_smcrun_report() {
  if compset -P '*:'; then
    _files
  else
    compadd -- "$@"
  fi
}

_smcrun() {
  local of long short takes kind list gist action names command=run ret=1
  local -a specs starts
  while IFS='|' read -r of long short takes kind list gist; do
    gist=${gist//:/ }
    if [[ $takes == operand ]]; then
      starts+=("$of:$gist")
      (( CURRENT > 2 )) && [[ $of == $words[2] ]] && command=$of
    fi
    [[ $of == $command ]] || continue
    case $kind in
      file) action=_files ;;
      folder) action='_files -/' ;;
      scenario) action='_files -g "*.lua"' ;;
      words) action="($list)" ;;
      report) action=" _smcrun_report $list" ;;
      *) action=' ' ;;
    esac
    gist=${${gist//\[/\\[}//\]/\\]}
    case $takes in
      operand) specs=("*:$kind:$action") ;;
      value)
        specs+=("*${long}=[$gist]:$kind:$action")
        [[ -z $short ]] || specs+=("*${short}+[$gist]:$kind:$action")
        ;;
      *)
        specs+=("*${long}[$gist]")
        [[ -z $short ]] || specs+=("*${short}[$gist]")
        ;;
    esac
  done <<'END'
@TABLE@
END
  if (( CURRENT == 2 )); then
    _describe -t commands command starts && ret=0
  elif [[ $words[2] == $command ]]; then
    shift words
    (( CURRENT-- ))
  fi
  _arguments -s -S : $specs && ret=0
  return ret
}

_smcrun "$@"
