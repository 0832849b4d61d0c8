/* SPDX-License-Identifier: MIT */
/*
 * peers.h - which rows are measured on other cores, too, and what they must not exceed
 *
 * The same source of a row, compiled with Linux 6.12's headers, runs on Linux's core over the same host
 * and DMA layers (upstream/rival.h); its rounds alternate with ours.
 */
#ifndef BENCH_PEERS_H
#define BENCH_PEERS_H

#include "bench/measure.h"

enum peer {
	PEER_LINUX,        /* an exporter as most are: every map asks it */
	PEER_LINUX_CACHED, /* it sets cache_sgt_mapping: Linux keeps the mapping, and nobody syncs */
	PEERS,
};

struct rival;

/** peers_load - the cores, or the end of the program with a message */
void peers_load(const struct rival *peers[PEERS]);

/** peers_measure - the row of @peer that is as @measure, the @i th of @group; NULL: it has none */
const struct measure *peers_measure(const struct rival *const peers[PEERS], enum peer peer,
				    const struct bench_group *group, size_t i);

/** peers_target - what ours divided by the peer's must not exceed; 0: a figure by itself */
double peers_target(const struct measure *measure, enum peer peer);

#endif
