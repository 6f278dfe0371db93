#compdef nlctl
# Completion of nlctl for zsh: source <(nlctl completions zsh), behind compinit; or as the file
# _nlctl in a directory of $fpath.

_nlctl() {
    local -a found about described
    local files i
    _nlctl_find "${(@)words[1,CURRENT]}"
    for ((i = 1; i <= $#found; i++)); do
        described+=("${found[i]//:/\\:}${about[i]:+:${about[i]}}")
    done
    _describe nlctl described
    if [[ -n $files ]]; then
        compset -P '--*='
        _files
    fi
}
