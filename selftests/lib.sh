# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# What the scripts here share; sourced by them. EXIT_* are the exit statuses of the runner.

# shellcheck disable=SC2034 # for those who source this
readonly EXIT_PASS=0 EXIT_FAIL=1 EXIT_SPLAT=2 EXIT_TIMEOUT=3 EXIT_NO_BOOT=4

# For the kernel: what is reported as a stall, a reader under RCU for 5 seconds and any task for 10.
# shellcheck disable=SC2034 # for those who source this
readonly STALL_ARGUMENTS="watchdog_thresh=5 rcupdate.rcu_cpu_stall_timeout=5"

# die STATUS MESSAGE...
die()
{
	local status=$1

	shift
	printf '%s: %s\n' "${0##*/}" "$*" >&2
	exit "$status"
}

# Prints the directory of what is unpacked once and kept.
cache_dir()
{
	printf '%s/bpfmaps\n' "${XDG_CACHE_HOME:-$HOME/.cache}"
}

# fill_cache NAME COMMAND...: makes the cache's directory NAME unless it is there, by COMMAND called
# with the path of an empty directory behind its arguments. Prints the path of NAME.
#
# COMMAND works beside, and the result is moved into place when it is complete, so an interrupt leaves
# no half directory. A second caller at the same time waits for the first.
fill_cache()
{
	local name=$1 dir work lock

	shift
	dir=$(cache_dir)/$name
	if [[ ! -d $dir ]]; then
		mkdir -p "$(dirname "$dir")"
		exec {lock}>"$dir.lock"
		flock "$lock"
		# What a killed caller left: whoever may still work has the lock.
		find "$(dirname "$dir")" -maxdepth 1 -name "$name.??????" -exec rm -rf {} +
	fi
	if [[ ! -d $dir ]]; then
		work=$(mktemp -d "$dir.XXXXXX")
		# shellcheck disable=SC2064 # the path of now
		trap "rm -rf '$work'" EXIT
		"$@" "$work" || die "$EXIT_NO_BOOT" "cannot make $dir"
		chmod 755 "$work"
		mv -T "$work" "$dir" || die "$EXIT_NO_BOOT" "cannot make $dir"
		trap - EXIT
		# Whoever waits for it finds the directory, as does whoever comes later.
		rm -f "$dir.lock"
	fi
	[[ ! ${lock:-} ]] || exec {lock}>&-
	printf '%s\n' "$dir"
}
