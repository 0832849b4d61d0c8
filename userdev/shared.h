/* SPDX-License-Identifier: MIT */
/*
 * shared.h - what the supervisor lets the preloaded part see without being asked
 *
 * One file in the run's folder, written by the supervisor alone, mapped to be read by all others.
 * Plain C, for both sides.
 *
 * Invariants
 *   SH1  A buffer is in the table only while it is alive, and each is, unless .unlisted is set.
 *   SH2  Its entry says pending from before the answer to the call that gave it an unsignaled fence
 *        until the fence has signaled.  One load reads an entry.
 *   SH3  A timeline is counted as long as a program has it open.
 *   SH4  What is here are hints: a wrong one misleads who believes it and nobody else.
 */
#ifndef USERDEV_SHARED_H
#define USERDEV_SHARED_H

#include <stdint.h>

#define SHARED_VARIABLE "DMABUF_RUN" /* the environment's, with the run's folder */
#define SHARED_FILE "state"
#define SHARED_ENTRIES (1u << 15)
#define SHARED_PENDING 1ull

/* The mode of a timeline's pipe: no other looks like it. */
#define SHARED_TIMELINE 01600

struct run_shared {
	uint64_t memfds;    /* st_dev of buffers */
	uint32_t buffers;   /* that are alive, udmabufs too */
	uint32_t pending;   /* of them, with an unsignaled fence */
	uint32_t quick;     /* a SYNC that waits for nothing need not be told */
	uint32_t unlisted;  /* a buffer is alive that found no place in the table */
	uint32_t timelines; /* that are alive */
	/* a buffer's inode << 1, and whether it is pending; 0: empty */
	uint64_t table[SHARED_ENTRIES];
};

/** shared_slot - where the search for an inode begins */
static inline uint32_t shared_slot(uint64_t ino)
{
	return (uint32_t)(ino * 0x9e3779b97f4a7c15ull >> 40) % SHARED_ENTRIES;
}

/** shared_find - its entry, or 0 */
static inline uint64_t shared_find(const struct run_shared *shared, uint64_t ino)
{
	uint32_t slot = shared_slot(ino);

	for (uint32_t i = 0; i < 64; i++) {
		uint64_t entry = __atomic_load_n(&shared->table[(slot + i) % SHARED_ENTRIES],
						 __ATOMIC_ACQUIRE);

		if (!entry || entry >> 1 == ino)
			return entry;
	}
	return 0;
}

#endif
