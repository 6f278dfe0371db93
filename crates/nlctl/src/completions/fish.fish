# Completion of nlctl for fish: nlctl completions fish | source

function __nlctl_complete
    set -l typed (commandline -ct)
    set -l words (commandline -opc)
    set -l place nlctl
    set -l here (__nlctl_rows nlctl)
    set -l options $here
    set -l pending
    # What goes by another name is an alias of one of the commands.
    test (string replace -r '.*/' '' -- $words[1]) = nlctl; and set -e words[1]
    for word in $words
        if string match -q -- '--*=*' $word
            set pending (__nlctl_look (string replace -r '=.*' '' -- $word) $here $options)[2]
            set word (string replace -r '^[^=]*=' '' -- $word)
        else if string match -q -- '-*' $word
            set pending
        end
        if test -n "$pending"
            string match -q '+*' -- $pending; and set -a options (__nlctl_rows +$word)
            set pending
            continue
        end
        set -l row (__nlctl_look $word $here $options)
        switch "$row[1]$row[2]"
            case 'c.'
            case 'c*' 'r*'
                test $row[1] = r; and set options
                set place "$place $row[2]"
                set here (__nlctl_rows $place)
                set -p options $here
            case 'o-' 'w-' 'o=*'
            case 'o*' 'w*'
                set pending $row[2]
        end
    end
    if string match -q -- '--*=*' $typed
        set -l name (string replace -r '=.*' '' -- $typed)
        set -l row (__nlctl_look $name $here $options)
        __nlctl_values (string replace -r '^=' '' -- $row[2]) (string replace -r '^[^=]*=' '' -- $typed) $name=
        return
    end
    if test -n "$pending"; and not string match -q -- '-*' $typed
        __nlctl_values $pending $typed
        return
    end
    for row in $here
        set -l parts (string split -m 3 ' ' -- $row)
        switch $parts[1]
            case c r w
                printf '%s\t%s\n' $parts[2] "$parts[4]"
            case a
                __nlctl_values $parts[3] $typed
        end
    end
    string match -q -- '-*' $typed; or return
    for row in (string match -- 'o *' $options)
        set -l parts (string split -m 3 ' ' -- $row)
        printf '%s\t%s\n' $parts[2] "$parts[4]"
    end
end

# Looks up a word in rows, or what it is the beginning of if it is a command: its kind, and where it
# leads.
function __nlctl_look
    set -l word $argv[1]
    set -l first
    for row in $argv[2..-1]
        set -l parts (string split -m 3 ' ' -- $row)
        test "$parts[1]" = a; and continue
        if test "$parts[2]" = $word
            printf '%s\n' $parts[1] $parts[3]
            return
        end
        contains -- "$parts[1]" c r; or continue
        test -n "$word" -a -z "$first"; or continue
        string match -q -- "$word*" $parts[2]; and set first $parts[1] $parts[3]
    end
    printf '%s\n' $first
end

# The values of these kinds, for what was typed of them, behind what precedes them.
function __nlctl_values
    set -l before "$argv[3]"
    # Words may be joined by commas.
    string match -q '*,*' -- "$argv[2]"
    and set before "$before"(string replace -r '[^,]*$' '' -- $argv[2])
    for value in (string split '|' -- (string replace '+' '' -- "$argv[1]"))
        switch $value
            case - \? ''
            case @link
                for path in /sys/class/net/*/ifindex
                    echo "$before"(string split / -- $path)[-2]
                end
            case @netns
                for path in /run/netns/*
                    echo "$before"(string split / -- $path)[-1]
                end
            case @file @path
                test $value = @file; or string match -q '*/*' -- "$argv[2]"
                and __fish_complete_path "$argv[2]"
            case '@*'
                set -l file /etc/iproute2/(string sub -s 2 -- $value)
                test -r $file; or set file (string replace /etc /usr/share -- $file)
                test -r $file; or continue
                string replace -rf '^[0-9]\S*\s+(\S+).*' "$before"'$1' <$file
            case '*'
                echo "$before$value"
        end
    end
end

complete -c nlctl -f -a '(__nlctl_complete)'
