#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# check.sh, check-debug.sh and check-race.sh, one after the other. The last line is the sum of all.
# Exit status: 0 nothing failed, or else the highest of theirs.
set -euo pipefail

# shellcheck source=selftests/checks.sh
source "$(dirname "$(realpath "$0")")/checks.sh"

# check SCRIPT
check()
{
	local status=0 lines

	lines=$(wc -l <"$results")
	CHECK_RESULTS=$results "$here/$1" || status=$?
	((status <= worst)) || worst=$status
	(($(wc -l <"$results") > lines)) || not_run "$1"
}

check check.sh
check check-debug.sh
check check-race.sh
finish
