#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Builds the project's own kernels from Debian's linux-source package, into the cache.
set -euo pipefail

here=$(dirname "$(realpath "$0")")
# shellcheck source=selftests/lib.sh
source "$here/../lib.sh"

readonly package=linux-source-6.1

usage()
{
	cat <<-EOT
	usage: own-kernel.sh [--version] NAME

	NAME is that of a fragment in config/ (debug, race). Prints the directory with
	  bzImage  the kernel
	  build    the tree to build modules in
	and builds it when it is not in the cache; or, with --version, only the kernel's version, which
	ends with -NAME.

	Exit status: 0, or 4 if there is no such kernel or it could not be built.
	EOT
}

# Not needed: other architectures, and drivers that no fragment has. Kconfig reads what is left of them.
excludes=(
	'Documentation/*/*' 'arch/[!x]*/*.*' 'sound/*.[ch]' 'tools/perf/*' 'tools/testing/*'
	'drivers/crypto/*.[ch]' 'drivers/gpu/*.[ch]' 'drivers/infiniband/*.[ch]' 'drivers/media/*.[ch]'
	'drivers/net/*/*.[ch]' 'drivers/scsi/*.[ch]' 'drivers/staging/*.[ch]' 'drivers/usb/*.[ch]'
)

# What building a module takes, of the tree in which the kernel was built.
build_files=(
	.config Makefile Module.symvers arch/x86/Makefile arch/x86/Makefile_32.cpu arch/x86/include
	include scripts tools/objtool/objtool
)

source_version()
{
	if ! dpkg-query -W -f '${Version}' $package 2>/dev/null || [[ ! -r /usr/src/$package.tar.xz ]]; then
		die "$EXIT_NO_BOOT" "$package is not installed; run selftests/setup.sh"
	fi
}

# kernel_make NAME ARGUMENTS...: no variable of the caller's is to change the kernel. With KCSAN only its
# barriers are instrumented: modules that are built with it later have the flags of its own Makefiles.
kernel_make()
{
	local name=$1

	shift
	env -i PATH="$PATH" HOME="$HOME" LC_ALL=C CCACHE_DIR="$(cache_dir)/ccache" CCACHE_MAXSIZE=200M \
		CCACHE_NOHASHDIR=1 KBUILD_BUILD_TIMESTAMP=@0 KBUILD_BUILD_USER=bpfmaps \
		KBUILD_BUILD_HOST=bpfmaps make -j"$(nproc)" CC="ccache gcc" \
		LOCALVERSION="-$name" CFLAGS_KCSAN=-D__KCSAN_INSTRUMENT_BARRIERS__ "$@"
}

# An option that has a dependency too few is left out without a word.
check_config()
{
	local line missing=''

	while IFS= read -r line; do
		if [[ $line == CONFIG_* ]]; then
			grep -qxF -e "$line" .config || missing+=" $line"
		elif [[ $line =~ ^'# '(CONFIG_[A-Z0-9_]+)' is not set'$ ]]; then
			! grep -q "^${BASH_REMATCH[1]}=" .config || missing+=" no-${BASH_REMATCH[1]}"
		fi
	done < <(cat "$@")
	if [[ $missing ]]; then
		echo "the kernel's configuration does not have:$missing"
		return 1
	fi
}

# make_kernel NAME DIR FRAGMENT...: with the source as working directory
make_kernel()
{
	local name=$1 dir=$2

	shift 2
	kernel_make "$name" tinyconfig &&
		env -i PATH="$PATH" scripts/kconfig/merge_config.sh -m .config "$@" &&
		kernel_make "$name" olddefconfig &&
		check_config "$@" &&
		kernel_make "$name" bzImage modules || return
	find scripts -name '*.o' -delete
	mkdir "$dir/build"
	cp -r --parents "${build_files[@]}" "$dir/build" && cp arch/x86/boot/bzImage "$dir"
}

# build NAME VERSION DIR
build()
{
	local name=$1 version=$2 dir=$3 log=$3/log started=$SECONDS

	echo "building the kernel $version (once)" >&2
	mkdir "$dir/source"
	if ! { tar -C "$dir/source" -xJf "/usr/src/$package.tar.xz" --strip-components=1 --anchored \
			"${excludes[@]/#/--exclude=$package/}" &&
	       cd "$dir/source" && make_kernel "$name" "$dir" "$here/config/base.config" \
			"$here/config/$name.config"; } >"$log" 2>&1; then
		echo "the kernel $version could not be built:" >&2
		grep -E -B 5 -A 20 'error|Error|\*\*\*' "$log" >&2 || tail -n 40 "$log" >&2
		return 1
	fi
	cd /
	rm -rf "$dir/source" "$log"
	echo "built in $((SECONDS - started)) seconds" >&2
}

# Kernels of the name that nobody has used for a month, and what was left of interrupted builds.
remove_old()
{
	local name=$1 cache

	cache=$(cache_dir)
	find "$cache" -maxdepth 1 -name "own-$name-*" -mtime +30 -exec rm -rf {} +
	find "$cache" -maxdepth 1 -name "own-$name-*.??????" -mtime +0 -exec rm -rf {} +
}

main()
{
	local name what=directory version key dir tool

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
	name=${1:-}
	if (($# != 1)) || [[ ! $name =~ ^[a-z0-9]+$ || ! -r $here/config/$name.config ]]; then
		usage >&2
		exit "$EXIT_NO_BOOT"
	fi

	version=$(source_version) || exit
	if [[ $what == version ]]; then
		printf '%s-%s\n' "${version%%-*}" "$name"
		return
	fi
	for tool in gcc make flex bison bc ccache; do
		command -v $tool >/dev/null ||
			die "$EXIT_NO_BOOT" "$tool is missing; run selftests/setup.sh --kernel"
	done
	key=$({ echo "$version"; gcc --version; cat "$here/config/base.config" \
		"$here/config/$name.config" "$here/own-kernel.sh"; } | sha256sum)
	dir=$(fill_cache "own-$name-${key:0:16}" build "$name" "${version%%-*}-$name") || exit
	touch "$dir"
	remove_old "$name"
	printf '%s\n' "$dir"
}

main "$@"
