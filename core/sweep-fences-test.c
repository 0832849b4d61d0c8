/* SPDX-License-Identifier: MIT */
/*
 * sweep-fences-test.c - whole operations on fences, reservations and sync files, failing at each
 * point
 */
#include <linux/anon_inodes.h>
#include <linux/dma-buf.h>
#include <linux/dma-fence-array.h>
#include <linux/dma-fence-chain.h>
#include <linux/dma-fence-unwrap.h>
#include <linux/dma-resv.h>
#include <linux/err.h>
#include <linux/file.h>
#include <linux/poll.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/sync_file.h>
#include <uapi/linux/sync_file.h>

#include "host/file.h"
#include "tests/ktap.h"
#include "tests/sweep.h"

#define MEMBERS 3

struct swept_fence {
	struct dma_fence base;
	spinlock_t lock;
};

static const char *swept_name(struct dma_fence *fence)
{
	return "swept";
}

static const struct dma_fence_ops swept_ops = {
	.get_driver_name = swept_name,
	.get_timeline_name = swept_name,
};

static struct dma_fence *fence_of(u64 context)
{
	struct swept_fence *fence = kzalloc(sizeof(*fence), GFP_KERNEL);

	if (!fence)
		return NULL;
	spin_lock_init(&fence->lock);
	dma_fence_init(&fence->base, &swept_ops, &fence->lock, context, 1);
	return &fence->base;
}

/* --- containers ------------------------------------------------------------------------------- */

/* Signal and put what there is. Returns @ret: what went before. */
static int fences_down(struct dma_fence **fences, int ret)
{
	for (int i = 0; i < MEMBERS; i++) {
		if (!fences[i])
			continue;
		dma_fence_signal(fences[i]);
		dma_fence_put(fences[i]);
	}
	return ret;
}

static int fences_up(struct dma_fence **fences)
{
	memset(fences, 0, MEMBERS * sizeof(*fences));
	for (int i = 0; i < MEMBERS; i++) {
		fences[i] = fence_of(i + 1);
		if (!fences[i])
			return -ENOMEM;
	}
	return 0;
}

/* The container signals with the last of its fences, and not before. */
static int signals_last(struct dma_fence **fences, struct dma_fence *whole)
{
	int ret = 0;

	dma_fence_enable_sw_signaling(whole);
	for (int i = 0; i < MEMBERS; i++) {
		if (dma_fence_is_signaled(whole))
			ret = SWEEP_WRONG_BYTES;
		dma_fence_signal(fences[i]);
	}
	if (!dma_fence_is_signaled(whole))
		ret = SWEEP_WRONG_BYTES;
	dma_fence_put(whole);
	return ret;
}

static int fence_array(unsigned int variant)
{
	struct dma_fence *fences[MEMBERS], **members;
	struct dma_fence_array *array;
	int ret = fences_up(fences);

	if (ret)
		return fences_down(fences, ret);
	members = kmalloc_array(MEMBERS, sizeof(*members), GFP_KERNEL);
	if (!members)
		return fences_down(fences, -ENOMEM);
	memcpy(members, fences, sizeof(fences));
	array = dma_fence_array_create(MEMBERS, members, 10, 1, false);
	if (!array) {
		kfree(members);
		return fences_down(fences, -ENOMEM);
	}
	for (int i = 0; i < MEMBERS; i++)
		dma_fence_get(members[i]);
	return fences_down(fences, signals_last(fences, &array->base));
}

static int fence_chain(unsigned int variant)
{
	struct dma_fence *fences[MEMBERS], *last = NULL;
	int ret = fences_up(fences);

	for (int i = 0; !ret && i < MEMBERS; i++) {
		struct dma_fence_chain *link = dma_fence_chain_alloc();

		if (!link) {
			dma_fence_put(last);
			return fences_down(fences, -ENOMEM);
		}
		dma_fence_chain_init(link, last, dma_fence_get(fences[i]), i + 1);
		last = &link->base;
	}
	return fences_down(fences, ret ?: signals_last(fences, last));
}

static int fences_merged(unsigned int variant)
{
	struct dma_fence *fences[MEMBERS], *inner, *merged;
	int ret = fences_up(fences);

	if (ret)
		return fences_down(fences, ret);
	inner = dma_fence_unwrap_merge(fences[0], fences[1]);
	if (!inner)
		return fences_down(fences, -ENOMEM);
	merged = dma_fence_unwrap_merge(inner, fences[2]);
	dma_fence_put(inner);
	if (!merged)
		return fences_down(fences, -ENOMEM);
	return fences_down(fences, signals_last(fences, merged));
}

/* --- reservations ----------------------------------------------------------------------------- */

/* Each into a slot reserved for it alone, so that the list grows. */
static int add_all(struct dma_resv *resv, struct dma_fence **fences)
{
	for (int i = 0; i < MEMBERS; i++) {
		int ret = dma_resv_reserve_fences(resv, 1 + i * 4);

		if (ret)
			return ret;
		dma_resv_add_fence(resv, fences[i], DMA_RESV_USAGE_WRITE);
	}
	return 0;
}

static int ask_reservation(struct dma_resv *resv)
{
	struct dma_fence **got, *single;
	unsigned int count;
	int ret = dma_resv_get_fences(resv, DMA_RESV_USAGE_READ, &count, &got);

	if (ret)
		return ret;
	ret = count == MEMBERS ? 0 : SWEEP_WRONG_BYTES;
	while (count)
		dma_fence_put(got[--count]);
	kfree(got);
	if (!ret)
		ret = dma_resv_get_singleton(resv, DMA_RESV_USAGE_READ, &single);
	if (!ret)
		dma_fence_put(single);
	return ret;
}

static int reservation(unsigned int variant)
{
	struct dma_resv resv, copy;
	struct dma_fence *fences[MEMBERS];
	long left;
	int ret = fences_up(fences);

	dma_resv_init(&resv);
	dma_resv_init(&copy);
	if (!ret)
		ret = dma_resv_lock_interruptible(&resv, NULL);
	if (!ret) {
		ret = add_all(&resv, fences);
		dma_resv_unlock(&resv);
	}
	if (!ret)
		ret = ask_reservation(&resv);
	if (!ret)
		ret = dma_resv_lock_interruptible(&copy, NULL);
	if (!ret) {
		ret = dma_resv_copy_fences(&copy, &resv);
		dma_resv_unlock(&copy);
	}
	if (!ret) {
		/* Nobody signals: it is given up after a millisecond or by a signal. */
		left = dma_resv_wait_timeout(&copy, DMA_RESV_USAGE_READ, true, 1);
		ret = left > 0 ? SWEEP_WRONG_BYTES : left;
	}
	fences_down(fences, 0);
	dma_resv_fini(&copy);
	dma_resv_fini(&resv);
	return ret;
}

/* --- sync files ------------------------------------------------------------------------------- */

static int sync_file_fd(struct dma_fence *fence)
{
	struct sync_file *file;
	int fd = get_unused_fd_flags(O_CLOEXEC);

	if (fd < 0)
		return fd;
	file = sync_file_create(fence);
	if (!file) {
		put_unused_fd(fd);
		return -ENOMEM;
	}
	fd_install(fd, file->file);
	return fd;
}

static int sync_file_told(int fd)
{
	struct sync_fence_info fence_info[MEMBERS];
	struct sync_file_info info = { .num_fences = MEMBERS,
				       .sync_fence_info = (u64)(uintptr_t)fence_info };
	int ret = host_ioctl(fd, SYNC_IOC_FILE_INFO, (unsigned long)&info);

	if (!ret && (info.num_fences != 2 || info.status))
		ret = SWEEP_WRONG_BYTES;
	if (!ret)
		ret = min_t(int, host_poll(fd, EPOLLIN, 1), 0);
	return ret;
}

static int sync_files(unsigned int variant)
{
	struct sync_merge_data merge = { .name = "both" };
	struct dma_fence *fences[MEMBERS];
	int ret = fences_up(fences), one, two;

	if (ret)
		return fences_down(fences, ret);
	one = sync_file_fd(fences[0]);
	if (one < 0)
		return fences_down(fences, one);
	two = sync_file_fd(fences[1]);
	if (two < 0) {
		host_close(one);
		return fences_down(fences, two);
	}
	merge.fd2 = two;
	ret = host_ioctl(one, SYNC_IOC_MERGE, (unsigned long)&merge);
	host_close(two);
	host_close(one);
	if (ret)
		return fences_down(fences, ret);
	ret = sync_file_told(merge.fence);
	host_close(merge.fence);
	return fences_down(fences, ret);
}

static const struct sweep_scenario scenarios[] = {
	{ "fence array", fence_array },
	{ "fence chain", fence_chain },
	{ "fences merged", fences_merged },
	{ "reservation: add, ask, copy", reservation },
	{ "sync_file: create, merge, info", sync_files },
};

static void operations_fail_anywhere(struct ktap *t)
{
	for (size_t i = 0; i < ARRAY_SIZE(scenarios); i++)
		sweep_check(t, &scenarios[i]);
}

int main(int argc, char **argv)
{
	static const struct ktap_case cases[] = { KTAP_CASE(operations_fail_anywhere) };

	if (argc == 2 && !strcmp(argv[1], "--table"))
		return sweep_table(scenarios, ARRAY_SIZE(scenarios), "core, fences");
	return ktap_main(argc, argv, cases, ARRAY_SIZE(cases));
}
