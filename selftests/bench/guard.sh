#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Five calls are not to cost more than they did: the instructions of each, divided by those of the same
# call of bpf(2) in the same run, are at most 5 % above the ratio in guard.txt. No time is measured: the
# guest counts instructions, and a compiler or an update of the kernel changes both sides. Prints TAP.
#
# usage: guard.sh [record]	record: write guard.txt
set -euo pipefail

# shellcheck source=selftests/bench/lib.sh
source "$(dirname "$(realpath "$0")")/lib.sh"
readonly recorded=$here/guard.txt

# The ratios are those of one kernel series: bpf(2) of another one costs something else.
readonly series=6.1.0-

# Prints "ROW, OPERATION<TAB>BPF<TAB>BPFMAPS<TAB>RATIO" for each call.
measure()
{
	SMP=1 ACCEL=icount run_guest "$build/guard.lines" bench guard || return
	jq -n -r '
		def cost($way): map(select(.way == $way))[0].cost;
		[inputs | select(.op | test("^(create|close)") | not)] | group_by([.row, .op])[]
		| [cost("bpf(2)"), cost("own descriptor")] as [$bpf, $own]
		| ["\(.[0].row), \(.[0].op)", $bpf, $own, ($own / $bpf * 10000 | round / 10000)] | @tsv' \
		"$build/guard.lines"
}

record()
{
	local measured

	measured=$(measure)
	{
		sed -n '/^#/p' "$recorded"
		cut -f 1,4 <<<"$measured"
	} >"$build/guard.txt"
	mv "$build/guard.txt" "$recorded"
}

skip()
{
	local version=$1 name count=0

	while IFS=$'\t' read -r name _; do
		count=$((count + 1))
		echo "ok $count $name # SKIP the ratios are those of Debian's $series*, this is $version"
	done < <(grep -v '^#' "$recorded")
	echo "1..$count"
}

# A call that is recorded and not measured, or the reverse, has failed.
compare()
{
	local measured

	measured=$(measure) || exit
	awk -F '\t' '
		/^#/ { next }
		NR == FNR { limit[$1] = $2 * 1.05; before[$1] = $2; wanted++; next }
		{
			bad = !($1 in limit) || $4 > limit[$1]
			failed += bad
			printf "# %s: %s of %s instructions, ratio %s; recorded %s, at most %.4f\n",
				$1, $3, $2, $4, before[$1], limit[$1]
			printf "%s %d %s\n", bad ? "not ok" : "ok", ++seen, $1
		}
		END { print "1.." wanted; exit failed > 0 || seen != wanted }' "$recorded" - <<<"$measured"
}

case ${1:-} in
record)
	record
	;;
'')
	echo "TAP version 13"
	version=$("$here/../qemu/kernel.sh" --version)
	if [[ $version == "$series"* ]]; then
		compare
	else
		skip "$version"
	fi
	;;
*)
	echo "usage: guard.sh [record]" >&2
	exit 1
	;;
esac
