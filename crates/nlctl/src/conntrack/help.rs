//! What `nlctl conntrack -h` prints.

/// Appends the help.
pub(super) fn help(out: &mut String) {
    out.push_str(HELP);
}

const HELP: &str = "\
Tracked connections, with the words of conntrack(8).

Usage: nlctl conntrack COMMAND [TABLE] [OPTIONS]
       nlctl conntrack expect [COMMAND] [OPTIONS]
       nlctl conntrack timeout [COMMAND] …
       alias conntrack='nlctl conntrack'

Commands:
  list, -L, --dump        show the table; only this one has the tables dying, unconfirmed
  get, -G                 show one entry
  create, -I              make an entry; it is an error if it is there
  add, -A                 make an entry, or update the one that is there
  update, -U              change entries
  delete, -D              delete entries, under their ids, and show them
  flush, -F               delete all, or all of a family
  watch, -E, --event      show events as they happen; SIGINT ends it
  count, -C               show how many entries there are
  stats, -S               show the statistics of each CPU
  load FILE, -R           carry out lines of -I, -A, -U, -D, -F, as -o save prints them
  timeout                 timeout policies; see nlctl conntrack timeout help

Tables: conntrack (the default), expect, dying, unconfirmed; beginnings will do.

Which entries, and for create, add and update what they shall be:
  -s, --src ADDRESS[/N]   source of the original direction; also --mask-src MASK
  -d, --dst ADDRESS[/N]   its destination; also --mask-dst MASK
  -r, --reply-src ADDRESS, -q, --reply-dst ADDRESS
                          the same of the reply direction
  -p, --protonum PROTOCOL tcp, udp, udplite, sctp, dccp, icmp, icmpv6, gre, or a number; then
     --sport, --dport, --reply-port-src, --reply-port-dst PORT (of gre --srckey, …)
     --state STATE        tcp, sctp, dccp; also --orig-vtag, --reply-vtag, --role
     --icmp-type, --icmp-code, --icmp-id NUMBER (of icmpv6 --icmpv6-type, …)
  -f, --family FAMILY     ipv4 or ipv6
  -t, --timeout SECONDS   until the entry is forgotten
  -u, --status LIST       ASSURED, SEEN_REPLY, FIXED_TIMEOUT, EXPECTED, OFFLOAD, HW_OFFLOAD; to
                          choose also UNREPLIED and !WORD; UNSET is none
  -m, --mark MARK[/MASK]  update makes of the old mark (old & ~MASK) ^ MARK
  -w, --zone, --orig-zone, --reply-zone ZONE
  -l, --label LIST        names of /etc/xtables/connlabel.conf
  --label-add LIST, --label-del [LIST]
  -n, --src-nat [ADDRESS][:PORT], -g, --dst-nat [ADDRESS][:PORT], -j, --any-nat [ADDRESS]
  -c, --secmark NUMBER    -i, --id NUMBER
  --tuple-src, --tuple-dst ADDRESS, --tuple-port-src, --tuple-port-dst PORT,
  --mask-port-src, --mask-port-dst PORT
                          what is expected, and which of its bits count

Others:
  -o, --output LIST       extended, id, timestamp, ktimestamp, labels, xml, save; and ours:
                          restore (as save, with mark and labels), json
  -z, --zero              set the counters to zero while they are listed
  -e, --event-mask LIST   ALL, NEW, UPDATES, DESTROY
  -b, --buffer-size BYTES of the socket of watch
  --json, --pretty        print JSON, one object a line for events
  --netns NAME|PATH|PID   work in another network namespace
  --all-netns             watch: of every network namespace of this host, each line behind its own
  --trace                 show every message on stderr

Exit codes: 0 success; 1 failed, or nothing was there to update or delete; 2 bad parameters.
";
