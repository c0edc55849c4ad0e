#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# All checks: installs what is missing, builds, and runs the linters, the tests of the runner, the unit
# tests of the tools, the guard of some costs, and the tests in the guest. The last line is the sum, "N
# passed, N failed", with ", N skipped" if some were. Exit status: 0 nothing failed, or else as of qemu/run.
set -euo pipefail

# shellcheck source=selftests/checks.sh
source "$(dirname "$(realpath "$0")")/checks.sh"

# Other work may slow the machine down.
export TIMEOUT=${TIMEOUT:-3600} TEST_TIMEOUT=${TEST_TIMEOUT:-1500}

if step "install what is missing" "$here/setup.sh" && step "build" build_all; then
	step "lint" tap lint "$here/lint.sh" || true
	step "tests of the runner" tap scan-log-test "$here/qemu/scan-log-test" || true
	step "guests that fail" tap run-test "$here/qemu/run-test" || true
	step "unit tests of the tools" tap tools-check make -s -C "$top/tools" O="$build" check || true
	step "instructions of some calls" tap bench-guard "$here/bench/guard.sh" || true
	step_guest "tests in the guest"
else
	not_run build
fi
finish
