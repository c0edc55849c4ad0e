# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
#
# What the test scripts share; sourced in the guest as /lib/tap.sh.
#
# Each check is a function that prints what is wrong and returns 1; "result NAME COMMAND..." makes a
# line of TAP of it, and "plan" the last line.

count=0
failed=0

result()
{
	name=$1
	shift
	count=$((count + 1))
	if text=$("$@" 2>&1); then
		echo "ok $count $name"
	else
		echo "not ok $count $name"
		echo "$text" | sed 's/^/# /'
		failed=1
	fi
}

# same WHAT IS EXPECTED
same()
{
	[ "$2" = "$3" ] && return
	printf '%s is:\n%s\nexpected:\n%s\n' "$1" "$2" "$3"
	return 1
}

plan()
{
	echo "1..$count"
	exit "$failed"
}
