#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Unloading and loading the module again and again while others open the device, make maps and use them.
# Runs in the guest.
# shellcheck disable=SC2317 # result calls most of the functions
set -euo pipefail

# shellcheck source=selftests/tap.sh
. /lib/tap.sh

readonly pins=/sys/fs/bpfmaps
readonly rounds=$((60 / ${BPFMAPS_TEST_SCALE:-1} + 4))

tries=0 unloaded=0 status=0

# Where it is not in use, it goes: that is said by rmmod, which does not wait.
unload_once()
{
	tries=$((tries + 1))
	rmmod bpfmaps 2>/tmp/rmmod || return
	unloaded=$((unloaded + 1))
	insmod /lib/bpfmaps.ko
}

everything_works()
{
	mount -t bpfmaps bpfmaps "$pins" && unload_helper cycle 3 &&
		unload_helper pin "$pins/storm" && rm "$pins/storm"
}

leaves_nothing()
{
	local try

	umount "$pins" || return
	for ((try = 0; try < 240; try++)); do
		! rmmod bpfmaps 2>/tmp/rmmod || break
		sleep 0.25
	done
	leftovers
}

echo "TAP version 13"
umount "$pins"
unload_helper storm >/tmp/storm 2>&1 &
storm=$!
while ((unloaded < rounds && tries < 2000 * rounds)); do
	unload_once || grep -qiE 'busy|in use|temporarily unavailable' /tmp/rmmod || break
done
kill -TERM "$storm" 2>/dev/null || true
wait "$storm" || status=$?
echo "# unloaded $unloaded times in $tries tries"
sed 's/^/# /' /tmp/storm /tmp/rmmod
result "the module was unloaded while others opened it" test "$unloaded" -eq "$rounds"
result "who opened it met now a module that works, now none" test "$status" -eq 0
result "the module works after that" everything_works
result "nothing is left after that and rmmod" leaves_nothing
insmod /lib/bpfmaps.ko
mount -t bpfmaps bpfmaps "$pins"
plan
