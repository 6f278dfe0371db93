# Completion of nlctl for bash: source <(nlctl completions bash)
# Of an alias: alias conntrack='nlctl conntrack'; complete -F _nlctl conntrack

_nlctl() {
    local found about files i word words=()
    for ((i = 0; i <= COMP_CWORD; i++)); do
        word=${COMP_WORDS[i]}
        # bash takes option=value apart.
        if ((i > 1)) && [[ $word == '=' || ${COMP_WORDS[i - 1]} == '=' ]]; then
            words[${#words[@]} - 1]+=$word
        else
            words+=("$word")
        fi
    done
    _nlctl_find "${words[@]}"
    word=${words[${#words[@]} - 1]}
    if [[ $word == --*=* && $COMP_WORDBREAKS == *=* ]]; then
        found=("${found[@]#--*=}")
    fi
    COMPREPLY=("${found[@]}")
    [[ -z $files ]] || compopt -o default 2>/dev/null
}
complete -F _nlctl nlctl
