/* SPDX-License-Identifier: MIT */
/*
 * ucx.h - the rows of UCX's registration cache, ucs_rcache
 *
 * What a user-space driver would take today: a cache of registered memory, found by address and length.  A
 * hit is ucs_rcache_get() and ucs_rcache_region_put() of a region that is registered.  Rows bear the
 * names of ours that they stand beside (bench/maps.c).
 *
 * What is measured is the cache alone, as well as it can be: registering does nothing, and it does not
 * listen for unmaps, which real users of it must.
 *
 * libucs is not linked but loaded: its constructors run in no other command.  Its names stay its own.
 */
#ifndef BENCH_UCX_H
#define BENCH_UCX_H

/** ucx_load - find libucs.  Returns NULL, or why there is none, for people */
const char *ucx_load(void);

#endif
