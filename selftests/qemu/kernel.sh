#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Finds the kernel that the guest boots. Debian's packages are unpacked into the cache, not installed;
# the project's own kernels are built there.
set -euo pipefail

here=$(dirname "$(realpath "$0")")
# shellcheck source=selftests/lib.sh
source "$here/../lib.sh"

usage()
{
	cat <<-EOT
	usage: kernel.sh [--version | --headers | --image | --modules] [VERSION]

	Prints, of the kernel VERSION, one of Debian's (like 6.1.0-56-amd64) or of the project's own (like
	6.1.192-debug):
	  --version  the version; without VERSION it is that of \$KERNEL: a version, the name of an own
	             kernel (debug, race), or another suite of Debian's (bullseye). If this is empty or a
	             path, it is that of linux-headers-amd64
	  --headers  the directory to build modules in
	  --image    the kernel to boot (the default), uncompressed if it is Debian's
	  --modules  the directory of its modules (as /lib/modules/VERSION); own kernels and those of
	             other suites have none

	What is not there yet is unpacked, fetched or built.
	EOT
}

# is_own NAME: whether the project has a kernel of this name
is_own()
{
	[[ $1 =~ ^[a-z0-9]+$ && -e $here/config/$1.config ]]
}

# is_suite NAME: whether it can only be the name of a suite
is_suite()
{
	[[ $1 =~ ^[a-z] && $1 != */* ]] && ! is_own "$1"
}

# suite_dir VERSION: prints the directory of a kernel that was fetched from another suite
suite_dir()
{
	local dir

	for dir in "$(cache_dir)"/suite-*; do
		if [[ -e $dir/version && $(<"$dir/version") == "$1" ]]; then
			printf '%s\n' "$dir"
			return
		fi
	done
	return 1
}

# Prints the version that is meant when none is given.
default_version()
{
	local depends

	if is_own "${KERNEL:-/}"; then
		"$here/own-kernel.sh" --version "$KERNEL" || exit
		return
	elif is_suite "${KERNEL:-/}"; then
		"$here/suite-kernel.sh" --version "$KERNEL" || exit
		return
	elif [[ ${KERNEL:-/} != */* ]]; then
		printf '%s\n' "$KERNEL"
		return
	fi
	depends=$(dpkg-query -W -f '${Depends}' linux-headers-amd64 2>/dev/null) ||
		die "$EXIT_NO_BOOT" "linux-headers-amd64 is not installed; run selftests/setup.sh"
	[[ $depends =~ linux-headers-([^ ,]+) ]] ||
		die "$EXIT_NO_BOOT" "linux-headers-amd64 names no headers"
	printf '%s\n' "${BASH_REMATCH[1]}"
}

headers()
{
	local dir

	if is_own "${1##*-}"; then
		dir=$("$here/own-kernel.sh" "${1##*-}") || exit
		printf '%s/build\n' "$dir"
		return
	fi
	for dir in "/lib/modules/$1/build" "/usr/src/linux-headers-$1" \
		   "$(suite_dir "$1")/usr/src/linux-headers-$1"; do
		if [[ -e $dir/Makefile ]]; then
			printf '%s\n' "$dir"
			return
		fi
	done
	die "$EXIT_NO_BOOT" "no headers of kernel $1; install linux-headers-$1"
}

# unpack_image VERSION PATH DIR: PATH, and what is below, of the package linux-image-VERSION
unpack_image()
{
	local version=$1 path=$2 dir=$3 deb

	echo "fetching kernel $version (once)" >&2
	mkdir "$dir/deb"
	# As another user apt could not write there; it says so, and goes on.
	(cd "$dir/deb" && apt-get download -q "linux-image-$version") >&2 || return
	deb=$(find "$dir/deb" -name '*.deb')
	dpkg-deb --fsys-tarfile "$deb" | tar -C "$dir" -x "$path" || return
	rm -r "$dir/deb"
}

# make_vmlinux VERSION DIR
make_vmlinux()
{
	local version=$1 dir=$2 vmlinuz=/boot/vmlinuz-$1 source

	if [[ ! -r $vmlinuz ]]; then
		unpack_image "$version" "./boot/vmlinuz-$version" "$dir" || return
		vmlinuz=$dir/boot/vmlinuz-$version
	fi
	source=$("$here/../kernel-source.sh") || return
	"$source/scripts/extract-vmlinux" "$vmlinuz" >"$dir/vmlinux" || return
	rm -rf "${dir:?}/boot"
}

# make_modules VERSION DIR
make_modules()
{
	local version=$1 dir=$2

	unpack_image "$version" "./lib/modules/$version" "$dir" || return
	/sbin/depmod -b "$dir" "$version"
}

# The build of a kernel package, so that a security update is not taken for what is in the cache.
# Without any of its packages installed, only the version is known.
build_of()
{
	local name build

	for name in "linux-headers-$1" "linux-image-$1"; do
		if build=$(dpkg-query -W -f '${Version}' "$name" 2>/dev/null) && [[ $build ]]; then
			printf '%s\n' "$build"
			return
		fi
	done
	printf 'unknown\n'
}

image()
{
	local dir

	if is_own "${1##*-}"; then
		dir=$("$here/own-kernel.sh" "${1##*-}") || exit
		printf '%s/bzImage\n' "$dir"
		return
	fi
	if ! dir=$(suite_dir "$1"); then
		dir=$(fill_cache "kernel-$1-$(build_of "$1")" make_vmlinux "$1") || exit
	fi
	printf '%s/vmlinux\n' "$dir"
}

modules()
{
	local dir

	is_own "${1##*-}" && die "$EXIT_NO_BOOT" "kernel $1 has no modules of its own"
	suite_dir "$1" >/dev/null && die "$EXIT_NO_BOOT" "the modules of kernel $1 are not fetched"
	if [[ -e /lib/modules/$1/modules.dep ]]; then
		printf '/lib/modules/%s\n' "$1"
		return
	fi
	dir=$(fill_cache "modules-$1-$(build_of "$1")" make_modules "$1") || exit
	printf '%s/lib/modules/%s\n' "$dir" "$1"
}

main()
{
	local what=image version

	case ${1:-} in
	--help | -h)
		usage
		exit 0
		;;
	--version | --headers | --image | --modules)
		what=${1#--}
		shift
		;;
	-*)
		usage >&2
		exit 4
		;;
	esac
	if (($#)); then
		version=$1
	else
		version=$(default_version)
	fi

	if [[ $what == version ]]; then
		printf '%s\n' "$version"
	else
		"$what" "$version"
	fi
}

main "$@"
