// SPDX-License-Identifier: GPL-2.0-only
/*
 * The first programs: what the tests of each type do, in a few calls. fd=16 is the device, fd=0 a
 * map's own descriptor; pointers from 0x10000000 on are keys, from 0x10004000 on values, from
 * 0x70000000 on windows.
 */
#include "fuzz.h"

#define ON(fd, map)	" fd=" #fd " map=" #map
#define SELF		ON(0, 0xffffffff)
#define KEY0		" key=0x10000000"
#define KEY1		" key=0x10000008"
#define PREFIX9		" key=0x10001048"
#define VALUE		" value=0x10004000"
#define NEXT		" value=0x10005000"
#define BATCH(nr)	" out=0x10006000 keys=0x10002000 values=0x10004000 count=" #nr
#define AGAIN(nr)	" in=0x10006000" BATCH(nr)
#define CREATE(slot, type)	"create out=" #slot " fd=16 type=" #type

#define ALL_ELEM	\
	"update" SELF KEY0 VALUE "\n"	\
	"update" SELF KEY1 VALUE " flags=1\n"	\
	"update" SELF KEY1 VALUE " flags=2\n"	\
	"lookup" SELF KEY0 VALUE "\n"	\
	"next" SELF VALUE "\n"	\
	"next" SELF KEY0 NEXT "\n"	\
	"next" SELF KEY1 NEXT "\n"	\
	"take" SELF KEY0 VALUE "\n"	\
	"delete" SELF KEY1 "\n"

#define ALL_BATCH	\
	"update_batch" SELF BATCH(12) "\n"	\
	"lookup_batch" SELF BATCH(4) "\n"	\
	"lookup_batch" SELF AGAIN(100) "\n"	\
	"take_batch" SELF BATCH(16) "\n"	\
	"take_batch" SELF AGAIN(16) "\n"	\
	"update_batch" SELF BATCH(3) "\n"	\
	"delete_batch" SELF BATCH(3) "\n"

#define ALONE(type, sizes)	\
	CREATE(0, type) sizes "\n" ALL_ELEM "fdinfo\n",	\
	CREATE(0, type) sizes "\n" ALL_BATCH

#define MAP(type, sizes)	\
	ALONE(type, sizes),	\
	"threads 2 split 1 rounds 3\n" CREATE(0, type) sizes "\n" ALL_ELEM,	\
	"threads 3 split 1 rounds 2\n" CREATE(0, type) sizes "\n" ALL_BATCH

#define PERCPU	\
	"update" SELF KEY0 VALUE " flags=8\n"	\
	"update" SELF KEY0 VALUE " flags=0x100000008\n"	\
	"update" SELF KEY1 VALUE " flags=0x10\n"	\
	"lookup" SELF KEY0 VALUE " flags=8\n"

#define QUEUE	\
	"update" SELF VALUE "\n"	\
	"update" SELF VALUE "\n"	\
	"update" SELF VALUE " flags=2\n"	\
	"lookup" SELF VALUE "\n"	\
	"take" SELF VALUE "\n"

/* Batches without keys. */
#define MANY	\
	"update_batch" SELF " values=0x10004000 count=5\n"	\
	"take_batch" SELF " values=0x10005000 count=3\n"	\
	"update_batch" SELF " values=0x10004000 count=2\n"	\
	"take_batch" SELF " values=0x10005000 count=40\n"

#define OTHERS	\
	"fdinfo\n"	\
	"delete" SELF KEY0 "\n"	\
	"next" SELF NEXT "\n"	\
	"lookup" SELF VALUE "\n"	\
	"update" SELF VALUE "\n"	\
	"take" SELF VALUE "\n"	\
	"readwrite map=0 what=1\n"	\
	"freeze" SELF "\n"	\
	"freeze" SELF "\n"

#define FAILED_OPEN(nth)	\
	"fail nth=" #nth "\n"	\
	"fd_by_id out=1 fd=16\n"

const char *const seeds[] = {
	MAP(1, " key=4 value=8 max=16"),
	MAP(1, " key=8 value=64 max=16 flags=1"),
	MAP(1, " key=16 value=5000 max=20"),
	MAP(1, " key=12 value=4 max=65536 flags=1"),
	MAP(2, " key=4 value=8 max=16"),
	MAP(2, " key=4 value=5000 max=20 flags=0x400"),
	MAP(5, " key=4 value=8 max=8"),
	MAP(6, " key=4 value=8 max=8"),
	MAP(9, " key=4 value=8 max=3"),
	MAP(9, " key=4 value=8 max=64 flags=2"),
	MAP(9, " key=4 value=8 max=40 flags=0x40000000"),
	MAP(10, " key=4 value=16 max=8"),
	/* Sizes that are no words, and large ones. */
	ALONE(1, " key=7 value=15 max=8"),
	ALONE(2, " key=4 value=7 max=8"),
	ALONE(2, " key=4 value=300 max=8"),
	ALONE(2, " key=4 value=70000 max=1"),
	ALONE(5, " key=3 value=3 max=8"),
	ALONE(6, " key=4 value=15 max=8 flags=0"),
	ALONE(6, " key=4 value=4096 max=2"),
	ALONE(10, " key=13 value=6 max=3 flags=2"),
	ALONE(1, " key=500 value=20000 max=2"),
	CREATE(0, 5) " key=4 value=8 max=8\n" PERCPU PERCPU,
	CREATE(0, 6) " key=4 value=12 max=8\n" PERCPU PERCPU,
	CREATE(0, 10) " key=4 value=8 max=2\n" PERCPU
	"lookup" SELF KEY1 VALUE " flags=0x40000000\n",
	CREATE(0, 11) " key=8 value=8 max=8 flags=1\n" ALL_ELEM,
	CREATE(0, 11) " key=8 value=8 max=32 flags=1\n"
	"update" SELF PREFIX9 VALUE "\n"
	"update" SELF " key=0x10001050" VALUE "\n"
	"update" SELF " key=0x10001060" VALUE "\n"
	"lookup" SELF PREFIX9 VALUE "\n"
	"next" SELF NEXT "\n"
	"delete" SELF PREFIX9 "\n"
	"update_batch" SELF " keys=0x10001000 values=0x10004000 count=20\n"
	"lookup_batch" SELF BATCH(8) "\n"
	"lookup_batch" SELF AGAIN(40) "\n"
	"delete_batch" SELF " keys=0x10001000 count=12\n",
	CREATE(0, 22) " value=8 max=2\n" QUEUE QUEUE,
	CREATE(0, 22) " value=8 max=8\n" MANY QUEUE MANY,
	CREATE(0, 23) " value=300 max=50\n" MANY QUEUE MANY,
	CREATE(0, 30) " value=8 max=64\n" MANY QUEUE,
	"threads 3 split 1 rounds 3\n"
	CREATE(0, 22) " value=8 max=8\n" MANY MANY,
	CREATE(0, 23) " value=100 max=2\n" QUEUE QUEUE,
	CREATE(0, 22) " value=8000 max=3\n" QUEUE QUEUE,
	"threads 3 split 1 rounds 3\n"
	CREATE(0, 23) " value=8 max=4\n" QUEUE,
	CREATE(0, 30) " value=8 max=64 extra=3\n" QUEUE QUEUE,
	CREATE(1, 2) " key=4 value=8 max=4\n"
	CREATE(0, 12) " key=4 value=4 max=4 inner=1\n"
	"putfd at=0x10004000 map=1\n" ALL_ELEM,
	CREATE(1, 1) " key=4 value=8 max=4\n"
	CREATE(0, 13) " key=4 value=4 max=4 inner=1\n"
	"putfd at=0x10004000 map=1\n"
	"putfd at=0x10004004 map=1\n" ALL_ELEM,
	CREATE(1, 1) " key=4 value=8 max=4\n"
	CREATE(0, 13) " key=4 value=4 max=4 inner=1 flags=1\n"
	"putfd at=0x10004000 map=1\n"
	"putfd at=0x10004004 map=1\n" ALL_BATCH,
	"threads 3 split 3 rounds 3\n"
	CREATE(1, 1) " key=4 value=8 max=4\n"
	CREATE(0, 13) " key=4 value=4 max=4 inner=1\n"
	"putfd at=0x10004000 map=1\n"
	"update" SELF KEY0 VALUE "\n"
	"lookup" SELF KEY0 NEXT "\n"
	"take" SELF KEY0 NEXT "\n"
	"close map=1\n",
	/* What the types do not have. */
	CREATE(0, 11) " key=8 value=8 max=8 flags=1\n" OTHERS,
	CREATE(1, 2) " key=4 value=8 max=4\n"
	CREATE(0, 12) " key=4 value=4 max=4 inner=1\n" OTHERS,
	CREATE(1, 2) " key=4 value=8 max=4\n"
	CREATE(0, 13) " key=4 value=4 max=4 inner=1\n" OTHERS,
	CREATE(0, 22) " value=8 max=4\n" OTHERS,
	CREATE(0, 27) " max=4096\n" OTHERS,
	CREATE(0, 30) " value=8 max=4\n" OTHERS,
	CREATE(0, 31) " max=4096\n" OTHERS,
	/* Ring buffers, mapped as their readers and writers do. */
	CREATE(0, 27) " max=4096\n"
	"mmap pages=1 prot=3\n"
	"mmap window=1 pages=3 prot=1 first=1\n"
	"output" SELF " bytes=24 data=0x10004000\n"
	"poll events=1\n"
	"poke at=0x70000000 bytes=3 number=32\n"
	"output" SELF " bytes=4000 data=0x10004000 flags=2\n"
	"peek at=0x70101000\n",
	"threads 2 split 2 rounds 4\n"
	CREATE(0, 27) " max=4096\n"
	"mmap pages=1 prot=3\n"
	"output" SELF " bytes=24 data=0x10004000\n"
	"poke at=0x70000000 bytes=3 number=0x20\n"
	"poll events=1\n"
	"epoll what=2\n"
	"epoll\n",
	CREATE(0, 31) " max=4096\n"
	"mmap pages=1 prot=1\n"
	"mmap window=1 pages=3 prot=3 first=1\n"
	"poke at=0x70101000 bytes=2 number=8\n"
	"poke at=0x70101010 bytes=2 number=0x40000010\n"
	"poke at=0x70101028 bytes=2 number=0x80000008\n"
	"poke at=0x70100000 bytes=3 number=0x38\n"
	"drain" SELF " bytes=64 data=0x10004000\n"
	"drain" SELF " bytes=4 data=0x10004000\n"
	"poll events=4\n",
	"threads 2 split 2 rounds 4\n"
	CREATE(0, 31) " max=4096\n"
	"mmap window=1 pages=3 prot=3 first=1\n"
	"poke at=0x70101000 bytes=2 number=16\n"
	"poke at=0x70100000 bytes=3 number=24\n"
	"drain" SELF " bytes=64 data=0x10004000\n"
	"poke at=0x70100000 bytes=3 number=0x1000\n",
	/* Mappings, and freezing. */
	CREATE(0, 2) " key=4 value=4096 max=4 flags=0x400\n"
	"mmap pages=4 prot=3\n"
	"poke at=0x70000008 bytes=3 number=7\n"
	"freeze" SELF "\n"
	"fork what=3\n"
	"mprotect pages=4 prot=1\n"
	"freeze" SELF "\n"
	"munmap pages=4\n"
	"freeze" SELF "\n"
	"mmap window=1 pages=4 prot=1\n"
	"mprotect window=1 pages=1 prot=3\n"
	"update" SELF KEY0 VALUE "\n",
	CREATE(0, 2) " key=4 value=4096 max=4 flags=0x400\n"
	"mmap pages=4 prot=3\n"
	"close\n"
	"munmap first=1 pages=1\n"
	"mremap pages=1 new=1 to=2 flags=1\n"
	"madvise window=2 pages=1\n"
	"peek at=0x70200000\n"
	"mremap pages=1 new=4 to=3 flags=1\n",
	"threads 3 split 1 rounds 4\n"
	CREATE(0, 2) " key=4 value=64 max=200 flags=0x400\n"
	"mmap pages=2 prot=3\n"
	"lookup" SELF " key=0x10000000 value=0x70000000\n"
	"munmap pages=1\n"
	"freeze" SELF "\n"
	"update" SELF KEY0 " value=0x70000040\n",
	CREATE(0, 1) " key=4 value=8 max=4\n"
	"freeze" ON(16, 0) "\n" ALL_ELEM,
	/* Pins, ids, descriptors. */
	CREATE(0, 1) " key=4 value=8 max=4\n"
	"mkdir path=2\n"
	"pin fd=16 path=3\n"
	"get out=1 fd=16 path=3 flags=8\n"
	"rename path=3 to=4\n"
	"link path=4 to=1\n"
	"link path=1 symbolic=1\n"
	"get out=2 fd=16\n"
	"unlink path=4\n"
	"unlink path=2 dir=1\n"
	"open path=15\n"
	"chmod path=1 what=2\n",
	CREATE(0, 1) " key=4 value=8 max=4 name=1\n"
	"pin fd=16 path=11 dir=20 flags=0x4000\n"
	"get out=1 fd=16 path=11 dir=20 flags=0x4000\n"
	"uid uid=1\n"
	"get out=2 fd=16\n"
	"fd_by_id out=3 fd=16 id=0\n"
	"next_id fd=16\n"
	"uid\n"
	"chmod what=3\n"
	"uid uid=1\n"
	"get out=2 fd=16 flags=8\n"
	"pin fd=16 path=1\n"
	"open path=0 what=3\n",
	CREATE(0, 2) " key=4 value=8 max=4 flags=8\n"
	"pin fd=16\n"
	"get out=1 fd=16\n"
	"get out=2 fd=16 flags=8\n"
	"next_id fd=16\n"
	"fd_by_id out=3 fd=16 flags=16\n"
	"info" SELF " bytes=88 info=0x10004000\n"
	"info" ON(16, 0) " bytes=200 info=0x10004000\n"
	"dup out=4\n"
	"update" ON(4, 0xffffffff) KEY0 VALUE "\n"
	"readwrite\n"
	"fdinfo map=4\n",
	"mount what=1\n"
	"mount what=2\n"
	CREATE(0, 1) " key=4 value=8 max=4\n"
	"pin fd=16 path=10\n"
	"get out=1 fd=16 path=10\n"
	"mount what=8\n"
	"mount what=7\n"
	"mount what=4\n"
	"mount what=5\n",
	"threads 3 split 1 rounds 3\n"
	CREATE(0, 1) " key=4 value=8 max=4\n"
	"pin fd=16\n"
	"get out=1 fd=16\n"
	"close map=1\n"
	"unlink\n"
	"next_id fd=16\n"
	"fd_by_id out=2 fd=16\n",
	/* Bad structs. */
	CREATE(0, 1) " key=4 value=8 max=4 size=0x40030\n"
	"update" SELF KEY0 VALUE " size=0x4c020\n"
	"update" SELF KEY0 VALUE " size=0x4c0a0\n"
	"delete" SELF KEY0 " size=0x40020\n"
	"lookup" SELF KEY0 VALUE " size=0x10000\n"
	"info" SELF " bytes=88 info=0x10004000 size=0x20000\n"
	"ioctl request=0xc0bf0064 data=0x10004000\n"
	"ioctl fd=16 request=0xdfffbf01 data=0x10004000\n",
	/* Faults. */
	CREATE(0, 1) " key=4 value=8 max=4\n" FAILED_OPEN(1) FAILED_OPEN(2) FAILED_OPEN(3)
	FAILED_OPEN(4) FAILED_OPEN(5) FAILED_OPEN(6),
	"fail nth=1\n"
	CREATE(0, 1) " key=4 value=8 max=4\n"
	"fail nth=3\n"
	CREATE(0, 9)
	" key=4 value=8 max=4\n"
	"fail nth=6\n"
	CREATE(0, 27) " max=4096\n"
	"fail nth=2\n"
	CREATE(0, 6) " key=4 value=8 max=4\n"
	"fail nth=4\n"
	CREATE(0, 10) " key=4 value=8 max=4\n",
};

const unsigned int nr_seeds = ARRAY_SIZE(seeds);
