#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# All tests of the guest on the debug kernel, which checks memory, locks and objects; it is built when it
# is not in the cache. They run twice: the checks of SLUB, and the search for lost memory, each slow
# everything down, and a search finds less if SLUB keeps more.
# The last line is the sum, as that of check.sh. Exit status: 0 nothing failed, or else as of qemu/run.
set -euo pipefail

# shellcheck source=selftests/checks.sh
source "$(dirname "$(realpath "$0")")/checks.sh"

export KERNEL=debug
# The tests do this many times less of what they do many times.
export BPFMAPS_TEST_SCALE=${BPFMAPS_TEST_SCALE:-100}
export TIMEOUT=${TIMEOUT:-1800} TEST_TIMEOUT=${TEST_TIMEOUT:-600}

if step "install what is missing" "$here/setup.sh" --kernel &&
   step "kernel" "$here/qemu/kernel.sh" --image && step "build" build_all; then
	step "bugs that the kernel finds" tap debug-test "$here/qemu/debug-test" || true
	step_guest "tests in the guest, with the checks of SLUB" --append slub_debug=FZPU
	# The search looks at all memory there is.
	MEM=${MEM:-1024} step_guest "tests in the guest, with a search for lost memory" --kmemleak
else
	not_run build
fi
finish
