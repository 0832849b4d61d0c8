/* SPDX-License-Identifier: MIT */
/*
 * cost.c - what a mapping costs in instructions, on machines whose clock counts them
 *
 * Each line "COST" is a row of the table that ./check-linux --cost writes.
 */
#define _GNU_SOURCE
#include <stdio.h>
#include <string.h>

#include "guest.h"

#define MACHINES "cost-none cost-strict cost-lazy cost-arm64"
#define LARGE (16u << 20)

static const size_t sizes[] = { 4096, 1 << 20, LARGE };

static enum importer_device device(void)
{
	return strstr(machine, "strict") || strstr(machine, "lazy") ? DEVICE_PCI : DEVICE_PLAIN;
}

static struct importer_cost cost(int fd)
{
	struct importer_cost cost = { 0 };
	struct importer_call call = {
		.op = IMPORT_COST, .fd = fd, .device = device(), .bytes = (uintptr_t)&cost
	};

	check_equal(importer(&call), 0);
	return cost;
}

static struct importer_cost row(const char *exporter, size_t size, int fd, bool wrap_it)
{
	struct importer_cost c;

	if (!check(fd >= 0, "%s of %zu: %s", exporter, size, strerror(-fd)))
		return (struct importer_cost){ 0 };
	c = cost(fd);
	say("COST %s %s %zu %s %llu %llu", machine, exporter, size, wrap_it ? "wrapped" : "plain",
	    (unsigned long long)c.map_unmap, (unsigned long long)c.attach_to_detach);
	drop(fd);
	return c;
}

static int buffer(const char *exporter, size_t size)
{
	return !strcmp(exporter, "udmabuf")  ? udma_buffer(size)
	       : !strcmp(exporter, "system") ? heap_buffer(size)
					     : own_buffer(size, 0);
}

/*
 * "own" has 4 KiB entries and maps each time; udmabuf has them too, and the core keeps its mapping for
 * as long as an attachment lives.
 */
static void costs(void)
{
	static const char *const exporters[] = { "own", "system", "udmabuf" };
	struct importer_cost empty, plain, wrap, smallest = { 0 };
	/* On arm64 attaching to an exporter that does nothing costs more than a 500th of it. */
	unsigned int times = strcmp(machine, "cost-arm64") ? 500 : 200;

	empty = row("empty", 4096, own_buffer(4096, EXPORT_EMPTY), false);
	for (unsigned int e = 0; e < 3; e++) {
		for (unsigned int s = 0; s < 3; s++) {
			bool kept = strcmp(machine, "cost-arm64") || strcmp(exporters[e], "own");

			plain = row(exporters[e], sizes[s], buffer(exporters[e], sizes[s]), false);
			wrap = row(exporters[e], sizes[s],
				   wrapped(buffer(exporters[e], sizes[s]), 0), true);
			if (!kept)
				continue;
			if (!s)
				smallest = wrap;
			check(wrap.map_unmap * 100 <= empty.map_unmap * 120,
			      "a hit costs %llu, an empty op %llu",
			      (unsigned long long)wrap.map_unmap,
			      (unsigned long long)empty.map_unmap);
			check(wrap.map_unmap * 100 <= smallest.map_unmap * 105,
			      "a hit is not flat in size");
			if (!strcmp(exporters[e], "udmabuf") && sizes[s] == LARGE)
				check(plain.attach_to_detach >= times * wrap.attach_to_detach,
				      "attach to detach %llu, wrapped %llu",
				      (unsigned long long)plain.attach_to_detach,
				      (unsigned long long)wrap.attach_to_detach);
		}
	}
}

const struct guest_case cost_cases[] = {
	{ "a_hit_costs_little_more_than_an_empty_op_and_the_same_at_every_size", costs, MACHINES },
	{ NULL, NULL, NULL },
};
