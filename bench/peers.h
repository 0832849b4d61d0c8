/* SPDX-License-Identifier: MIT */
/*
 * peers.h - whom rows are measured beside, and what ours must not exceed
 *
 * The same source of a row, compiled with Linux 6.12's headers, runs on Linux's core over the same host
 * and DMA layers (upstream/rival.h); UCX's rows are of its own making (ucx.h).  Their rounds alternate
 * with ours.
 */
#ifndef BENCH_PEERS_H
#define BENCH_PEERS_H

#include "bench/measure.h"
#include "bench/memory.h"

enum peer {
	PEER_LINUX,        /* an exporter as most are: every map asks it */
	PEER_LINUX_CACHED, /* it sets cache_sgt_mapping: Linux keeps the mapping, and nobody syncs */
	PEER_UCX,
	PEERS,
};

/** peers_load - find them all.  Returns whether one was found; who was not says so on stderr */
bool peers_load(void);

const char *peers_name(enum peer peer);

/** peers_missing - why @peer was not found; NULL: it was */
const char *peers_missing(enum peer peer);

/** peers_measure - the row of @peer that is as @ours; NULL: it has none */
const struct measure *peers_measure(enum peer peer, const struct measure *ours);

/** peers_target - what ours divided by the peer's must not exceed; 0: a figure by itself */
double peers_target(const struct measure *ours, enum peer peer);

/** peers_settle - wait until @peer has freed what it put off */
void peers_settle(enum peer peer);

/** peers_memory - as bench_memory(), on @peer.  Returns false if that has no such rows */
bool peers_memory(enum peer peer, struct memory_row rows[MEMORY_ROWS]);

#endif
