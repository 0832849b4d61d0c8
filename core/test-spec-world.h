/* SPDX-License-Identifier: MIT */
/*
 * test-spec-world.h - a state of the specification in real structures, over a model of its hardware
 *
 * There is one world at a time.  Its hardware is the specification's: lines that are absent, clean or
 * dirty, memory, bounce slots, device memory.
 */
#ifndef CORE_TEST_SPEC_WORLD_H
#define CORE_TEST_SPEC_WORLD_H

#include "core/test-spec-graph.h"

/* What the hardware, or who is not the core, may get wrong; each must be noticed. */
enum spec_defect {
	SPEC_SOUND,
	SPEC_NEVER_CLEANS,
	SPEC_NEVER_INVALIDATES,
	SPEC_DROPS_DIRTY_LINES,
	SPEC_INVALIDATES_BEFORE_CLEAN,
	SPEC_WRONG_SLOT_BYTE,
	SPEC_DEFECTS
};

/** spec_world_init, spec_world_fini - the world, whose hardware has @defect */
void spec_world_init(enum spec_defect defect);
void spec_world_fini(void);

/**
 * spec_world_restore - @s, which has no transition under way
 * @c_clean: the directory knows where spec_world_known_clean() is true
 *
 * Ended by spec_world_clear() with the state that was reached.
 */
void spec_world_restore(const struct spec_graph *g, const struct spec_state *s, bool c_clean);
void spec_world_clear(const struct spec_state *now);

/** spec_world_known_clean - the directory may know that nothing in @line is dirty */
bool spec_world_known_clean(const struct spec_graph *g, const struct spec_state *s,
			    unsigned int line);

/**
 * spec_world_perform - do what an edge of @s says, in the state restored
 * @whole: of an outsider's call both halves, not only the directory's
 *
 * Returns whether the lock-free look would have passed it by.
 */
bool spec_world_perform(const struct spec_state *s, const char *what, bool whole);

/**
 * spec_world_log - operations since the state was restored: what, line; or 'b', slot, byte, '0'
 * spec_world_differs - in what the world is not @to: bytes, whole, open...; NULL if in nothing
 */
const char *spec_world_log(void);
const char *spec_world_differs(const struct spec_state *to);

/** spec_world_hardware - the same for an edge of @s that is no transition; needs no restore */
const char *spec_world_hardware(const struct spec_graph *g, const struct spec_state *s,
				const struct spec_edge *e);

#endif
