#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Fetches the kernel of another of Debian's suites, and its headers, into the cache. The packages come from
# where this machine's apt has those of its own suite; apt works with a state of its own, so nothing of
# the machine changes, and it need not be root.
set -euo pipefail

here=$(dirname "$(realpath "$0")")
# shellcheck source=selftests/lib.sh
source "$here/../lib.sh"

# The kernel for virtual machines: the same version with fewer drivers, a quarter of the size.
readonly flavour=cloud-amd64

usage()
{
	cat <<-EOT
	usage: suite-kernel.sh [--version] SUITE

	SUITE is one of Debian's (bullseye, bookworm-backports). Prints the directory with
	  vmlinux                         its kernel
	  version                         a file with the kernel's version
	  usr/src/linux-headers-VERSION   the directory to build modules in
	and fetches it when it is not in the cache; or, with --version, only the kernel's version. What is in
	the cache stays as it is until its directory is removed.

	Exit status: 0, or 4 if there is no such suite or its kernel could not be fetched.
	EOT
}

# Prints the suites that this machine's apt knows, as lines "URI SUITE".
known_suites()
{
	apt-get indextargets --format "\$(REPO_URI) \$(CODENAME)" 'Created-By: Packages' 'Component: main' |
		sort -u
}

# sources SUITE: prints the lines of a sources.list for it, with its security updates
sources()
{
	local own uri name found=''

	own=$(. /etc/os-release && printf '%s' "${VERSION_CODENAME:-}")
	while read -r uri name; do
		case $name in
		"$own")
			found=1
			printf 'deb %s %s main\n' "$uri" "$1"
			;;
		"$own-security")
			# The others have theirs in the suite itself.
			[[ $1 =~ -backports$|^sid$ ]] || printf 'deb %s %s-security main\n' "$uri" "$1"
			;;
		esac
	done < <(known_suites)
	[[ $found ]] || die "$EXIT_NO_BOOT" "apt does not know where $own is from; run apt-get update"
}

# private COMMAND ARGUMENT...: an apt command with its state in apt/
private()
{
	"$@" -o Dir::State="$PWD/apt" -o Dir::State::status=/dev/null -o Dir::Cache="$PWD/apt" \
		-o Dir::Etc::sourcelist="$PWD/apt/sources.list" -o Dir::Etc::sourceparts=/dev/null \
		-o Acquire::Check-Valid-Until=false -o Acquire::Languages=none -o APT::Sandbox::User=
}

# depends PACKAGE PATTERN: prints the first package that PACKAGE depends on and that matches
depends()
{
	private apt-cache show --no-all-versions "$1" |
		sed -n 's/^Depends: //p' | tr -s ', ' '\n' | grep -m 1 -xE "$2"
}

# unpack_packages VERSION
unpack_packages()
{
	local version=$1 common kbuild file

	common=$(depends "linux-headers-$version" 'linux-headers-.*-common') &&
		kbuild=$(depends "linux-headers-$version" 'linux-kbuild-.*') || return
	private apt-get download -q "linux-image-$version" "linux-headers-$version" "$common" "$kbuild" ||
		return
	for file in *.deb; do
		# What is not named here is modules, and documentation.
		dpkg-deb --fsys-tarfile "$file" | tar -x --wildcards --no-wildcards-match-slash \
			--exclude './lib' --exclude './usr/share' || return
		rm "$file"
	done
}

# move_headers VERSION DIR: makes the headers work in DIR with this machine's compiler
move_headers()
{
	local headers=usr/src/linux-headers-$1

	sed -i "s,/usr/src/,$2/usr/src/," "$headers/Makefile" &&
		sed -i -E 's/gcc-[0-9]+$/gcc/' "$headers/.kernelvariables"
}

# fetch SUITE DIR: with DIR as working directory
fetch()
{
	local suite=$1 version source

	mkdir -p apt/lists/partial apt/archives/partial
	sources "$suite" >apt/sources.list || return
	private apt-get update -q || return
	version=$(depends "linux-headers-$flavour" 'linux-headers-.*') || return
	version=${version#linux-headers-}
	unpack_packages "$version" && move_headers "$version" "$(cache_dir)/suite-$suite" || return
	source=$("$here/../kernel-source.sh") || return
	"$source/scripts/extract-vmlinux" "boot/vmlinuz-$version" >vmlinux || return
	printf '%s\n' "$version" >version
	rm -r apt boot
}

# make_suite SUITE DIR
make_suite()
{
	local log

	echo "fetching the kernel of $1 (once)" >&2
	cd "$2"
	log=$(mktemp)
	if ! fetch "$1" >"$log" 2>&1; then
		tail -n 20 "$log" >&2
		rm "$log"
		return 1
	fi
	rm "$log"
}

main()
{
	local what=directory dir

	case ${1:-} in
	--help | -h)
		usage
		exit 0
		;;
	--version)
		what=version
		shift
		;;
	esac
	if (($# != 1)) || [[ ! $1 =~ ^[a-z]+(-[a-z]+)*$ ]]; then
		usage >&2
		exit "$EXIT_NO_BOOT"
	fi

	dir=$(fill_cache "suite-$1" make_suite "$1") || exit
	if [[ $what == version ]]; then
		cat "$dir/version"
	else
		printf '%s\n' "$dir"
	fi
}

main "$@"
