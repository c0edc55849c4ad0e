# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
#
# What the tests of bpfmapctl share; sourced by them, in the guest as /lib/bpfmapctl_util.sh.

# shellcheck source=selftests/tap.sh
. /lib/tap.sh

# Runs bpfmapctl; sets status, and leaves its output in /tmp/out and /tmp/err.
call()
{
	status=0
	bpfmapctl "$@" >/tmp/out 2>/tmp/err || status=$?
}

# refused STATUS TEXT ARGUMENT...: on one line that has TEXT in it, and the same in JSON
refused()
{
	want=$1
	part=$2
	shift 2
	call "$@"
	same status "$status" "$want" || return
	same "standard output" "$(cat /tmp/out)" "" || return
	same "number of lines" "$(wc -l </tmp/err)" 1 || return
	grep -q '^bpfmapctl: ' /tmp/err && grep -qF -- "$part" /tmp/err ||
		same message "$(cat /tmp/err)" "...$part..." || return
	message=$(sed 's/^bpfmapctl: //' /tmp/err)
	call --json "$@"
	same "status with -j" "$status" "$want" || return
	same "standard error with -j" "$(cat /tmp/err)" "" || return
	# Read by jq all at once: it takes long to start.
	cat /tmp/out >>/tmp/errors
	echo "$message" >>/tmp/messages
}

# done_by ARGUMENT...: status 0, and nothing to read
done_by()
{
	call "$@"
	same messages "$(cat /tmp/err)" "" && same status "$status" 0 &&
		same output "$(cat /tmp/out)" ""
}

# null ARGUMENT...: what has no result says so in JSON
null()
{
	call -j "$@"
	same messages "$(cat /tmp/err)" "" && same status "$status" 0 &&
		same output "$(cat /tmp/out)" null
}

# prints TEXT ARGUMENT...: ignoring how wide the columns are
prints()
{
	want=$1
	shift
	call "$@"
	same messages "$(cat /tmp/err)" "" && same status "$status" 0 &&
		same output "$(sed 's/  */ /g; s/^ //; s/ $//' /tmp/out)" "$want"
}

# json FILTER VALUE ARGUMENT...: on one line with -j, on several with -p, and the same
json()
{
	filter=$1
	want=$2
	shift 2
	call -j "$@"
	same messages "$(cat /tmp/err)" "" && same status "$status" 0 || return
	same "number of lines with -j" "$(wc -l </tmp/out)" 1 || return
	mv /tmp/out /tmp/compact
	call -p "$@"
	same "status with -p" "$status" 0 || return
	same "$filter with -j and with -p" "$(jq -c "$filter" /tmp/compact /tmp/out)" \
		"$(printf '%s\n%s' "$want" "$want")"
}

id_of()
{
	bpfmapctl show pinned "$1" | awk 'NR == 2 { print $1 }'
}

# completes WORDS ARGUMENT...: what may stand in place of the last argument
completes()
{
	want=$1
	shift
	call --complete "$@"
	same status "$status" 0 && same messages "$(cat /tmp/err)" "" &&
		same candidates "$(tr '\n' ' ' </tmp/out | sed 's/ $//')" "$want"
}

# not_written ARGUMENT...: to a full device
not_written()
{
	status=0
	bpfmapctl "$@" >/dev/full 2>/tmp/err || status=$?
	same status "$status" 1 && same "number of lines" "$(wc -l </tmp/err)" 1 &&
		grep -q 'cannot be written: No space left' /tmp/err
}

# The errors in JSON that "refused" has collected, then the end.
finish()
{
	touch /tmp/errors /tmp/messages
	result "errors in JSON" same "what jq reads" "$(jq -r .error /tmp/errors)" "$(cat /tmp/messages)"
	rm -f /tmp/errors /tmp/messages
	plan
}
