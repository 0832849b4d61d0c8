/* SPDX-License-Identifier: MIT */
/*
 * idr.h - small numbers for pointers (idr), and small numbers (ida), on <linux/xarray.h>
 *
 * Invariants: those of xarrays.  An id is taken from its allocation to its removal.
 *
 * Context: as xarrays; idr's writers exclude each other themselves, as in Linux (DIFFERS: nothing
 * breaks here if they do not).  Semantics: Linux 6.12.
 */
#ifndef _LINUX_IDR_H
#define _LINUX_IDR_H

#include <linux/xarray.h>

struct idr {
	struct xarray xa;
	u32 idr_base; /* set once: no id is below */
	u32 idr_next; /* idr_alloc_cyclic() */
};

#define IDR_INIT(name)                                       \
	{                                                    \
		.xa = XARRAY_INIT((name).xa, XA_FLAGS_ALLOC) \
	}
#define DEFINE_IDR(name) struct idr name = IDR_INIT(name)

void idr_init_base(struct idr *idr, int base);
static inline void idr_init(struct idr *idr)
{
	idr_init_base(idr, 0);
}

/**
 * idr_alloc - the lowest free id from @start up to, without, @end (<= 0: INT_MAX and all) for @ptr
 *
 * Returns it; -ENOSPC: none is free; -ENOMEM; -EINVAL: @start is negative.
 * idr_alloc_cyclic(): the next one after the last, and from @start again at the end.
 */
int idr_alloc(struct idr *idr, void *ptr, int start, int end, gfp_t gfp);
int idr_alloc_cyclic(struct idr *idr, void *ptr, int start, int end, gfp_t gfp);

/** idr_find - the pointer, or NULL; idr_remove - the same, and the id is free */
void *idr_find(const struct idr *idr, unsigned long id);
void *idr_remove(struct idr *idr, unsigned long id);

/** idr_replace - put @ptr at @id, which is taken; returns what was there, ERR_PTR(-ENOENT) if free */
void *idr_replace(struct idr *idr, void *ptr, unsigned long id);

/** idr_for_each - @fn for each pointer that is not NULL, until it returns other than 0; returns that */
int idr_for_each(const struct idr *idr, int (*fn)(int id, void *ptr, void *data), void *data);

/** idr_get_next - the first pointer at *@id or after, and *@id where; NULL: no more */
void *idr_get_next(struct idr *idr, int *id);
#define idr_for_each_entry(idr, entry, id) \
	for ((id) = 0; ((entry) = idr_get_next(idr, &(id))) != NULL; (id)++)

bool idr_is_empty(const struct idr *idr);

/** idr_destroy - forget all ids; the pointers stay their owners' */
void idr_destroy(struct idr *idr);

/* idr_preload, _end - in Linux, memory for an idr_alloc() that may not sleep; here it gets its own */
static inline void idr_preload(gfp_t gfp)
{
	preempt_disable();
}

static inline void idr_preload_end(void)
{
	preempt_enable();
}

struct ida {
	struct xarray xa;
};

#define IDA_INIT(name)                                       \
	{                                                    \
		.xa = XARRAY_INIT((name).xa, XA_FLAGS_ALLOC) \
	}
#define DEFINE_IDA(name) struct ida name = IDA_INIT(name)

static inline void ida_init(struct ida *ida)
{
	xa_init_flags(&ida->xa, XA_FLAGS_ALLOC);
}

/** ida_alloc_range - the lowest free id in @min..@max; -ENOSPC, -ENOMEM; above INT_MAX: never */
int ida_alloc_range(struct ida *ida, unsigned int min, unsigned int max, gfp_t gfp);
#define ida_alloc(ida, gfp) ida_alloc_range(ida, 0, UINT_MAX, gfp)
#define ida_alloc_min(ida, min, gfp) ida_alloc_range(ida, min, UINT_MAX, gfp)
#define ida_alloc_max(ida, max, gfp) ida_alloc_range(ida, 0, max, gfp)

/** ida_free - @id may be given out again; WARN if it is free */
void ida_free(struct ida *ida, unsigned int id);
void ida_destroy(struct ida *ida);

static inline bool ida_is_empty(const struct ida *ida)
{
	return xa_empty(&ida->xa);
}

#endif
