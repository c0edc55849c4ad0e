#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# How calls of two threads get along: runs bench_smp in a guest with two CPUs, by its clock, and shows
# bpf(2) and bpfmaps side by side. What is told is the best quarter of a millisecond of many short rounds,
# in which the tests take turns: so it can be told on a machine that has other work as well. How far two
# threads get there that share nothing is in the row "floor". On a very busy machine both CPUs may never
# have run at the same time: then there is no number. It is a report: a target that is missed is
# no failure. Leaves build/bench-smp.json.
#
# usage: smp.sh [SECONDS]
set -euo pipefail

# shellcheck source=selftests/bench/lib.sh
source "$(dirname "$(realpath "$0")")/lib.sh"
json=$build/bench-smp.json

# Of one way: the rate, and how many times the rate of one thread with the same operation that is.
merge()
{
	jq -n '
		def hundredths: . * 100 | round / 100;
		def ratio($a; $b): if $a > 0 and $b > 0 then $a / $b | hundredths else null end;
		[inputs] | . as $all
		| map(. as {$row, $way, $op}
		      | .scaling = ratio(.best; $all | map(select(.row == $row and .way == $way and .op == $op
							       and .test == "1 thread"))[0].best))
		| to_entries | map(.value + {nr: .key}) | group_by([.row, .op, .test])
		| map((map(select(.way == "bpf(2)"))[0]) as $bpf | (map(select(.way != "bpf(2)"))[0]) as $own
		      | {nr: .[0].nr, row: .[0].row, op: .[0].op, test: .[0].test, rounds: .[0].rounds,
			 bpf: $bpf.best, bpf_scaling: $bpf.scaling,
			 own: $own.best, own_scaling: $own.scaling,
			 faster: (if $own then ratio($own.best; $bpf.best) else null end)}
		      | if .own and (.test | test("distinct")) then
				.at_least = 1.8 | .met = (if .own_scaling then .own_scaling >= .at_least else null end)
			else . end)
		| sort_by(.nr) | map(del(.nr))' "$build/bench-smp.lines"
}

table()
{
	jq -r '
		["map", "operation", "threads", "bpf(2)/s", "scaling", "bpfmaps/s", "scaling", "faster", "target: at least",
		 "result"],
		(.[] | [.row, .op, .test, (.bpf, .bpf_scaling, .own, .own_scaling | if . == 0 then null else . end), .faster, .at_least,
			(if .at_least == null then null elif .met == null then "not seen" elif .met then "met"
			 else "missed" end)]
		 | map(if . == null then "-" else . end))
		| @tsv' "$json" | column -t -s $'\t' -R 4,5,6,7,8,9
}

# is_below PID ANCESTOR
is_below()
{
	local pid=$1

	while [[ $pid != "$2" ]]; do
		pid=$(sed -n 's/^PPid:\t//p' "/proc/$pid/status" 2>/dev/null) || return
		((${pid:-0} > 1)) || return
	done
}

# pin ANCESTOR: gives each CPU of the guest that ANCESTOR runs one of this machine, once it is up. Where
# others work as well, both would often wait for the same one.
pin()
{
	local cpus=(0 $(($(nproc) - 1))) pinned=0 file name

	while ((pinned < 2)) && sleep 1 && [[ -d /proc/$1 ]]; do
		for file in /proc/[0-9]*/task/[0-9]*/comm; do
			{ read -r name <"$file"; } 2>/dev/null || continue
			[[ $name =~ ^CPU\ ([01])/TCG$ ]] || continue
			is_below "$(cut -d / -f 3 <<<"$file")" "$1" || continue
			taskset -pc "${cpus[BASH_REMATCH[1]]}" "$(cut -d / -f 5 <<<"$file")" >/dev/null || return 0
			pinned=$((pinned + 1))
		done
	done
}

pin $$ &
pinning=$!
SMP=2 ACCEL=tcg run_guest "$build/bench-smp.lines" bench_smp "${1:-60}"
kill "$pinning" 2>/dev/null || true
merge >"$json"
table
jq -r '"best quarter of a millisecond of \(map(.rounds) | min) rounds or more; "
	+ "\(map(select(.met)) | length) of \(map(select(.at_least)) | length) targets met"' "$json"
echo "all rows: $json"
