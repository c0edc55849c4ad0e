// SPDX-License-Identifier: GPL-2.0-only
/*
 * bpfmapctl: show, list
 *
 * Copyright (C) 2026 The bpfmaps authors
 */
#include <stdlib.h>

#include "map.h"
#include "output.h"
#include "pins.h"
#include "select.h"
#include "text.h"

enum show_column {
	SHOW_ID,
	SHOW_TYPE,
	SHOW_NAME,
	SHOW_FLAGS,
	SHOW_KEY,
	SHOW_VALUE,
	SHOW_MAX,
	SHOW_EXTRA,
	SHOW_MEMLOCK,
	SHOW_FROZEN,
	SHOW_PINNED,
};

static const struct column show_columns[] = {
	[SHOW_ID] = { "ID", "id", CELL_NUMBER, true },
	[SHOW_TYPE] = { "TYPE", "type", CELL_TEXT, false },
	[SHOW_NAME] = { "NAME", "name", CELL_TEXT, false },
	[SHOW_FLAGS] = { "FLAGS", "flags", CELL_NUMBER, true },
	[SHOW_KEY] = { "KEY", "bytes_key", CELL_NUMBER, true },
	[SHOW_VALUE] = { "VALUE", "bytes_value", CELL_NUMBER, true },
	[SHOW_MAX] = { "MAX_ENTRIES", "max_entries", CELL_NUMBER, true },
	[SHOW_EXTRA] = { "EXTRA", "map_extra", CELL_NUMBER, true },
	[SHOW_MEMLOCK] = { "MEMLOCK", "bytes_memlock", CELL_NUMBER, true },
	[SHOW_FROZEN] = { "FROZEN", "frozen", CELL_NUMBER, true },
	[SHOW_PINNED] = { "PINNED", "pinned", CELL_JSON, false },
};

static void show_begin(const struct request *request, bool list)
{
	if (request->show_pins)
		pins_collect();
	output_begin(show_columns, ARRAY_SIZE(show_columns) - !request->show_pins, list);
}

/* What the kernel says only in the descriptor's fdinfo; the cells stay empty without /proc. */
static void show_fdinfo(int fd)
{
	unsigned long long number;

	if (select_fdinfo(fd, "memlock", &number))
		output_cell(SHOW_MEMLOCK, text_printf("%llu", number));
	if (select_fdinfo(fd, "frozen", &number))
		output_cell(SHOW_FROZEN, text_printf("%llu", number));
}

static void show_pins(__u32 id)
{
	char *paths = pins_of(id);

	if (output_mode.json) {
		output_cell(SHOW_PINNED, output_list(paths));
		free(paths);
		return;
	}
	for (char *c = paths; *c; c++)
		if (*c == '\n')
			*c = ' ';
	output_cell(SHOW_PINNED, paths);
}

static int show_row(int fd, const struct bpfmaps_map_info *info, bool pins)
{
	const char *type = bpfmaps_type_name(info->type);
	int status = output_row();

	output_cell(SHOW_ID, text_printf("%u", info->id));
	output_cell(SHOW_TYPE, type ? text_printf("%s", type) : text_printf("type %u", info->type));
	output_cell(SHOW_NAME, select_name(info));
	output_cell(SHOW_FLAGS, text_printf(output_mode.json ? "%u" : "0x%x", info->map_flags));
	output_cell(SHOW_KEY, text_printf("%u", info->key_size));
	output_cell(SHOW_VALUE, text_printf("%u", info->value_size));
	output_cell(SHOW_MAX, text_printf("%u", info->max_entries));
	output_cell(SHOW_EXTRA, text_printf("%llu", (unsigned long long)info->map_extra));
	show_fdinfo(fd);
	if (pins)
		show_pins(info->id);
	return status;
}

static int visit_show(int fd, const struct bpfmaps_map_info *info, void *arg)
{
	const struct request *request = arg;

	return show_row(fd, info, request->show_pins);
}

int map_show(struct request *request)
{
	int status;

	show_begin(request, request->fd < 0);
	if (request->fd >= 0)
		status = show_row(request->fd, &request->info, request->show_pins);
	else
		status = select_each(visit_show, request);
	if (status < 0)
		status = fail_command(status, NULL, "the maps cannot be listed");
	else if (!status)
		status = output_end();
	pins_free();
	return status;
}
