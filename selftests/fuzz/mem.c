// SPDX-License-Identifier: GPL-2.0-only
/*
 * The memory that a program's pointers go to: all of it at fixed addresses, apart from what the
 * fuzzer itself needs, so that a program does the same each time
 */
#include <err.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "fuzz.h"

#define BASE		0x20000000UL
#define READONLY	(BASE + 0x40000)
#define READONLY_SIZE	0x10000UL
#define HOLE		(BASE + 0x60000)
#define ATTR(nr)	(BASE + 0x80000 + (nr) * 0x20000UL)
#define ATTR_READONLY	0x10000UL	/* behind ATTR(), the same once more, read-only */
#define ATTR_SIZE	0x8000UL
#define WINDOWS		(BASE + 0x1000000)

/* Has somebody asked for a window? */
static atomic_bool windows_used = true;

static unsigned char first_area[AREA_SIZE];

static void map_at(unsigned long at, unsigned long size, int prot, int flags, int fd)
{
	if (mmap((void *)at, size, prot, flags | MAP_FIXED, fd, 0) == MAP_FAILED)
		err(1, "mmap at %#lx", at);
}

static void put32(unsigned long offset, uint32_t number)
{
	memcpy(first_area + offset, &number, sizeof(number));
}

/* Every key is there in several sizes, as what is behind it differs as well. */
static void fill_first_area(void)
{
	uint32_t i;

	for (i = 0; i < 256; i++) {
		put32(AREA_KEYS + 8 * i, i);
		put32(AREA_PREFIXES + 8 * i, i % 41);
		put32(AREA_PREFIXES + 8 * i + 4, i * 0x9e3779b1U);
		put32(AREA_INDEXES + 4 * i, i);
	}
	for (i = AREA_VALUES; i < AREA_SIZE; i += 4)
		put32(i, i / 4 % 0x400);
}

static void init_attr(unsigned int nr)
{
	int fd = memfd_create("attr", MFD_CLOEXEC);

	if (fd < 0 || ftruncate(fd, ATTR_SIZE))
		err(1, "memfd");
	map_at(ATTR(nr), ATTR_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, fd);
	map_at(ATTR(nr) + ATTR_READONLY, ATTR_SIZE, PROT_READ, MAP_SHARED | MAP_POPULATE, fd);
	close(fd);
}

void mem_init(void)
{
	const int private = MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE;
	unsigned int i;

	map_at(BASE, WINDOWS - BASE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1);
	map_at(BASE, AREA_SIZE, PROT_READ | PROT_WRITE, private, -1);
	map_at(READONLY, READONLY_SIZE, PROT_READ, private, -1);
	for (i = 0; i < MAX_THREADS; i++)
		init_attr(i);
	fill_first_area();
	mem_reset();
}

/* What a program may have changed is as before. */
void mem_reset(void)
{
	memcpy((void *)BASE, first_area, AREA_SIZE);
	if (!atomic_exchange(&windows_used, false))
		return;
	map_at(WINDOWS, NR_SLOTS * WINDOW_SIZE, PROT_NONE,
	       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1);
}

uint64_t mem_pointer(uint64_t arg)
{
	uint64_t offset = arg & ((1UL << PTR_SHIFT) - 1);

	switch (arg >> PTR_SHIFT) {
	case PTR_AREA:
		return BASE + offset % AREA_SIZE;
	case PTR_READONLY:
		return READONLY + offset % READONLY_SIZE;
	case PTR_END:
		return BASE + AREA_SIZE - offset % AREA_SIZE;
	case PTR_HOLE:
		return HOLE + offset % PAGE;
	case PTR_KERNEL:
		return 0xffffffff81000000UL + offset;
	case PTR_NONCANONICAL:
		return 0x8000000000000000UL + offset;
	case PTR_WINDOW:
		return WINDOWS + offset % (NR_SLOTS * WINDOW_SIZE);
	default:
		return arg;
	}
}

void *mem_window(unsigned int slot)
{
	atomic_store(&windows_used, true);
	return (void *)(WINDOWS + slot % NR_SLOTS * WINDOW_SIZE);
}

/* Where the struct of @bytes bytes is written; see mem_attr_given() for what the kernel gets. */
void *mem_attr(const struct thread *t, uint64_t size, unsigned int bytes)
{
	if (size & SIZE_AT_END)
		return (void *)(ATTR(t->nr) + ATTR_SIZE - bytes);
	return (void *)ATTR(t->nr);
}

/* The address of a struct that mem_attr() has returned, as the program wants it to be. */
uint64_t mem_attr_given(const void *attr, uint64_t size)
{
	if (size & SIZE_NOWHERE)
		return HOLE;
	if (size & SIZE_READONLY)
		return (uintptr_t)attr + ATTR_READONLY;
	return (uintptr_t)attr;
}
