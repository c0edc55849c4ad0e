#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Runs the fuzzer in a guest with the debug kernel, and shows what of the module it has reached, and
# which functions it has not. When the kernel reports something, or nothing goes on any more, it shows
# that and the last programs; those can be run again with "fuzz.sh --run FILE".
#
# usage: fuzz.sh [--run FILE]
#	TIME	seconds of the guest (default 3600)
#	SEED	of the random numbers (default: another one each time)
# Leaves build/fuzz.log (what the fuzzer has printed) and build/fuzz.console (the kernel's log).
# Exit status: as of qemu/run.
set -euo pipefail

here=$(dirname "$(realpath "$0")")
build=${BUILD:-$(realpath "$here/../..")/build}
# shellcheck source=selftests/lib.sh
source "$here/../lib.sh"

export KERNEL=${KERNEL:-debug} MEM=${MEM:-1024}
time=${TIME:-3600} seed=${SEED:-$RANDOM}
log=$build/fuzz.log console=$build/fuzz.console

# Prints the address behind each call of the tracer and its function: "SECTION ADDRESS FUNCTION". The tasks
# of the fuzzer run neither what loads nor what unloads the module.
all_blocks()
{
	local section

	for section in .text .text.unlikely; do
		objdump -dr -j "$section" "$1" | awk -v section="$section" '
			function hex(text,	i, n)
			{
				for (i = 1; i <= length(text); i++)
					n = 16 * n + index("123456789abcdef", substr(text, i, 1))
				return n
			}
			/^[0-9a-f]+ <.*>:$/ { name = substr($2, 2, length($2) - 3); sub(/\.cold$/, "", name) }
			/__sanitizer_cov_trace_pc/ {
				sub(/:$/, "", $1)
				print section, hex($1) + 4, name
			}'
	done
}

# covered MODULE LOG: how many blocks were reached, and which functions were not
covered()
{
	awk '
		FILENAME == ARGV[1] { all[$1, $2] = $3; blocks[$3]++; nr++; next }
		$1 == "section" { start[$2] = $3; next }
		$1 == "pc" { reached[$2] = 1 }
		END {
			for (place in all) {
				split(place, at, SUBSEP)
				if (reached[start[at[1]] + at[2]]) {
					done[all[place]]++
					hit++
				}
			}
			for (name in blocks) {
				functions++
				if (!done[name])
					missed[++misses] = name " " blocks[name]
			}
			if (!hit)
				exit 1
			printf "blocks of the module: %d of %d (%.1f %%)\n", hit, nr, 100 * hit / nr
			printf "functions not reached: %d of %d (with their blocks)\n", misses, functions
			for (i = 1; i <= misses; i++)
				print "  " missed[i] | "sort"
		}' <(all_blocks "$1") "$2"
}

# The last programs in the kernel's log, all of which is shown if the kernel panics. What is printed can be
# run again.
last_programs()
{
	tr -d '\r' <"$console" | awk '
		{ sub(/^\[ *[0-9.]*\](\[ *[A-Z][0-9]*\])? /, ""); sub(/^fuzz: /, "") }
		sub(/^program /, "# program ") || /^threads [0-9]/ || /^[a-z_]+( [a-z_]+=0x[0-9a-f]+)*$/
	' | tail -n 60
}

main()
{
	local status=0 version
	local -a arguments=(--time "$time" --seed "$seed" --progress --cover)
	local -a options=(--log "$console")

	if [[ ${1:-} == --run ]]; then
		[[ -f ${2:-} ]] || die "$EXIT_NO_BOOT" "--run needs a file"
		arguments=(--run /lib/program --times "${TIMES:-1}")
		options+=(--file "$2:/lib/program")
	else
		echo "fuzzing for $time seconds of the guest, seed $seed"
	fi
	version=$("$here/../qemu/kernel.sh" --version)
	# The clock of a busy guest may be slower or faster than ours.
	TIMEOUT=$((time * 3 + 600)) TEST_TIMEOUT=$((time * 2 + 300)) "$here/../guest.sh" "${options[@]}" \
		-- "$build/selftests/fuzz" "${arguments[@]}" | tee "$log" | grep --line-buffered -v '^pc ' ||
		status=${PIPESTATUS[0]}
	if ((status)); then
		echo "== the last programs"
		last_programs
	elif [[ ${1:-} != --run ]]; then
		covered "$build/module-$version/bpfmaps.ko" "$log" || die "$EXIT_FAIL" "nothing was reached"
	fi
	return "$status"
}

main "$@"
