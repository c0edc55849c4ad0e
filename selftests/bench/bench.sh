#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# What a call costs, in instructions: runs bench in a guest whose clock counts them, and shows bpf(2) and
# bpfmaps side by side, with what a row is to cost at most. It is a report: a target that is missed is no
# failure. Most rows repeat to better than half a percent, whatever else the machine does. The order of a
# hash is another one in each run, which makes up to two percent in its batches; and where calls free
# memory, as in tries, it depends on when that happens.
# Leaves build/bench.json (the same, for programs) and build/bench.svg (a chart).
#
# usage: bench.sh [quick]	quick: 4096 elements only
set -euo pipefail

# shellcheck source=selftests/bench/lib.sh
source "$(dirname "$(realpath "$0")")/lib.sh"
json=$build/bench.json

# One line for each row and operation.
table()
{
	jq -r '
		def bound: .bounds // [] | map(.text) | join(", ");
		def verdict:
			.bounds // [] | map(select(.met | not).text) as $missed
			| if length == 0 then ""
			  elif $missed == [] then "met"
			  elif length == 1 then "missed"
			  else "missed: " + ($missed | join(", ")) end;
		["map", "operation", "elements", "bpf(2)", "device", "own fd", "ratio", "own", "target: at most", "result"],
		(.rows[] | [.row, .op, .elements, .bpf, .device, .own, .ratio_device, .ratio_own, bound, verdict]
		 | map(if . == null or . == "" then "-" else . end))
		| @tsv' "$json" | column -t -s $'\t' -R 3,4,5,6,7,8
}

notes()
{
	cat <<-EOT

	Instructions for each call, or in batches for each element: the time that a loop took, by the clock of
	a guest in which an instruction takes a nanosecond, divided by its turns. Large maps are measured
	by 4096 elements all over the map. "all that follows" is the work until the guest is at rest. Memory is bytes
	for each element of a full map: what the memory cgroup of its maker was charged, and what was gone of
	the free pages. "mapped" is without a call. "ratio" is device to bpf(2), "own" is the map's own
	descriptor to bpf(2); the targets are for the latter.
	EOT
}

sums()
{
	jq -r '
		def verdict: if . then "met" else "missed" end;
		.sums | "geometric mean of \(.mean.cells) single operations: \(.mean.own) of bpf(2) by the own descriptor, "
		+ "\(.mean.device) by the device; target: at most \(.mean.limit), \(.mean.met | verdict)",
		(.kinds[] | "\(.kind): \(.met) of \(.of) targets met"),
		"all: \(.all.met) of \(.all.of) targets met"' "$json"
}

# panel FILE OPERATIONS: what one of the two parts of the chart shows; large values would dwarf the others
panel()
{
	jq -r --arg ops "$2" '
		.rows[]
		| select(.elements == 4096 and .bpf and .own and (.op | test("^(" + $ops + ")$"))
			 and (.row | endswith("/4096") | not))
		| ["\(.row), \(.op | sub(" by 4096"; ""))", .bpf, .device, .own] | @tsv' "$json" >"$1"
}

chart()
{
	local calls=$build/bench-calls.dat batches=$build/bench-batches.dat

	panel "$calls" "insert|update|lookup|delete|push|pop"
	panel "$batches" "batch (lookup|update) by 4096"
	gnuplot <<-EOT
		set terminal svg size 1200,1000 background "white" noenhanced
		set output "$build/bench.svg"
		set style data histogram
		set style histogram cluster gap 1
		set style fill solid
		set grid y
		set yrange [0:*]
		set xtics rotate by 45 right
		set lmargin 14
		set key above
		set datafile separator "\t"
		set multiplot layout 2,1 title "Instructions, maps of 4096 elements, Linux $version"
		set title "one call"
		plot "$calls" using 2:xtic(1) title "bpf(2)", "" using 3 title "/dev/bpfmaps", \
			"" using 4 title "the map's own descriptor"
		set title "one element in batches of 4096"
		plot "$batches" using 2:xtic(1) title "bpf(2)", "" using 3 title "/dev/bpfmaps", \
			"" using 4 title "the map's own descriptor"
		unset multiplot
	EOT
}

version=$("$here/../qemu/kernel.sh" --version)
guest_options=(--insmod "$build/module-$version/selftests/kmod/floor_kmod.ko")
SMP=1 ACCEL=icount run_guest "$build/bench.lines" bench "$@"
jq -n -f "$here/report.jq" "$build/bench.lines" >"$json"
table
notes
sums
chart
echo "all rows: $json, chart: $build/bench.svg"
