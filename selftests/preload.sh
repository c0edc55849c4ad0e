# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=dash
#
# What the tests of the preload library share; sourced by them in the guest.
#
# What a plain user gets from bpfmaps is compared with what root gets from bpf(2) by the same command.
# Ids, memory and the mount point of bpfmaps are written alike before; elements are put in order.
# shellcheck disable=SC2034 # for those who source this

# shellcheck source=selftests/tap.sh
. /lib/tap.sh

library=/lib/libbpfmaps-preload.so
dir=/sys/fs/bpf/preload_test
ours=/sys/fs/bpfmaps/preload_test
trace=/tmp/trace
# Before the kernel has random numbers malloc() leaves EAGAIN in errno, and bpftool takes that for an
# error in a batch file: this waits for them.
head -c 1 /dev/random >/dev/null

# The possible CPUs, as a range from 0.
cpus=$(($(sed "s/.*-//" /sys/devices/system/cpu/possible) + 1))

# as_user PROGRAM ARGUMENT...: a program of /bin, without privileges and under the library
as_user()
{
	program=$1
	shift
	LD_PRELOAD=$library start-stop-daemon -S -c user -x "/bin/$program" -- "$@"
}

# Makes the output of both alike.
alike()
{
	echo "$1" | sed -e 's/^[0-9][0-9]*: /ID: /' -e 's/"id": *[0-9]*/"id":ID/g' \
		-e 's/memlock [0-9]*B/memlock N/' -e 's/"bytes_memlock": *[0-9]*/"bytes_memlock":N/g' \
		-e 's/by id ([0-9]*)/by id (ID)/' -e 's|/sys/fs/bpfmaps|/sys/fs/bpf|g'
}

# both PROGRAM ARGUMENT...: the same output and messages, left in text, and the same status. A
# program is slow to start on some kernels: none is used to compare what is the same anyway.
both()
{
	program=$1
	shift
	status=0
	root_text=$("/bin/$program" "$@" 2>&1) || status=$?
	root_status=$status
	status=0
	text=$(as_user "$program" "$@" 2>&1) || status=$?
	if [ "$text" != "$root_text" ]; then
		alike "$root_text" >/tmp/bpf
		alike "$text" >/tmp/bpfmaps
		same "what diff says" "$(diff /tmp/bpf /tmp/bpfmaps)" "" || return
	fi
	same status "$status" "$root_status"
}

# has TEXT: the output has it
has()
{
	case $text in
	*"$1"*) ;;
	*) same output "$text" "...$1..." ;;
	esac
}

# map ARGUMENT...: by both, and it is no error
map()
{
	both bpftool map "$@" && same status "$status" 0
}

# prints TEXT ARGUMENT...: the same, and TEXT is in the output
prints()
{
	want=$1
	shift
	map "$@" && has "$want"
}

# refused TEXT ARGUMENT...: by both, with this message
refused()
{
	want=$1
	shift
	both bpftool map "$@" || return
	[ "$status" != 0 ] || same status "$status" "not 0" || return
	has "$want"
}

# refused_json TEXT ARGUMENT...: the message is in an object
refused_json()
{
	want=$1
	shift
	both bpftool -j map "$@" || return
	[ "$status" != 0 ] || same status "$status" "not 0" || return
	text=$(echo "$text" | jq -r .error) && has "$want"
}

# json FILTER VALUE ARGUMENT...
json()
{
	filter=$1
	want=$2
	shift 2
	both bpftool -j map "$@" && same status "$status" 0 &&
		same "$filter" "$(echo "$text" | jq -c "$filter")" "$want"
}

# null ARGUMENT...: what has no result says so in JSON
null()
{
	both bpftool -j map "$@" && same status "$status" 0 && same output "$text" null
}

# in_order TEXT ARGUMENT...: lines in any order, as a hash table gives them
in_order()
{
	want=$1
	shift
	root_text=$(bpftool map "$@") && text=$(as_user bpftool map "$@") || return
	alike "$root_text" | sort >/tmp/bpf
	alike "$text" | sort >/tmp/bpfmaps
	same "what diff says" "$(diff /tmp/bpf /tmp/bpfmaps)" "" && has "$want"
}

created()
{
	name=$1
	shift
	map create "$dir/$name" "$@" name "$name" && prints "name $name" show pinned "$dir/$name"
}

# expect ok|no bpftool ARGUMENT...: the same by both, and a success or not
expect()
{
	want=$1
	shift
	both "$@" || return
	case $want$status in
	ok0) ;;
	no0) same status 0 "not 0" ;;
	ok*) same status "$status" 0 ;;
	esac
}

# each MAP: a command a line: whether it is a success, -j for JSON, the command, and its arguments
# behind the map
each()
{
	subject=$1
	while read -r wanted command arguments; do
		json=
		if [ "$command" = -j ]; then
			json=-j
			command=${arguments%% *}
			arguments=${arguments#"$command"}
		fi
		# shellcheck disable=SC2086 # several words
		result "$subject: $json${json:+ }$command $arguments" \
			expect "$wanted" bpftool $json map "$command" pinned "$dir/$subject" $arguments
	done
}

# commands WHAT MAP: a command a line, and its arguments behind the map. None is an error. They are
# run by one process, twice: the second time it writes JSON.
commands()
{
	while read -r command arguments; do
		echo "map $command pinned $dir/$2 $arguments"
	done >/tmp/commands
	result "$2: $1" expect ok bpftool batch file /tmp/commands
	result "$2: $1, JSON" expect ok bpftool -j batch file /tmp/commands
}

# silent PROGRAM ARGUMENT...: as a plain user all was well
silent()
{
	status=0
	as_user "$@" >/tmp/out 2>&1 || status=$?
	same output "$(cat /tmp/out)" "" && same status "$status" 0
}

silent_root()
{
	status=0
	LD_PRELOAD=$library "$@" >/tmp/out 2>&1 || status=$?
	same output "$(cat /tmp/out)" "" && same status "$status" 0
}

# traced PATTERN...: each is in the trace
traced()
{
	for pattern; do
		grep -qE "^bpfmaps-preload\[[0-9]+\]: $pattern\$" "$trace" ||
			same "without '$pattern', the trace" "$(cat "$trace")" "with it" || return
	done
}

set_up()
{
	chmod 666 /dev/bpfmaps && mkdir "$dir" "$ours" && chown user "$ours" &&
		chmod 711 "$dir" "$ours"
}

clean_up()
{
	rm -r "$ours" "$dir"
}

# The end of the test.
