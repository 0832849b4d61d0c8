/* SPDX-License-Identifier: MIT */
/* peers.c - see peers.h */
#include <linux/kernel.h>

#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/peers.h"
#include "pipeline/core.h"
#include "upstream/rival.h"

static const char *const names[PEERS] = { "linux-6.12", "linux-6.12-cached" };

/*
 * The first pattern that fits says it.  Of ours alone are what Linux does not have and what is of the
 * host layer; a row of its movers or of many devices would measure the bench's exporter.
 */
static const struct {
	const char *pattern;
	bool has[PEERS];
	double target[PEERS];
} rows[] = {
	{ "cached_unlocked", { true, true }, { 0, 0.6 } },
	{ "cached_locked", { true, true }, { 0, 1.0 } },
	{ "attach_detach", { true, true }, { 0, 0 } },
	{ "reimport", { true, true }, { 0, 0 } },
	{ "remap", { true, false }, { 0, 0 } },
	{ "fence_signalling_section", { false, false }, { 0, 0 } }, /* nothing, in both */
	{ "fence*", { true, false }, { 1.1, 0 } },
	{ "sync_file*", { true, false }, { 1.1, 0 } },
	{ "resv_*", { true, false }, { 1.1, 0 } },
	{ "*port_sync_file", { true, false }, { 1.1, 0 } },
};

/* An index of rows, or -1. */
static int row_of(const struct measure *measure)
{
	/* One reservation is shared by all buffers: on two threads Linux would wait for it. */
	if (measure->threads > 1 || measure->bytes >= GIB)
		return -1;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		if (!fnmatch(rows[i].pattern, measure->name, 0))
			return i;
	return -1;
}

void peers_load(const struct rival *peers[PEERS])
{
	if (core_own()) {
		fprintf(stderr, "dmabuf bench: --peers: this program's own core is a peer's\n");
		exit(2);
	}
	for (int i = 0; i < PEERS; i++) {
		char error[RUN_ERROR_BYTES];

		peers[i] = core_load(names[i], error);
		if (!peers[i]) {
			fprintf(stderr,
				"dmabuf bench: --peers: %s; upstream/build makes it in a source "
				"tree\n",
				error);
			exit(2);
		}
	}
}

const struct measure *peers_measure(const struct rival *const peers[PEERS], enum peer peer,
				    const struct bench_group *group, size_t i)
{
	const struct bench_group *theirs = NULL;
	int row = row_of(&group->measures[i]);

	if (row < 0 || !rows[row].has[peer])
		return NULL;
	if (group == &bench_maps)
		theirs = peers[peer]->bench_maps;
	else if (group == &bench_fences)
		theirs = peers[peer]->bench_fences;
	else if (group == &bench_resvs)
		theirs = peers[peer]->bench_resvs;
	if (!theirs || i >= theirs->count ||
	    strcmp(theirs->measures[i].name, group->measures[i].name))
		return NULL;
	return &theirs->measures[i];
}

double peers_target(const struct measure *measure, enum peer peer)
{
	int row = row_of(measure);

	return row < 0 ? 0 : rows[row].target[peer];
}
