#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Runs in the guest: counts real packets by protocol in a map, from a netfilter hook in another
# module, and compares the counts with the kernel's own in /proc/net/snmp. Exit status: 0 if they are
# the same.
set -eu

pin=/sys/fs/bpfmaps/packets

say()
{
	printf '\n# %s\n' "$*"
}

# run COMMAND...: shows the command, too
run()
{
	printf '$ %s\n' "$*"
	"$@"
}

# snmp PROTOCOL COUNTER: a field of /proc/net/snmp, whose names stand in the line above the values
snmp()
{
	awk -v protocol="$1:" -v counter="$2" '
		$1 == protocol && !column { for (i = 2; i <= NF; i++) if ($i == counter) column = i; next }
		$1 == protocol { print $column }' /proc/net/snmp
}

# count PROTOCOL: what the map says
count()
{
	bpfmapctl -j map lookup pinned "$pin" key "proto:$1" value u64 | jq .formatted.value
}

# compare PROTOCOL COUNT KERNEL BEFORE
compare()
{
	verdict=same
	[ "$2" -eq $(($3 - $4)) ] && [ "$2" -gt 0 ] || verdict=DIFFERENT differs=1
	printf '%-10s %10s %15s   %s\n' "$1" "$2" $(($3 - $4)) "$verdict"
}

say "An array of 256 counters, pinned, and a module that counts into it what the machine receives"
run bpfmapctl map create "$pin" type array key 4 value 8 entries 256 name packets
run insmod /lib/sockex1.ko map="$pin"
icmp=$(snmp Icmp InMsgs) udp=$(snmp Udp InDatagrams) tcp=$(snmp Tcp InSegs)

say "Traffic over the loopback: ping, UDP, TCP"
run ping -q -c 5 127.0.0.1
run traffic_helper 40 25

say "The map"
run bpfmapctl map show pinned "$pin"
printf '$ %s\n' "bpfmapctl map dump pinned $pin key proto value u64   # without the zeros"
bpfmapctl map dump pinned "$pin" key proto value u64 | awk 'NR == 1 || $2 != 0'

say "Compared with the kernel's own counters"
differs=0
printf '%-10s %10s %15s\n' PROTOCOL "THE MAP" /proc/net/snmp
compare icmp "$(count icmp)" "$(snmp Icmp InMsgs)" "$icmp"
compare udp "$(count udp)" "$(snmp Udp InDatagrams)" "$udp"
compare tcp "$(count tcp)" "$(snmp Tcp InSegs)" "$tcp"

rmmod sockex1
rm "$pin"
exit "$differs"
