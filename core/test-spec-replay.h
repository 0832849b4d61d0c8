/* SPDX-License-Identifier: MIT */
/*
 * test-spec-replay.h - one transition of the specification's graph, done by the real code
 *
 * A state is restored into real structures over a model of its hardware; the real functions perform
 * the edge; then whole, open and all bytes must be the successor's.  Done twice, the second time
 * with c_clean known where that is true: operations may be skipped then, but not their effect.
 *
 * Which function performs what
 *	begin, end	coherence_begin(), coherence_end() of a slot, and the look of mapping-slot.h;
 *			coherence_cpu_begin(), coherence_cpu_end() of the CPU;
 *			dma_buf_begin_exporter_access() and its end of xc, xn;
 *			remap_map(), remap_unmap() of fm, fb
 *	sync, fetch	what the exporter's access does to its own table; for fm, fb the exporter's
 *			map and unmap, which are the model's
 *	leave		coherence_leave(); in stock Linux's shape what must come before it, too
 *	move		coherence_leave() of all slots and dma_buf_begin_exporter_access() twice, as an
 *			exporter that moves calls them
 *
 * Granularity: each of these is called once, whole, and nobody comes between.  The graph's single
 * steps are compared with the operations performed, in their order, but for what the caches and
 * other accesses do between two of them: that is the specification's alone.  An outsider's call
 * that is a transition and a half without one is replayed whole, and each half by itself.
 */
#ifndef CORE_TEST_SPEC_REPLAY_H
#define CORE_TEST_SPEC_REPLAY_H

#include "core/test-spec-world.h"
#include "tests/ktap.h"

struct spec_outcome {
	unsigned int transitions, differences;
	char first[200];
};

/** spec_replay - every edge of @g; stops after @enough differences */
struct spec_outcome spec_replay(const struct spec_graph *g, enum spec_defect defect,
				unsigned int enough);

/** spec_replays - a case: read the graph for @arguments, replay it, no difference */
void spec_replays(struct ktap *t, const char *arguments);

/** spec_differs - a case: each of @n graphs, of protocols with a mistake, must differ somewhere */
void spec_differs(struct ktap *t, const char *const *graphs, unsigned int n);

/** spec_notices - a case: each defect must be noticed on one of @n graphs */
void spec_notices(struct ktap *t, const char *const *graphs, unsigned int n);

#endif
