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
		def short: if . == null then "-" elif . >= 1000000 then "\(. / 10000 | round / 100)M"
			   elif . >= 10000 then round else . end;
		def verdict: if .met then "met" elif .below_floor then "below the floor" else "missed" end;
		def result:
			(.bounds // [] | map("\(.text) \(verdict)") | join(", "))
			+ if .note then " [\(.note)]" else "" end;
		["map", "operation", "elements", "bpf(2)", "device", "own fd", "ratio", "own", "floor",
		 "target: at most; result"],
		(.rows[] | [.row, (.op | sub("and all"; "all")), .elements, (.bpf, .device, .own | short),
			    .ratio_device, .ratio_own, (.floor | short), result]
		 | map(if . == null or . == "" then "-" else . end))
		| @tsv' "$json" | column -t -s $'\t' -R 3,4,5,6,7,8,9
}

# floors OPERATIONS: those of calls on one element, or of batches, a line for each kind of map
floors()
{
	jq -r --arg ops "$1" '
		($ops | split(", ")) as $ops
		| (.floors | map({key: .op, value: .cost}) | from_entries) as $costs
		| (["floor"] + ($ops | map(sub("^batch "; "")))),
		  (.floors[].op | capture("^(?<shape>[a-z_]+ [0-9/]+) \($ops[0])$").shape
		   | . as $shape | [$shape] + ($ops | map($costs["\($shape) \(.)"])))
		| @tsv' "$json" | column -t -c 200 -s $'\t' -R 2,3,4,5,6,7,8,9
}

# What rows share: the parts of floors, and what stands behind the results.
legend()
{
	jq -r '
		([.floors[] | select(.words and .kernel)]) as $calls
		| ([.floors[] | select(.op | test("^[a-z_]+ [0-9/]+ ") | not) | "\(.op) \(.cost)"] | join(", ")) as $parts
		| "Parts: \($parts)",
		"Copies word by word are the cheaper ones in \($calls | map(select(.by == "words")) | length) of "
		+ "\($calls | length) calls; those by the functions of the kernel are in the JSON.",
		"",
		(.notes.floors | to_entries[] | "[\(.key)] floor: \(.value)"),
		(.notes.besides | to_entries[] | "[\(.key)] besides: \(.value)"),
		""' "$json"
}

notes()
{
	cat <<-EOT

	Instructions for each call, or in batches for each element: the time that a loop took, by the clock of
	a guest in which an instruction takes a nanosecond, divided by its turns. Large maps are measured
	by 4096 elements all over the map. "all that follows" is the work until the guest is at rest. Memory is bytes
	for each element of a full map: what the memory cgroup of its maker was charged, and what was gone of
	the free pages. "mapped" is without a call. "ratio" is device to bpf(2), "own" is the map's own
	descriptor to bpf(2); the targets are for the latter, and those that are ratios are named so.

	"floor" is the least that a call of the kind costs: a sum of what was measured in the same guest.
	"call" is that of a module that takes in the attr, moves as many bytes between user space and the
	kernel, in batches also between a buffer and elements, and does nothing else (floor_kmod.c). Behind
	a result that is missed a letter tells what the floor is made of, and numbers what a call on a map
	does besides. A target "below the floor" is out of reach.

	EOT
}

sums()
{
	jq -r '
		def verdict: if . then "met" else "missed" end;
		.sums | "geometric mean of \(.mean.cells) single operations: \(.mean.own) of bpf(2) by the own descriptor, "
		+ "\(.mean.device) by the device; target: at most \(.mean.limit), \(.mean.met | verdict)",
		(.kinds[], (.all | .kind = "all")
		 | "\(.kind): \(.met) of \(.of) targets met"
		   + if .below_floor > 0 then ", \(.below_floor) below the floor" else "" end)' "$json"
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
jq -n -L "$here" -f "$here/report.jq" "$build/bench.lines" >"$json"
table
notes
floors "lookup, miss, update, delete, next key"
echo
floors "push, pop"
echo
floors "$(printf "batch lookup by %s, " 1 10 100 4096; printf "batch update by %s, " 1 10 100)batch update by 4096"
echo
legend
sums
chart
echo "all rows: $json, chart: $build/bench.svg"
