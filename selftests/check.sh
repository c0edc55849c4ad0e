#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# All checks: installs what is missing, builds, and runs the linters, the tests of the runner, the unit
# tests of the tools, and the tests in the guest. The last line is the sum, "N passed, N failed", with
# ", N skipped" if some were. Exit status: 0 nothing failed, or else as of qemu/run.
# shellcheck disable=SC2317 # step calls most of the functions
set -euo pipefail

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

# step TITLE COMMAND...: a failure is remembered, and what follows is run all the same
step()
{
	local status=0

	printf '== %s\n' "$1"
	shift
	"$@" 2>&1 | tee -a "$output" || status=$?
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

guest_tests()
{
	local -a tests options=()
	local test list

	list=$(make -s -C "$here" BUILD="$build" tests) || return "$EXIT_NO_BOOT"
	mapfile -t tests <<<"$list"
	for test in "${tests[@]}"; do
		options+=(--test "$test")
	done
	"$here/guest.sh" --results "$results" "${options[@]}"
}

# What could not be built or booted has no results: that is one failure, whatever else passed.
not_run()
{
	echo "not ok $1" | tee -a "$output"
	echo "$1 0 1 0" >>"$results"
}

if step "install what is missing" "$here/setup.sh" && step "build" build_all; then
	step "lint" tap lint "$here/lint.sh" || true
	step "tests of the runner" tap scan-log-test "$here/qemu/scan-log-test" || true
	step "guests that fail" tap run-test "$here/qemu/run-test" || true
	step "unit tests of the tools" tap tools-check make -s -C "$top/tools" O="$build" check || true
	lines=$(wc -l <"$results")
	step "tests in the guest" guest_tests || true
	(($(wc -l <"$results") > lines)) || not_run guest
else
	not_run build
fi

if grep -q '^not ok' "$output"; then
	echo "== what failed"
	grep '^not ok' "$output"
fi

awk '{ passed += $2; failed += $3; skipped += $4 }
END {
	printf "%d passed, %d failed", passed, failed
	print skipped ? ", " skipped " skipped" : ""
}' "$results"
exit "$worst"
