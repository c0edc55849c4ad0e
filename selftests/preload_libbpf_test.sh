#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Programs on libbpf under the preload library: ring buffers, objects, and what they do with paths. Runs in
# the guest; see preload.sh for what is compared.
# shellcheck disable=SC2317 # result calls the checks
set -u

# shellcheck source=selftests/preload.sh
. /lib/preload.sh

# long LINES PROGRAM ARGUMENT...: both print the same, and so many lines
long()
{
	lines=$1
	shift
	both "$@" && same status "$status" 0 && same lines "$(echo "$text" | wc -l)" "$lines"
}

# The records come from a kernel module: the third is discarded, and the first is finished last.
records_of_a_module()
{
	as_user preload_ring_helper wait "$dir/wait" 3 >/tmp/out 2>&1 &
	tries=0
	while [ ! -e "$ours/wait" ] && [ "$tries" -lt 200 ]; do
		tries=$((tries + 1))
		sleep 0.1
	done
	LD_PRELOAD=$library preload_produce_helper kmod "$dir/wait" || return
	wait $! || return
	same output "$(cat /tmp/out)" "new: 0
pin: 0
record: first
record: second
record: fourth
polled: 3"
}

drained_records()
{
	status=0
	as_user preload_ring_helper drained "$dir" >/tmp/out 2>&1 || status=$?
	same output "$(cat /tmp/out)" "pin: 0
new: 0
first
the second record
producer: 0
reserve: 0
reserve in a full one: -28
xxxxxxxxxxxxxxxxxxxx
reserve when there is room: 0
producer: 0" && same status "$status" 0
}

echo "TAP version 13"
result "directories to test in" set_up
result "ring_buffer: every function" long 138 preload_ring_helper rings "$dir"
result "ring_buffer: records of a kernel module" records_of_a_module
result "user_ring_buffer: every function" long 9 preload_ring_helper user "$dir"
result "user_ring_buffer: records are taken out" drained_records
clean_up
finish
