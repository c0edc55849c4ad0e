# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# What the scripts here share; sourced by them.
# shellcheck disable=SC2034 # for those who source this

here=$(dirname "$(realpath "$0")")
build=${BUILD:-$(realpath "$here/../..")/build}

# What run_guest tells guest.sh besides.
guest_options=()

# run_guest FILE PROGRAM ARGUMENT...: runs a program of the benchmark; its lines go to FILE. Whatever else
# there is, because something failed, is shown.
run_guest()
{
	local file=$1 status=0

	shift
	TEST_TIMEOUT=${TEST_TIMEOUT:-880} "$here/../guest.sh" "${guest_options[@]}" \
		-- "$build/selftests/$1" "${@:2}" >"$file" || status=$?
	grep -v '^{' "$file" >&2 || true
	return "$status"
}
