#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# What a call costs, in instructions: runs bench.c in a guest whose clock counts them, and shows bpf(2)
# and bpfmaps side by side. Repeats to better than half a percent, whatever else the machine does.
# Leaves build/bench.json (all rows) and build/bench.svg (the chart).
#
# usage: bench.sh [quick]	quick: 4096 elements only
set -euo pipefail

here=$(dirname "$(realpath "$0")")
build=${BUILD:-$(realpath "$here/../..")/build}

# One line for each row and operation: bpf(2), by the device, by the own descriptor, and their ratios.
table()
{
	jq -r '
		def cost($way): map(select(.way == $way))[0].cost;
		[["map", "operation", "elements", "bpf(2)", "device", "own fd", "ratio", "ratio own"]]
		+ (group_by([.row, .op, .elements]) | sort_by(.[0].nr)
		   | map(select(length == 3)
			 | [.[0].row, .[0].op, .[0].elements, cost("bpf(2)"), cost("device"), cost("own descriptor"),
			    (cost("device") / cost("bpf(2)") * 1000 | round / 1000),
			    (cost("own descriptor") / cost("bpf(2)") * 1000 | round / 1000)]))
		| .[] | @tsv' "$build/bench.json" | column -t -s $'\t' -R 3,4,5,6,7,8
}

# The geometric mean of what the own descriptor costs by what bpf(2) costs, over single operations.
mean()
{
	jq -r '
		map(select(.elements == 4096 and (.op | test("^(insert|update|lookup|miss|delete|push|peek|pop)$"))
			   and (.row | test("4096$") | not)))
		| group_by([.row, .op])
		| map(map({(.way): .cost}) | add | .["own descriptor"] / .["bpf(2)"] | log)
		| "single operations: \(length) rows, geometric mean \(add / length | exp * 1000 | round / 1000) of bpf(2)"
	' "$build/bench.json"
}

chart()
{
	local rows=$build/bench.dat

	jq -r '
		def cost($way): map(select(.way == $way))[0].cost;
		group_by([.row, .op, .elements]) | sort_by(.[0].nr)
		| map(select(length == 3 and .[0].elements == 4096
			     and (.[0].op | test("^(update|lookup|push|pop|batch lookup by 4096|batch update by 4096)$"))))
		| .[] | ["\(.[0].row) \(.[0].op)", cost("bpf(2)"), cost("device"), cost("own descriptor")] | @tsv
	' "$build/bench.json" >"$rows"
	gnuplot <<-EOT
		set terminal svg size 1200,700 background "white"
		set output "$build/bench.svg"
		set title "Instructions for each operation or element (4096 elements, 6.1)"
		set style data histogram
		set style histogram cluster gap 1
		set style fill solid
		set logscale y
		set grid y
		set xtics rotate by -60
		set datafile separator "\t"
		plot "$rows" using 2:xtic(1) title "bpf(2)", "" using 3 title "/dev/bpfmaps", \
			"" using 4 title "the map's own descriptor"
	EOT
}

ACCEL=icount "$here/../guest.sh" -- "$build/selftests/bench" "$@" |
	jq -n '[inputs] | to_entries | map(.value + {nr: .key})' >"$build/bench.json"
table
mean
chart
echo "all rows: $build/bench.json, chart: $build/bench.svg"
