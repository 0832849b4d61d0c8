/* SPDX-License-Identifier: MIT */
/*
 * mutants-test.c - can the comparison fail? Each mutant is a core with one wrong answer, and a few
 * programs made by chance must notice
 *
 * The mutants stand between the steps and the real core (mutants.h), under policy `remap`; what they
 * answer is compared with the real core's as if they were Linux's.
 */
#define DIFFERENTIAL_MUTANTS
#include "mutants.h"

#include <stdio.h>
#include <string.h>
#include <linux/kernel.h>

#include "differential.h"
#include "tests/ktap.h"

#define PROGRAMS 400

enum mutant {
	NONE,
	ATTACH_CHANGES_ERRNO,
	MAP_BOTH_WAYS,
	MAP_CHANGES_ERRNO,
	UNMAP_TWO_STEPS,
	PIN_TWICE,
	MOVE_NOTHING,
	BEGIN_NOTHING,
	BEGIN_ANOTHER_DIRECTION,
	VMAP_HIDES_ERRNO,
	PUT_TWO_STEPS,
	FD_CHANGES_ERRNO,
	IOCTL_CHANGES_ERRNO,
	POLL_ALWAYS,
	POLL_NEVER,
	LSEEK_ANYTHING,
	FENCE_RANKS_LOWER,
	FENCE_SIGNALED_TWICE,
	BYTE_CHANGES,
	COST_MORE,
	SYNC_TWICE,
	MUTANTS,
};

static const char *const names[MUTANTS] = {
	[ATTACH_CHANGES_ERRNO] = "attach changes the exporter's errno",
	[MAP_BOTH_WAYS] = "map gives more than was asked for",
	[MAP_CHANGES_ERRNO] = "map changes the errno of the exporter, or of its wait",
	[UNMAP_TWO_STEPS] = "unmap maps and unmaps once more",
	[PIN_TWICE] = "pin pins twice",
	[MOVE_NOTHING] = "nobody hears of a move",
	[BEGIN_NOTHING] = "begin_cpu_access does nothing",
	[BEGIN_ANOTHER_DIRECTION] = "begin_cpu_access asks for both directions",
	[VMAP_HIDES_ERRNO] = "vmap says -EPERM",
	[PUT_TWO_STEPS] = "put gets and puts once more, under a WARN",
	[FD_CHANGES_ERRNO] = "a descriptor's error is -EPERM",
	[IOCTL_CHANGES_ERRNO] = "ioctl says -EPERM",
	[POLL_ALWAYS] = "poll is always ready",
	[POLL_NEVER] = "poll is never ready",
	[LSEEK_ANYTHING] = "lseek goes where it is sent",
	[FENCE_RANKS_LOWER] = "fences count as of the next usage",
	[FENCE_SIGNALED_TWICE] = "a signal too many is no error",
	[BYTE_CHANGES] = "a byte changes",
	[COST_MORE] = "something is counted once more",
	[SYNC_TWICE] = "a sync is made twice",
};

static enum mutant chosen;

struct dma_buf_attachment *mutant_attach(struct dma_buf *dmabuf, struct device *dev)
{
	struct dma_buf_attachment *attach = dma_buf_attach(dmabuf, dev);

	return chosen == ATTACH_CHANGES_ERRNO && IS_ERR(attach) ? ERR_PTR(-EPERM) : attach;
}

struct sg_table *mutant_map(struct dma_buf_attachment *attach, enum dma_data_direction dir)
{
	struct sg_table *sgt;

	if (chosen == MAP_BOTH_WAYS)
		dir = DMA_BIDIRECTIONAL;
	sgt = dma_buf_map_attachment_unlocked(attach, dir);
	return chosen == MAP_CHANGES_ERRNO && IS_ERR(sgt) ? ERR_PTR(-EPERM) : sgt;
}

void mutant_unmap(struct dma_buf_attachment *attach, struct sg_table *sgt,
		  enum dma_data_direction dir)
{
	if (chosen == UNMAP_TWO_STEPS && attach && sgt)
		dma_buf_unmap_attachment_unlocked(
			attach, dma_buf_map_attachment_unlocked(attach, dir), dir);
	dma_buf_unmap_attachment_unlocked(attach, sgt, dir);
}

int mutant_pin(struct dma_buf_attachment *attach)
{
	if (chosen == PIN_TWICE)
		dma_buf_pin(attach);
	return dma_buf_pin(attach);
}

void mutant_move(struct dma_buf *dmabuf)
{
	if (chosen != MOVE_NOTHING)
		dma_buf_move_notify(dmabuf);
}

int mutant_begin(struct dma_buf *dmabuf, enum dma_data_direction dir)
{
	if (chosen == BEGIN_NOTHING)
		return 0;
	if (chosen == BEGIN_ANOTHER_DIRECTION && dir < DMA_NONE)
		dir = DMA_BIDIRECTIONAL;
	return dma_buf_begin_cpu_access(dmabuf, dir);
}

int mutant_vmap(struct dma_buf *dmabuf, struct iosys_map *map)
{
	int ret = dma_buf_vmap_unlocked(dmabuf, map);

	return ret && chosen == VMAP_HIDES_ERRNO ? -EPERM : ret;
}

void mutant_put(struct dma_buf *dmabuf)
{
	if (chosen == PUT_TWO_STEPS)
		dma_buf_put(NULL);
	dma_buf_put(dmabuf);
}

int mutant_fd(struct dma_buf *dmabuf, int flags)
{
	int fd = dma_buf_fd(dmabuf, flags);

	return fd < 0 && chosen == FD_CHANGES_ERRNO ? -EPERM : fd;
}

long mutant_ioctl(int fd, unsigned int cmd, unsigned long arg)
{
	long ret = host_ioctl(fd, cmd, arg);

	return ret && chosen == IOCTL_CHANGES_ERRNO ? -EPERM : ret;
}

int mutant_poll(int fd, __poll_t events, int timeout_ms)
{
	int ready = host_poll(fd, events, timeout_ms);

	if (chosen == POLL_ALWAYS)
		return events;
	return chosen == POLL_NEVER ? 0 : ready;
}

loff_t mutant_lseek(int fd, loff_t offset, int whence)
{
	return chosen == LSEEK_ANYTHING ? offset : host_lseek(fd, offset, whence);
}

void mutant_add_fence(struct dma_resv *resv, struct dma_fence *fence, enum dma_resv_usage usage)
{
	if (chosen == FENCE_RANKS_LOWER && usage < DMA_RESV_USAGE_BOOKKEEP)
		usage++;
	dma_resv_add_fence(resv, fence, usage);
}

int mutant_signal(struct dma_fence *fence)
{
	int ret = dma_fence_signal(fence);

	return chosen == FENCE_SIGNALED_TWICE ? 0 : ret;
}

int mutant_read(struct device *dev, const struct sg_table *sgt, size_t offset, void *dst,
		size_t len)
{
	int ret = dma_engine_read(dev, sgt, offset, dst, len);

	if (chosen == BYTE_CHANGES)
		((u8 *)dst)[len / 2] ^= 1;
	return ret;
}

void mutant_cost(const struct dma_costs *before, struct dma_costs *delta)
{
	dma_cost_since(before, delta);
	if (chosen == COST_MORE && delta->count[DMA_COST_SG_ENTRIES])
		delta->count[DMA_COST_SG_ENTRIES]++;
}

void mutant_sync(struct device *dev, struct sg_table *sgt, enum dma_data_direction dir)
{
	if (chosen == SYNC_TWICE)
		dma_sync_sgtable_for_device(dev, sgt, dir);
	dma_sync_sgtable_for_device(dev, sgt, dir);
}

/* How many of the programs notice; stops at the first, when a mutant is chosen. */
static unsigned int noticed(enum mutant mutant, unsigned int programs)
{
	static struct trace right, wrong;
	static struct verdict verdict;
	unsigned int found = 0;
	struct program program;

	for (unsigned int seed = 0; seed < programs && !(found && mutant); seed++) {
		program_random(&program, seed);
		chosen = NONE;
		differential_run(&program, true, &right);
		chosen = mutant;
		differential_run(&program, true, &wrong);
		trace_check(&wrong, CORE_LINUX_NOTIFY, &verdict);
		if (verdict.same)
			traces_compare(&right, CORE_REMAP, &wrong, CORE_LINUX_NOTIFY, -1, &verdict);
		found += !verdict.same;
	}
	chosen = NONE;
	return found;
}

static void the_real_core_is_right(struct ktap *t)
{
	KT_EQ(t, noticed(NONE, PROGRAMS / 4), 0);
}

static void every_mutant_is_noticed(struct ktap *t)
{
	for (enum mutant mutant = NONE + 1; mutant < MUTANTS; mutant++)
		ktap_check(t, noticed(mutant, PROGRAMS), __FILE__, __LINE__, "nobody notices: %s",
			   names[mutant]);
}

KTAP_MAIN(KTAP_CASE(the_real_core_is_right), KTAP_CASE(every_mutant_is_noticed))
