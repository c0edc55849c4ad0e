#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The tests of the guest that have several threads, on a kernel that finds data races of the module; it is
# built when it is not in the cache.
# The last line is the sum, as that of check.sh. Exit status: 0 nothing failed, or else as of qemu/run.
set -euo pipefail

# shellcheck source=selftests/checks.sh
source "$(dirname "$(realpath "$0")")/checks.sh"

export KERNEL=race
guest_target=concurrent-tests
# The tests do this many times less of what they do many times.
export BPFMAPS_TEST_SCALE=${BPFMAPS_TEST_SCALE:-10}
export TIMEOUT=${TIMEOUT:-7200} TEST_TIMEOUT=${TEST_TIMEOUT:-2700}

if step "install what is missing" "$here/setup.sh" --kernel &&
   step "kernel" "$here/qemu/kernel.sh" --image && step "build" build_all; then
	step "races that the kernel finds" tap race-test "$here/qemu/debug-test" || true
	step_guest "tests with threads in the guest, on the race kernel"
else
	not_run build
fi
finish
