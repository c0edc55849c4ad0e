#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Unloading the module, and what maps leave behind. Runs in the guest.
# shellcheck disable=SC2317 # result calls most of the functions
set -euo pipefail

# shellcheck source=selftests/tap.sh
. /lib/tap.sh

readonly pins=/sys/fs/bpfmaps
# The bound is in kilobytes. With 2000 cycles of four maps it is less than an object of 64 bytes in each;
# with fewer, on a kernel that checks everything, the search for lost memory finds what is smaller.
readonly cycles=$((2000 / ${BPFMAPS_TEST_SCALE:-1})) bound=124

loaded()
{
	grep -q '^bpfmaps ' /proc/modules
}

# The references of what was closed are given back a moment later.
unload()
{
	local try

	for ((try = 0; try < 240; try++)); do
		if rmmod bpfmaps 2>/tmp/rmmod; then
			return 0
		fi
		sleep 0.25
	done
	cat /tmp/rmmod
	return 1
}

load()
{
	insmod /lib/bpfmaps.ko && mount -t bpfmaps bpfmaps "$pins"
}

refuses_to_unload()
{
	if rmmod bpfmaps 2>/tmp/rmmod; then
		echo "rmmod worked"
		load
		return 1
	fi
	cat /tmp/rmmod
	loaded && grep -qiE 'busy|in use|temporarily unavailable' /tmp/rmmod
}

# busy_while WHAT: with the file system unmounted, so that only WHAT holds the module
busy_while()
{
	local status=0 in=/tmp/hold.in out=/tmp/hold.out line pid

	umount "$pins" || return
	rm -f "$in" "$out"
	mkfifo "$in" "$out" || return
	unload_helper "$1" <"$in" >"$out" &
	pid=$!
	exec 8>"$in" 9<"$out"
	if read -r line <&9 && [[ $line == held ]]; then
		refuses_to_unload || status=1
	else
		echo "unload_helper $1 did not start"
		status=1
	fi
	exec 8>&- 9<&-
	wait "$pid" || status=1
	mount -t bpfmaps bpfmaps "$pins" || status=1
	return "$status"
}

# The pin stays, for the next test: unmounting has to let it go.
busy_while_pinned()
{
	unload_helper pin "$pins/held" || return
	refuses_to_unload
}

unloads_clean()
{
	umount "$pins" && unload && leftovers
}

loads_again()
{
	load && unload_helper cycle 1
}

# Maps in maps are put when the outer one is freed, which is after nobody holds the module any more.
unloads_with_maps_in_maps()
{
	umount "$pins" && unload_helper nest && ! loaded && leftovers
}

# Prints the kilobytes of each kind of kernel memory that a map may use.
memory()
{
	local file

	for file in /sys/kernel/slab/*/shrink; do
		echo 1 >"$file" 2>/dev/null || true
	done
	awk '/^(SUnreclaim|VmallocUsed|Percpu):/ { print $1, $2 }' /proc/meminfo
}

# grown BEFORE AFTER: prints what grew over the bound, and ends with 1 if anything did
grown()
{
	awk -v bound="$bound" '
	NR == FNR { before[$1] = $2; next }
	$2 - before[$1] > bound { print $1, before[$1], "kB before,", $2, "kB after"; bad = 1 }
	END { exit bad }' <(echo "$1") <(echo "$2")
}

# settles BEFORE: nothing has grown; on a busy machine memory is given back late
settles()
{
	local try

	for ((try = 0; try < 20; try++)); do
		sleep 0.5
		if grown "$1" "$(memory)" >/tmp/growth; then
			return 0
		fi
	done
	cat /tmp/growth
	return 1
}

# What is lost is lost in each round; an allocator keeps what the most maps at a time have needed.
keeps_no_memory()
{
	local before round

	unload_helper cycle $((cycles / 4)) || return
	for round in 1 2 3; do
		before=$(memory)
		unload_helper cycle "$cycles" || return
		if settles "$before"; then
			return 0
		fi
		echo "that was round $round"
	done
	return 1
}

echo "TAP version 13"
result "rmmod fails while the file system is mounted" refuses_to_unload
result "rmmod fails while the device is open" busy_while device
result "rmmod fails while a map is open" busy_while map
result "rmmod fails while only a mapping is left" busy_while mapping
result "rmmod fails while a map is pinned" busy_while_pinned
result "nothing is left after unmounting with a pin, and rmmod" unloads_clean
result "the module loads again" loads_again
result "maps that are gone hold no memory" keeps_no_memory
result "nothing is left after the maps and rmmod" unloads_clean
load
result "nothing is left after maps in maps and rmmod" unloads_with_maps_in_maps
load
plan
