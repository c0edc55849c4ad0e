# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# Building the guest's file system; sourced by run. It sets root, the directory where this is put together,
# and here, that of the scripts.
# shellcheck disable=SC2154

# Copies a file to where it is to be in the guest.
add_file()
{
	local from=$1 to=$root$2

	[[ -f $from ]] || die "$EXIT_NO_BOOT" "no such file: $from"
	mkdir -p "${to%/*}"
	cp -L "$from" "$to"
}

# add_program FILE [GUEST PATH]: with the shared libraries it needs, at the paths they have here
add_program()
{
	local from=$1 to=${2:-/bin/${1##*/}} libraries line lib

	add_file "$from" "$to"
	chmod 755 "$root$to"
	# ldd fails for what needs no library: scripts and static programs.
	libraries=$(ldd "$from" 2>/dev/null) || return 0
	while read -r line; do
		[[ $line != *'not found'* ]] || die "$EXIT_NO_BOOT" "$from: $line"
		[[ $line =~ (^|' => ')(/[^ ]+) ]] || continue
		lib=${BASH_REMATCH[2]}
		[[ -e $root$lib ]] || add_file "$lib" "$lib"
	done <<<"$libraries"
}

# add_module FILE: the symbols stay, so that the names in a splat do too
add_module()
{
	add_file "$1" "/lib/${1##*/}"
	strip --strip-debug "$root/lib/${1##*/}"
}

# add_debian_module VERSION NAME: a module of Debian's, and what it depends on, loaded at boot
add_debian_module()
{
	local dir list action file

	dir=$("$here/kernel.sh" --modules "$1") || exit
	list=$(/sbin/modprobe -d "${dir%/lib/modules/*}/" -S "$1" --show-depends "$2") ||
		die "$EXIT_NO_BOOT" "kernel $1 has no module $2"
	while read -r action file _; do
		[[ $action == insmod ]] || continue
		add_module "$file"
		insmods+=("/lib/${file##*/}")
	done <<<"$list"
}

# Directories, busybox, bash and the files of /etc that programs look things up in.
add_base()
{
	local dir

	for dir in bin dev etc lib proc root run run.d sys tests tmp usr var; do
		mkdir -p "$root/$dir"
	done
	ln -s bin "$root/sbin"
	ln -s ../bin "$root/usr/bin"
	ln -s ../bin "$root/usr/sbin"
	add_file /bin/busybox /bin/busybox
	ln -s busybox "$root/bin/sh"
	add_program /bin/bash
	add_program "$here/leftovers"
	add_file "$here/init" /init
	chmod 755 "$root/init" "$root/bin/busybox"
	add_file /etc/protocols /etc/protocols
	printf '%s\n' root:x:0:0:root:/root:/bin/bash user:x:1000:1000:user:/tmp:/bin/bash \
		nobody:x:65534:65534:nobody:/:/bin/false >"$root/etc/passwd"
	printf '%s\n' root:x:0: bpfmaps:x:100: user:x:1000: nogroup:x:65534: >"$root/etc/group"
	printf '127.0.0.1 localhost guest\n' >"$root/etc/hosts"
}

# pack FILE
pack()
{
	(cd "$root" && find . -print0 | cpio --null -o -H newc -R +0:+0 --quiet) >"$1"
}
