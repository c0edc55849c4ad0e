#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# A short run of the fuzzer, from the same random numbers each time. On the debug kernel, which has KCOV,
# it has to reach a number of the module's basic blocks: with less, its programs are no longer what they
# were. Other kernels give it nothing to go by, but it is faster there. Runs in the guest.
set -euo pipefail

# The seeds alone reach 2225 of them, 400 programs more than 2330.
readonly least_blocks=2280

# number NAME: of the line "NAME: number ...", or 0
number()
{
	sed -n "s/^$1: \([0-9][0-9]*\).*/\1/p" /tmp/fuzz | grep . || echo 0
}

planned=1 execs=300
if [[ $(uname -r) == *-debug ]]; then
	planned=2 execs=400
fi
echo "TAP version 13"
echo "1..$planned"
status=0
fuzz --seed 1 --execs "$execs" >/tmp/fuzz 2>&1 || status=$?
sed 's/^/# /' /tmp/fuzz
# The directory that it works in is not to be met by others.
rm -r /sys/fs/bpfmaps/fuzz

failed=0
ran=$(number executions)
total="$ran programs of the fuzzer"
if ((status == 0 && ran >= execs)); then
	echo "ok 1 $ran programs were run"
else
	echo "not ok 1 $ran of $execs programs were run, exit status $status"
	failed=1
fi
if ((planned == 2)); then
	blocks=$(number blocks)
	total+=", $blocks blocks of the module"
	if ((blocks >= least_blocks)); then
		echo "ok 2 $blocks blocks of the module were reached, at least $least_blocks"
	else
		echo "not ok 2 $blocks blocks of the module were reached, not $least_blocks"
		failed=1
	fi
fi
echo "# total: $total"
exit "$failed"
