/* SPDX-License-Identifier: MIT */
/* moves-table.c - see moves.h: `dmabuf bench --moves` */
#include <stdio.h>

#include "bench/moves.h"
#include "dma/machine.h"
#include "pipeline/core.h"
#include "upstream/rival.h"

#define LINUX "linux-6.12"

static double us(u64 ns)
{
	return ns / 1000.0;
}

static unsigned int print(const char *machine, const char *core, const struct moves_row *row)
{
	printf("%-11s %-10s %5u %6u %9.1f %9.1f %9.1f %9.1f %8.2f %8.1f%%\n", machine, core,
	       row->maps, row->moves, us(row->copy_ns), us(row->p50_ns), us(row->p99_ns),
	       us(row->max_ns), (double)row->p99_ns / row->copy_ns, 100 * row->pinned);
	fflush(stdout);
	return row->failed;
}

int bench_moves(unsigned int maps)
{
	const struct rival *own = core_own(), *rival = own;
	char error[RUN_ERROR_BYTES];
	unsigned int failed = 0;
	struct moves_row row;

	if (!rival)
		rival = core_load(LINUX, error);
	if (!rival)
		fprintf(stderr, "dmabuf bench: --moves: %s: %s\n", LINUX, error);
	printf("%-11s %-10s %5s %6s %9s %9s %9s %9s %8s %9s\n", "machine", "core", "maps", "moves",
	       "copy us", "map p50", "p99", "max", "p99/copy", "pinned");
	for (const struct machine_type *type = machine_types; type->name; type++) {
		for (int remap = 0; remap < 2 && !own; remap++) {
			row = (struct moves_row){ .maps = maps };
			bench_moves_run(type->name, remap, &row);
			failed += print(type->name, remap ? "remap" : "cached", &row);
		}
		if (!rival)
			continue;
		row = (struct moves_row){ .maps = maps };
		rival->bench_moves(type->name, true, &row);
		failed += print(type->name, LINUX, &row);
	}
	if (failed)
		fprintf(stderr, "dmabuf bench: %u maps or accesses failed\n", failed);
	return failed ? 1 : 0;
}
