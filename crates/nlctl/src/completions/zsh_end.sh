
if [[ $funcstack[1] == _nlctl ]]; then
    _nlctl "$@"
else
    compdef _nlctl nlctl
fi
