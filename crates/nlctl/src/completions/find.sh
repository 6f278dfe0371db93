
# Tells what the last of the words can become, which is still being typed: $found, what that
# means: $about, and whether it can be a file: $files. For bash and zsh.
_nlctl_find() {
    [ -z "${ZSH_VERSION-}" ] || emulate -L sh
    local rows here options place=nlctl kind name leads about_it word pending='' before=''
    found=() about=() files=
    _nlctl_rows nlctl
    here=$rows options=$rows
    # What goes by another name is an alias of one of the commands.
    [ "${1##*/}" != nlctl ] || shift
    while [ $# -gt 1 ]; do
        word=$1
        shift
        case $word in
        --*=*)
            _nlctl_look "${word%%=*}"
            pending=$leads
            word=${word#*=}
            ;;
        -*) pending= ;;
        esac
        if [ -n "$pending" ]; then
            case $pending in
            +*)
                _nlctl_rows "+$word"
                options="$options
$rows"
                ;;
            esac
            pending=
            continue
        fi
        _nlctl_look "$word"
        case $kind$leads in
        r* | c*)
            [ "$leads" != . ] || continue
            [ "$kind" = c ] || options=
            place="$place $leads"
            _nlctl_rows "$place"
            here=$rows
            options="$rows
$options"
            ;;
        [ow][@+?a-zA-Z]*) pending=$leads ;;
        esac
    done
    word=$1
    case $pending:$word in
    *:--*=*)
        before=${word%%=*}=
        _nlctl_look "${word%%=*}"
        _nlctl_values "${leads#=}" "${word#*=}"
        return
        ;;
    ?*:-*) ;;
    ?*:*)
        _nlctl_values "$pending" "$word"
        return
        ;;
    esac
    while read -r kind name leads about_it; do
        case $kind:$word:$name in
        a:*) _nlctl_values "$leads" "$word" ;;
        # What begins with a dash is told to who begins so.
        *::-*) ;;
        *) _nlctl_add "$name" "$word" "$about_it" ;;
        esac
    done <<<"$here"
    case $word in
    -*)
        while read -r kind name leads about_it; do
            [ "$kind" != o ] || _nlctl_add "$name" "$word" "$about_it"
        done <<<"${options#"$here"}"
        ;;
    esac
}

# Looks up a word, or what it is the beginning of if it is a command: $kind and $leads.
_nlctl_look() {
    local name text first_kind='' first_leads=''
    while read -r kind name leads text; do
        case $kind:$name in
        [!a]:"$1") return ;;
        [cr]:"$1"*)
            [ -n "$first_kind" ] || first_kind=$kind first_leads=$leads
            ;;
        esac
    done <<<"$here
$options"
    kind=$first_kind leads=$first_leads
}

# Adds the values of these kinds that begin so.
_nlctl_values() {
    local rest=${1#+}\| typed=${2##*,} number name text
    # Words may be joined by commas.
    case $2 in *,*) before=$before${2%,*}, ;; esac
    while [ -n "$rest" ]; do
        case $rest in
        @link\|*)
            for name in /sys/class/net/*; do
                [ ! -e "$name/ifindex" ] || _nlctl_add "${name##*/}" "$typed"
            done
            ;;
        @netns\|*)
            for name in /run/netns/*; do
                [ ! -e "$name" ] || _nlctl_add "${name##*/}" "$typed"
            done
            ;;
        @file\|*) files=yes ;;
        @path\|*) case $typed in */*) files=yes ;; esac ;;
        @*)
            name=${rest%%|*}
            name=/etc/iproute2/${name#@}
            [ -r "$name" ] || name=/usr/share/${name#/etc/}
            [ ! -r "$name" ] || while read -r number name text; do
                case $number in [0-9]*) _nlctl_add "$name" "$typed" ;; esac
            done <"$name"
            ;;
        [a-zA-Z]*) _nlctl_add "${rest%%|*}" "$typed" ;;
        esac
        rest=${rest#*|}
    done
}

# Adds a word if it begins with what was typed.
_nlctl_add() {
    case $1 in
    "$2"*) found+=("$before$1") about+=("${3-}") ;;
    esac
}
