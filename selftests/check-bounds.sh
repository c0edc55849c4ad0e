#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Maps of ten million elements: bounds_test in a guest that has the memory for them and reports a CPU
# that is stalled for some seconds. BPFMAPS_BOUNDS is the number of elements.
# The last line is the sum, as that of check.sh. Exit status: 0 nothing failed, or else as of qemu/run.
set -euo pipefail

# shellcheck source=selftests/checks.sh
source "$(dirname "$(realpath "$0")")/checks.sh"

export MEM=${MEM:-3072} TIMEOUT=${TIMEOUT:-1800} TEST_TIMEOUT=${TEST_TIMEOUT:-1500}

if step "install what is missing" "$here/setup.sh" && step "build" build_all; then
	step "stalls that the kernel reports" tap stall-test "$here/qemu/stall-test" || true
	before=$(wc -l <"$results")
	step "large maps" "$here/guest.sh" --results "$results" --append "$STALL_ARGUMENTS" \
		--env "BPFMAPS_BOUNDS=${BPFMAPS_BOUNDS:-10000000}" --test "$build/selftests/bounds_test" || true
	(($(wc -l <"$results") > before)) || not_run bounds_test
else
	not_run build
fi
finish
