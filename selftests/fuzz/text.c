// SPDX-License-Identifier: GPL-2.0-only
/*
 * Programs as text: "threads 2 split 1 rounds 3" if more than one run it, then a line for each
 * call: its operation, and its arguments as name=number where they are not 0.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"

static unsigned int write_call(const struct call *call, char *text)
{
	const struct op *op = &ops[call->op];
	unsigned int len = sprintf(text, "%s", op->name), i;

	for (i = 0; i < MAX_ARGS && op->params[i].name; i++)
		if (call->arg[i])
			len += sprintf(text + len, " %s=%#llx", op->params[i].name,
				       (unsigned long long)call->arg[i]);
	return len + sprintf(text + len, "\n");
}

/* @text has room for TEXT_MAX bytes. Returns how many they are. */
unsigned int text_write(const struct prog *p, char *text)
{
	unsigned int len = 0, i;

	if (p->threads > 1)
		len = sprintf(text, "threads %u split %u rounds %u\n", p->threads, p->split,
			      p->rounds);
	for (i = 0; i < p->nr; i++)
		len += write_call(&p->calls[i], text + len);
	return len;
}

/* One "name=number" of a call. */
static bool read_arg(struct call *call, char *word)
{
	const struct op *op = &ops[call->op];
	char *number = strchr(word, '=');
	unsigned int i;

	if (!number)
		return false;
	*number++ = 0;
	for (i = 0; i < MAX_ARGS && op->params[i].name; i++) {
		if (strcmp(op->params[i].name, word))
			continue;
		call->arg[i] = strtoull(number, &number, 0);
		return !*number;
	}
	return false;
}

static bool read_call(struct call *call, char *line)
{
	char *rest, *word = strtok_r(line, " ", &rest);

	memset(call, 0, sizeof(*call));
	call->op = ops_find(word);
	if (call->op == nr_ops)
		return false;
	while ((word = strtok_r(NULL, " ", &rest)))
		if (!read_arg(call, word))
			return false;
	return true;
}

static bool threads_valid(const struct prog *p)
{
	return p->threads && p->threads <= MAX_THREADS && p->split <= p->nr && p->rounds;
}

/* False, and the line on stderr, for what is no program. Empty lines and '#' are for people. */
bool text_read(struct prog *p, const char *text)
{
	char *copy = strdup(text), *rest, *line, shown[80];
	bool good = copy;

	memset(p, 0, sizeof(*p));
	p->threads = 1;
	p->rounds = 1;
	for (line = strtok_r(copy, "\n", &rest); line && good; line = strtok_r(NULL, "\n", &rest)) {
		if (line[0] == '#' || line[strspn(line, " ")] == 0)
			continue;
		snprintf(shown, sizeof(shown), "%s", line);
		if (sscanf(line, "threads %u split %u rounds %u", &p->threads, &p->split,
			   &p->rounds) == 3)
			continue;
		good = p->nr < MAX_CALLS && read_call(&p->calls[p->nr], line);
		p->nr++;
		if (!good)
			fprintf(stderr, "fuzz: not a call: %s\n", shown);
	}
	free(copy);
	return good && p->nr && threads_valid(p);
}
