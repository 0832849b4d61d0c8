/* SPDX-License-Identifier: MIT */
/* peers.c - see peers.h */
#include <linux/kernel.h>

#include <fnmatch.h>
#include <stdio.h>
#include <string.h>

#include "bench/peers.h"
#include "bench/ucx.h"
#include "pipeline/core.h"
#include "upstream/rival.h"

static const char *const names[PEERS] = { "linux-6.12", "linux-6.12-cached", "ucx" };

static const struct rival *cores[PEERS];
static char missing[PEERS][RUN_ERROR_BYTES];

/*
 * The first that fits says it.  Of ours alone are what Linux does not have and what is of the host
 * layer; a row of its movers or of many devices would measure the bench's exporter.
 */
static const struct {
	const char *pattern;
	unsigned int n; /* 0: any */
	bool has[PEERS];
	double target[PEERS];
} rows[] = {
	{ "cached_unlocked", 10, { true, true, true }, { 0, 0.6, 0.4 } },
	{ "cached_unlocked", 100000, { true, true, true }, { 0, 0.6, 0.25 } },
	{ "cached_unlocked", 0, { true, true, true }, { 0, 0.6, 0 } },
	{ "cached_unlocked_shared", 10, { true, true, true }, { 0, 0.6, 0.4 } },
	{ "cached_unlocked_shared", 100000, { true, true, true }, { 0, 0.6, 0.25 } },
	{ "cached_unlocked_shared", 0, { true, true, true }, { 0, 0.6, 0 } },
	{ "cached_locked", 0, { true, true }, { 0, 1.0 } },
	{ "attach_detach", 0, { true, true }, {} },
	{ "reimport", 0, { true, true }, {} },
	{ "remap", 0, { true, false }, {} },
	{ "fence_signalling_section", 0, {}, {} }, /* nothing, in both */
	{ "fence*", 0, { true, false }, { 1.1 } },
	{ "sync_file*", 0, { true, false }, { 1.1 } },
	{ "resv_*", 0, { true, false }, { 1.1 } },
	{ "*port_sync_file", 0, { true, false }, { 1.1 } },
};

/* An index of rows, or -1. */
static int row_of(const struct measure *measure)
{
	if (measure->bytes >= GIB)
		return -1;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		if (!fnmatch(rows[i].pattern, measure->name, 0) &&
		    (!rows[i].n || rows[i].n == measure->n))
			return i;
	return -1;
}

const char *peers_name(enum peer peer)
{
	return names[peer];
}

const char *peers_missing(enum peer peer)
{
	return *missing[peer] ? missing[peer] : NULL;
}

bool peers_load(void)
{
	const char *why;
	bool found;

	if (core_own()) {
		fprintf(stderr, "dmabuf bench: --peers: this program's own core is a peer's\n");
		return false;
	}
	why = ucx_load();
	found = !why;
	if (why)
		snprintf(missing[PEER_UCX], RUN_ERROR_BYTES, "%s", why);
	for (int i = PEER_LINUX; i <= PEER_LINUX_CACHED; i++) {
		cores[i] = core_load(names[i], missing[i]);
		found |= !!cores[i];
	}
	for (int i = 0; i < PEERS; i++)
		if (*missing[i])
			fprintf(stderr, "dmabuf bench: --peers: %s: %s\n", names[i], missing[i]);
	return found;
}

static const struct measure *find(const struct bench_group *group, const struct measure *ours)
{
	for (size_t i = 0; i < group->count; i++) {
		const struct measure *theirs = &group->measures[i];

		if (!strcmp(theirs->name, ours->name) && theirs->n == ours->n &&
		    theirs->threads == ours->threads && theirs->bytes == ours->bytes)
			return theirs;
	}
	return NULL;
}

const struct measure *peers_measure(enum peer peer, const struct measure *ours)
{
	const struct measure *theirs;
	int row = row_of(ours);

	if (row < 0 || !rows[row].has[peer] || *missing[peer])
		return NULL;
	if (peer == PEER_UCX)
		return find(&bench_ucx, ours);
	theirs = find(cores[peer]->bench_maps, ours);
	if (!theirs)
		theirs = find(cores[peer]->bench_fences, ours);
	if (!theirs)
		theirs = find(cores[peer]->bench_resvs, ours);
	return theirs;
}

double peers_target(const struct measure *ours, enum peer peer)
{
	int row = row_of(ours);

	return row < 0 ? 0 : rows[row].target[peer];
}

void peers_settle(enum peer peer)
{
	if (cores[peer])
		cores[peer]->rcu_barrier();
}

bool peers_memory(enum peer peer, struct memory_row memory[MEMORY_ROWS])
{
	if (!cores[peer])
		return false;
	cores[peer]->bench_memory(memory);
	return true;
}
