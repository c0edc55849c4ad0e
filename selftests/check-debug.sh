#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# All tests of the guest on the debug kernel, which checks memory, locks and objects; it is built when it
# is not in the cache. One run has the checks of SLUB and the search for lost memory: two would take nearly
# twice as long.
# The last line is the sum, as that of check.sh. Exit status: 0 nothing failed, or else as of qemu/run.
set -euo pipefail

# shellcheck source=selftests/checks.sh
source "$(dirname "$(realpath "$0")")/checks.sh"

export KERNEL=debug
# The tests do this many times less of what they do many times.
export BPFMAPS_TEST_SCALE=${BPFMAPS_TEST_SCALE:-30}
export TIMEOUT=${TIMEOUT:-14400} TEST_TIMEOUT=${TEST_TIMEOUT:-5400}
# The search looks at all memory there is.
export MEM=${MEM:-1024}

if step "install what is missing" "$here/setup.sh" --kernel &&
   step "kernel" "$here/qemu/kernel.sh" --image && step "build" build_all; then
	step "bugs that the kernel finds" tap debug-test "$here/qemu/debug-test" || true
	step_guest "tests in the guest, on the debug kernel" --append slub_debug=FZPU --kmemleak
	# This kernel is built with all that a test may ask for.
	step "nothing is skipped" no_skips || true
else
	not_run build
fi
finish
