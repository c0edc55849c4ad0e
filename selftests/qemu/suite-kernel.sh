#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Fetches the kernel of another of Debian's suites, and its headers, into the cache. The packages
# come from where this machine's apt has those of its own suite; apt works with a state of its own,
# so nothing of the machine changes, and it need not be root.
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
	and fetches it when it is not in the cache; or, with --version, only the kernel's version.
	What is in the cache stays as it is until its directory is removed.

	Exit status: 0, or 4 if there is no such suite or its kernel could not be fetched.
	EOT
}

# Prints the suites that this machine's apt knows, as lines "URI SUITE".
known_suites()
{
	apt-get indextargets --format "\$(REPO_URI) \$(CODENAME)" \
		'Created-By: Packages' 'Component: main' |
		sort -u
}

# sources SUITE: prints the lines of a sources.list for it, with its security updates; for backports
# also those of the suite that they are for
sources()
{
	local own uri name suite=${1%-backports} found=''

	own=$(. /etc/os-release && printf '%s' "${VERSION_CODENAME:-}")
	while read -r uri name; do
		case $name in
		"$own")
			found=1
			printf 'deb %s %s main\n' "$uri" "$suite"
			[[ $1 == "$suite" ]] || printf 'deb %s %s main\n' "$uri" "$1"
			;;
		"$own-security")
			[[ $suite == sid ]] || printf 'deb %s %s-security main\n' "$uri" "$suite"
			;;
		esac
	done < <(known_suites)
	[[ $found ]] || die "$EXIT_NO_BOOT" "apt does not know where $own is from; run apt-get update"
}

# private COMMAND ARGUMENT...: an apt command with its state in apt/, where packages are rather from
# the suite $release than from others, if that is not empty
private()
{
	"$@" -o Dir::State="$PWD/apt" -o Dir::State::status=/dev/null -o Dir::Cache="$PWD/apt" \
		-o Dir::Etc::sourcelist="$PWD/apt/sources.list" -o Dir::Etc::sourceparts=/dev/null \
		-o Acquire::Check-Valid-Until=false -o APT::Default-Release="$release" \
		-o Acquire::Languages=none -o APT::Sandbox::User=
}

# depends PACKAGE PATTERN: prints the first package that PACKAGE depends on and that matches
depends()
{
	private apt-cache show --no-all-versions "$1" |
		sed -n 's/^Depends: //p' | tr -s ', ' '\n' | grep -xE "$2" | sed -n 1p
}

# unpack PACKAGE...: all of them but modules and documentation
unpack()
{
	local file

	private apt-get download -q "$@" || return
	for file in *.deb; do
		dpkg-deb --fsys-tarfile "$file" |
			tar -x --exclude ./lib/modules --exclude ./usr/share || return
		rm "$file"
	done
}

# unpack_kernel VERSION: what booting it and building for it takes
unpack_kernel()
{
	local headers=linux-headers-$1 image=linux-image-$1

	# Since 6.19 that is only the package that depends on the parts.
	image=$(depends "$image" 'linux-binary-.*' || printf '%s' "$image")
	unpack "$image" "$headers" "$(depends "$headers" 'linux-headers-.*-common')" \
		"$(depends "$headers" 'linux-kbuild-.*')"
}

# What a kernel that a newer compiler has built says of it, and this machine's may not know.
compiler_options=(CC_HAS_ASSUME CC_HAS_COUNTED_BY CC_HAS_MIN_FUNCTION_ALIGNMENT
		  CC_HAS_MULTIDIMENSIONAL_NONSTRING)

# move_headers VERSION DIR: makes the headers work in DIR with this machine's compiler
move_headers()
{
	local headers=usr/src/linux-headers-$1 option

	sed -i "s,/usr/src/,$2/usr/src/," "$headers/Makefile" || return
	sed -i -E 's/gcc-[0-9]+$/gcc/' "$headers/.kernelvariables" || return
	for option in "${compiler_options[@]}"; do
		sed -i "/CONFIG_${option}[= ]/d" "$headers/.config" "$headers/include/config/auto.conf" \
			"$headers/include/generated/autoconf.h" || return
	done
	# Of use only to a new enough pahole.
	rm -f "$headers/vmlinux"
}

# The programs that come with the headers.
programs()
{
	local file

	find usr/lib/linux-kbuild-* -type f -perm /111 | while read -r file; do
		if cmp -s -n 4 "$file" <(printf '\177ELF'); then
			printf '%s\n' "$file"
		fi
	done
}

# add_libraries VERSION DIR: programs that need newer libraries than this machine has get those of the
# suite, by scripts in their places that call the loader of these
add_libraries()
{
	local libraries=$2/usr/lib/x86_64-linux-gnu file list

	list=$(programs)
	[[ $(xargs ldd <<<"$list" 2>&1) == *'not found'* ]] || return 0
	unpack libc6 zlib1g libzstd1 \
		"$(depends "$(depends "linux-headers-$1" 'linux-kbuild-.*')" 'libelf1.*')" || return
	while read -r file; do
		mv "$file" "$file.elf"
		# shellcheck disable=SC2016 # they are for the script
		printf '#!/bin/sh\nexec %s --library-path %s --argv0 "$0" %s "$@"\n' \
			"$libraries/ld-linux-x86-64.so.2" "$libraries" "$2/$file.elf" >"$file"
		chmod 755 "$file"
	done <<<"$list"
}

# fetch SUITE: into the working directory, which will be moved to the cache
fetch()
{
	local suite=$1 release='' version source dir

	dir=$(cache_dir)/suite-$suite
	# Apt takes nothing from backports otherwise.
	[[ $suite != *-backports ]] || release=$suite
	mkdir -p apt/lists/partial apt/archives/partial
	sources "$suite" >apt/sources.list || return
	private apt-get update -q || return
	version=$(depends "linux-headers-$flavour" 'linux-headers-.*') || return
	version=${version#linux-headers-}
	unpack_kernel "$version" && move_headers "$version" "$dir" &&
		add_libraries "$version" "$dir" || return
	source=$("$here/../kernel-source.sh") || return
	find boot usr/lib/modules -name 'vmlinuz*' -exec "$source/scripts/extract-vmlinux" {} \; >vmlinux
	[[ -s vmlinux ]] || return
	printf '%s\n' "$version" >version
	rm -rf apt boot lib usr/lib/modules
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
