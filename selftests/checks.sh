# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# What the check scripts share; sourced by them. Each runs its steps and ends with finish.
# shellcheck disable=SC2034 # for those who source this

here=$(dirname "$(realpath "$0")")
top=$(realpath "$here/..")
# shellcheck source=selftests/lib.sh
source "$here/lib.sh"
# The makes below are not part of the one that may have called this.
unset MAKEFLAGS MFLAGS MAKELEVEL
build=${BUILD:-$top/build}
results=$(mktemp)
output=$(mktemp)
trap 'rm -f "$results" "$output"' EXIT
worst=0
# The target of the Makefile that lists the tests for the guest.
guest_target=tests

# step TITLE COMMAND...: a failure is remembered, and what follows is run all the same
step()
{
	local status=0 started=$SECONDS

	printf '== %s\n' "$1"
	shift
	"$@" 2>&1 | tee -a "$output" || status=$?
	((SECONDS - started < 60)) || printf '== %s seconds\n' "$((SECONDS - started))"
	((status <= worst)) || worst=$status
	return "$status"
}

# tap NAME COMMAND...: judges a program that runs on this machine
tap()
{
	local name=$1 lines status=0

	shift
	lines=$(mktemp)
	"$@" >"$lines" 2>&1 || status=$?
	if "$here/qemu/tap-verdict" --results "$results" "$name" "$status" <"$lines"; then
		status=$EXIT_PASS
	else
		status=$EXIT_FAIL
	fi
	rm -f "$lines"
	return "$status"
}

build_all()
{
	make -s -C "$top/tools" O="$build" all && make -s -j"$(nproc)" -C "$here" BUILD="$build" all ||
		return "$EXIT_NO_BOOT"
}

# guest_tests RESULTS PATTERN OPTION...: the tests of the guest whose files match; the options are those
# of qemu/run
guest_tests()
{
	local -a tests options=("${@:3}")
	local test list

	list=$(make -s -C "$here" BUILD="$build" "$guest_target") || return "$EXIT_NO_BOOT"
	mapfile -t tests <<<"$list"
	for test in "${tests[@]}"; do
		# shellcheck disable=SC2053 # a pattern
		[[ $test != $2 ]] || options+=(--test "$test")
	done
	"$here/guest.sh" --results "$1" "${options[@]}"
}

# two_guests DIRECTORY OPTION...: all tests of the guest; programs and scripts take about the same time
two_guests()
{
	local dir=$1 scripts status=0 scripts_status=0

	shift
	guest_tests "$dir/scripts" '*.sh' "$@" >"$dir/output" 2>&1 &
	scripts=$!
	guest_tests "$dir/programs" '*_test' "$@" || status=$?
	wait "$scripts" || scripts_status=$?
	cat "$dir/output"
	return "$((status > scripts_status ? status : scripts_status))"
}

# What could not be built or booted has no results: that is one failure, whatever else passed.
not_run()
{
	echo "not ok $1" | tee -a "$output"
	echo "$1 0 1 0" >>"$results"
}

# step_guest TITLE OPTION...: a step of two_guests
step_guest()
{
	local title=$1 dir guest

	shift
	dir=$(mktemp -d)
	step "$title" two_guests "$dir" "$@" || true
	for guest in programs scripts; do
		if [[ -s $dir/$guest ]]; then
			cat "$dir/$guest" >>"$results"
		else
			not_run "$title, $guest"
		fi
	done
	rm -r "$dir"
}

# Fails if tests were skipped, for where all that they need is there.
no_skips()
{
	local skipped

	skipped=$(awk '{ skipped += $4 } END { print skipped + 0 }' "$results")
	((skipped > 0)) || return 0
	echo "not ok $skipped tests were skipped"
	echo "no_skips 0 1 0" >>"$results"
	return "$EXIT_FAIL"
}

# sum FILE: the sum of results
sum()
{
	awk '{ passed += $2; failed += $3; skipped += $4 }
	END {
		printf "%d passed, %d failed", passed, failed
		print skipped ? ", " skipped " skipped" : ""
	}' "$1"
}

# The last lines. Results go to the file CHECK_RESULTS as well, for who sums up several checks.
finish()
{
	if grep -q '^not ok' "$output"; then
		echo "== what failed"
		grep '^not ok' "$output"
	fi
	[[ ! ${CHECK_RESULTS:-} ]] || cat "$results" >>"$CHECK_RESULTS"
	sum "$results"
	exit "$worst"
}
