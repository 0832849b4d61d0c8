/* SPDX-License-Identifier: MIT */
/*
 * watch.h - stands between a driver and the library, and remembers what the driver has open
 *
 * A driver's shared object finds dma_buf_attach() and its like in the worker before it finds them
 * in the library: watch-*.c define them.  Each looks at the rules for its call, makes the call
 * (real_*, the library's own name for it) and notes what is open from then on, or no longer.
 * What the checker itself calls is not watched: own.h gives it the real ones.
 *
 * Invariants
 *   WA1  Watching changes no answer: each call is made with the arguments it was given.
 *   WA2  A rule that is looked at here is not told again when the library WARNs of it.
 *   WA3  All that the driver has open is in the table, with the stack of who opened it.
 */
#ifndef CHECKER_CHECK_WATCH_H
#define CHECKER_CHECK_WATCH_H

#include <linux/dma-buf.h>

#include "checker/check/finding.h"

enum watched_kind {
	WATCHED_ATTACH, /* key: attachment */
	WATCHED_MAP,    /* key: table, also: attachment, value: direction */
	WATCHED_PIN,    /* key: attachment */
	WATCHED_VMAP,   /* key: buffer */
	WATCHED_CPU,    /* key: buffer, value: direction */
	WATCHED_KINDS
};

struct watched {
	struct watched *next;
	enum watched_kind kind;
	const void *key, *also;
	unsigned long value;
	const struct dma_buf *dmabuf;
	struct check_stack stack; /* who opened it */
	char at[160];             /* what was tried then */
	struct check_stack late;  /* who ended what it stands on; none: nobody has */
};

/** watch_open - the caller of who calls this has opened it */
void watch_open(enum watched_kind kind, const void *key, const void *also,
		const struct dma_buf *dmabuf, unsigned long value);

/** watch_find - a copy of the last opened in *@found; false: none is open. @key, @also: NULL for any */
bool watch_find(enum watched_kind kind, const void *key, const void *also, struct watched *found);

/** watch_close - the same, and it is open no longer */
bool watch_close(enum watched_kind kind, const void *key, const void *also, struct watched *found);

/** watch_find_value, watch_close_value - the same of one with this value */
bool watch_find_value(enum watched_kind kind, const void *key, const void *also,
		      unsigned long value, struct watched *found);
bool watch_close_value(enum watched_kind kind, const void *key, const void *also,
		       unsigned long value, struct watched *found);

/** watch_late - what @also holds up is still open and should not be: the caller ends @also */
void watch_late(enum watched_kind kind, const void *also);

/** watch_cpu_access - has the driver begun a CPU access of @dmabuf that allows what @dir does? */
bool watch_cpu_access(const struct dma_buf *dmabuf, enum dma_data_direction dir);

/** watch_any - has the driver anything open? watch_any_of: of this buffer */
bool watch_any(void);
bool watch_any_of(const struct dma_buf *dmabuf);

/** watch_left - whatever is open is a finding: nobody will come to close it */
void watch_left(void);

/** watch_called - who calls this was called by the driver: about what device or CPU may access */
void watch_called(const char *call);

/** watch_last - the last of these calls, for a finding about bytes. Returns @state, filled in */
struct check_state *watch_last(struct check_state *state);

/** watch_list - who mapped or unmapped the list last that this thread maps or unmaps; false: nobody */
bool watch_list(struct check_state *state);

/* --- reservations ----------------------------------------------------------------------------- */

/** watch_resv - who locked or unlocked @resv last, for a finding about that. *@state is filled in */
void watch_resv(const struct dma_resv *resv, struct check_state *state);

/**
 * watch_lock - is dmabuf->resv held, or not held, as core/locking.def says of @call?
 * watch_lock_resv - the same of a reservation that has no buffer yet, or is NULL
 * @call: the function's name; it has a rule there
 *
 * Returns whether it is so; if not it was told, and the library's WARN is not, until watch_done().
 */
bool watch_lock(const char *call, const struct dma_buf *dmabuf);
bool watch_lock_resv(const char *call, struct dma_resv *resv);

/* How many calls of this thread's are under way whose mistake was told. */
extern __thread unsigned int watch_told;

/** watch_done - the call that was asked about with @fine as the answer has returned */
static inline void watch_done(bool fine)
{
	watch_told -= !fine;
}

/* The library's own name for what watch-*.c define; the linker makes it (meson.build). */
#define REAL(fn) extern typeof(fn) real_##fn

#endif
