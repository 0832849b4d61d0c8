/* SPDX-License-Identifier: MIT */
/*
 * sweep-test.c - whole operations on buffers, on every machine and under both policies, failing at
 * each point
 *
 * Fences, reservations and sync files are swept beside theirs: fence-sweep-test.c.
 */
#include <sys/mman.h>

#include <linux/dma-fence.h>
#include <linux/dma-resv.h>
#include <linux/err.h>
#include <linux/iosys-map.h>
#include <linux/poll.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/workqueue.h>

#include "dma/engine.h"
#include "dma/machine.h"
#include "host/file.h"
#include "test-fallible.h"
#include "tests/ktap.h"
#include "tests/sweep.h"

#define MACHINES 5
#define VARIANTS (MACHINES * 2)
#define KINDS_VARIANTS (VARIANTS * FALLIBLE_KINDS)
#define AT (PAGE_SIZE - 100) /* an access of 200 bytes lies on both pages */
#define LEN 200

/* What every scenario has; what has not been made is NULL. */
struct stage {
	struct machine *machine;
	struct device *dev;
	struct dma_buf *dmabuf;
	struct dma_buf_attachment *attach;
};

static void moved(struct dma_buf_attachment *attach)
{
	++*(int *)attach->importer_priv;
}

static const struct dma_buf_attach_ops importer_ops = { .move_notify = moved };
static int moves;

static int stage_up(struct stage *s, unsigned int variant)
{
	const struct machine_type *type = &machine_types[variant % MACHINES];
	enum fallible_kind kind = variant / VARIANTS;

	*s = (struct stage){};
	s->machine = machine_create(type, 16 * PAGE_SIZE);
	if (IS_ERR(s->machine))
		return PTR_ERR(s->machine);
	s->dev = machine_add_device(s->machine, "swept", type->coherent);
	if (IS_ERR(s->dev))
		return PTR_ERR(s->dev);
	dma_buf_set_policy(variant / MACHINES % 2 ? DMA_BUF_POLICY_REMAP : DMA_BUF_POLICY_CACHED);
	s->dmabuf = fallible_export(kind);
	dma_buf_set_policy(DMA_BUF_POLICY_CACHED);
	if (IS_ERR(s->dmabuf))
		return PTR_ERR(s->dmabuf);
	s->attach = kind == FALLIBLE_DYNAMIC
			    ? dma_buf_dynamic_attach(s->dmabuf, s->dev, &importer_ops, &moves)
			    : dma_buf_attach(s->dmabuf, s->dev);
	return PTR_ERR_OR_ZERO(s->attach);
}

/* Returns @ret: what went before. */
static int stage_down(struct stage *s, int ret)
{
	if (!IS_ERR_OR_NULL(s->attach))
		dma_buf_detach(s->dmabuf, s->attach);
	if (!IS_ERR_OR_NULL(s->dmabuf))
		dma_buf_put(s->dmabuf);
	machine_remove_device(s->dev);
	if (!IS_ERR_OR_NULL(s->machine))
		machine_destroy(s->machine);
	return ret;
}

static int all_are(const u8 *bytes, u8 value)
{
	for (int i = 0; i < LEN; i++)
		if (bytes[i] != value)
			return SWEEP_WRONG_BYTES;
	return 0;
}

/* The device reads @want if it may read, then writes @put if it may write. */
static int device_access(struct stage *s, struct sg_table *table, enum dma_data_direction dir,
			 u8 want, u8 put)
{
	u8 bytes[LEN];
	int ret = 0;

	if (dir != DMA_FROM_DEVICE) {
		ret = dma_engine_read(s->dev, table, AT, bytes, LEN);
		if (!ret)
			ret = all_are(bytes, want);
	}
	memset(bytes, put, LEN);
	if (!ret && dir != DMA_TO_DEVICE)
		ret = dma_engine_write(s->dev, table, AT, bytes, LEN);
	return ret == -EFAULT ? SWEEP_WRONG_BYTES : ret;
}

static int map_and_access(struct stage *s, enum dma_data_direction dir, u8 want, u8 put)
{
	struct sg_table *table = dma_buf_map_attachment_unlocked(s->attach, dir);
	int ret;

	if (IS_ERR(table))
		return PTR_ERR(table);
	ret = device_access(s, table, dir, want, put);
	dma_buf_unmap_attachment_unlocked(s->attach, table, dir);
	return ret;
}

/* One CPU access through @bytes, where the buffer's byte AT is. */
static int cpu_access(struct stage *s, u8 *bytes, enum dma_data_direction dir, u8 want, u8 put)
{
	int ret = dma_buf_begin_cpu_access_partial(s->dmabuf, dir, AT, LEN), end;

	if (ret)
		return ret;
	if (dir != DMA_TO_DEVICE)
		ret = all_are(bytes, want);
	if (dir != DMA_FROM_DEVICE)
		memset(bytes, put, LEN);
	end = dma_buf_end_cpu_access_partial(s->dmabuf, dir, AT, LEN);
	return ret ?: end;
}

/* --- importers -------------------------------------------------------------------------------- */

static int map_every_direction(unsigned int variant)
{
	struct stage s;
	int ret = stage_up(&s, variant);

	if (!ret)
		ret = map_and_access(&s, DMA_FROM_DEVICE, 0, 1);
	if (!ret)
		ret = map_and_access(&s, DMA_TO_DEVICE, 1, 0);
	if (!ret)
		ret = map_and_access(&s, DMA_BIDIRECTIONAL, 1, 2);
	if (!ret)
		ret = map_and_access(&s, DMA_TO_DEVICE, 2, 0);
	return stage_down(&s, ret);
}

static int two_maps_at_once(unsigned int variant)
{
	struct stage s;
	struct sg_table *table;
	int ret = stage_up(&s, variant);

	if (ret)
		return stage_down(&s, ret);
	table = dma_buf_map_attachment_unlocked(s.attach, DMA_TO_DEVICE);
	if (IS_ERR(table))
		return stage_down(&s, PTR_ERR(table));
	ret = map_and_access(&s, DMA_TO_DEVICE, 0, 0);
	if (!ret)
		ret = device_access(&s, table, DMA_TO_DEVICE, 0, 0);
	dma_buf_unmap_attachment_unlocked(s.attach, table, DMA_TO_DEVICE);
	return stage_down(&s, ret);
}

static int attach_again(unsigned int variant)
{
	struct stage s;
	int ret = stage_up(&s, variant);

	if (!ret)
		ret = map_and_access(&s, DMA_BIDIRECTIONAL, 0, 1);
	if (ret)
		return stage_down(&s, ret);
	dma_buf_detach(s.dmabuf, s.attach);
	s.attach = dma_buf_attach(s.dmabuf, s.dev);
	ret = PTR_ERR_OR_ZERO(s.attach);
	if (!ret)
		ret = map_and_access(&s, DMA_TO_DEVICE, 1, 0);
	return stage_down(&s, ret);
}

/* @variant: of the dynamic kind */
static int pinned_and_moved(unsigned int variant)
{
	struct stage s;
	int ret = stage_up(&s, variant + VARIANTS * FALLIBLE_DYNAMIC);

	if (ret)
		return stage_down(&s, ret);
	dma_resv_lock(s.dmabuf->resv, NULL);
	ret = dma_buf_pin(s.attach);
	dma_resv_unlock(s.dmabuf->resv);
	if (ret)
		return stage_down(&s, ret);
	ret = map_and_access(&s, DMA_FROM_DEVICE, 0, 1);
	dma_resv_lock(s.dmabuf->resv, NULL);
	dma_buf_unpin(s.attach);
	dma_buf_move_notify(s.dmabuf);
	dma_resv_unlock(s.dmabuf->resv);
	if (!ret)
		ret = map_and_access(&s, DMA_TO_DEVICE, 1, 0);
	return stage_down(&s, ret);
}

/* --- fences ----------------------------------------------------------------------------------- */

/* Of a job that ends a little later, in another thread. */
struct job {
	struct dma_fence fence;
	spinlock_t lock;
	struct delayed_work ends;
};

static const char *job_name(struct dma_fence *fence)
{
	return "job";
}

static const struct dma_fence_ops job_ops = {
	.get_driver_name = job_name,
	.get_timeline_name = job_name,
};

static void job_ends(struct work_struct *work)
{
	dma_fence_signal(&container_of(work, struct job, ends.work)->fence);
}

/* On failure *@job may be there all the same. */
static int job_begin(struct job **job, struct dma_buf *dmabuf, enum dma_resv_usage usage)
{
	int ret;

	*job = kzalloc(sizeof(**job), GFP_KERNEL);
	if (!*job)
		return -ENOMEM;
	spin_lock_init(&(*job)->lock);
	dma_fence_init(&(*job)->fence, &job_ops, &(*job)->lock, dma_fence_context_alloc(1), 1);
	INIT_DELAYED_WORK(&(*job)->ends, job_ends);
	dma_resv_lock(dmabuf->resv, NULL);
	ret = dma_resv_reserve_fences(dmabuf->resv, 1);
	if (!ret) {
		dma_resv_add_fence(dmabuf->resv, &(*job)->fence, usage);
		schedule_delayed_work(&(*job)->ends, 1);
	}
	dma_resv_unlock(dmabuf->resv);
	return ret;
}

/* Returns @ret: what went before. */
static int job_down(struct job *job, int ret)
{
	if (!job)
		return ret;
	flush_delayed_work(&job->ends);
	dma_fence_put(&job->fence);
	return ret;
}

/* The CPU waits for who writes, a map for who moves the buffer; a signal breaks either off. */
static int access_behind_fences(unsigned int variant)
{
	struct job *writes = NULL, *moves_it = NULL;
	struct stage s;
	int ret = stage_up(&s, variant), end;

	if (!ret)
		ret = job_begin(&writes, s.dmabuf, DMA_RESV_USAGE_WRITE);
	if (!ret)
		ret = dma_buf_begin_cpu_access(s.dmabuf, DMA_FROM_DEVICE);
	if (!ret) {
		if (!dma_fence_is_signaled(&writes->fence))
			ret = SWEEP_WRONG_BYTES;
		end = dma_buf_end_cpu_access(s.dmabuf, DMA_FROM_DEVICE);
		ret = ret ?: end;
	}
	if (!ret)
		ret = job_begin(&moves_it, s.dmabuf, DMA_RESV_USAGE_KERNEL);
	if (!ret)
		ret = map_and_access(&s, DMA_TO_DEVICE, 0, 0);
	ret = job_down(moves_it, ret);
	return stage_down(&s, job_down(writes, ret));
}

/* --- the CPU ---------------------------------------------------------------------------------- */

static int cpu_and_device_through_vmap(unsigned int variant)
{
	struct iosys_map map;
	struct stage s;
	u8 *bytes;
	int ret = stage_up(&s, variant);

	if (!ret)
		ret = map_and_access(&s, DMA_FROM_DEVICE, 0, 1);
	if (!ret)
		ret = dma_buf_vmap_unlocked(s.dmabuf, &map);
	if (ret)
		return stage_down(&s, ret);
	bytes = (u8 *)map.vaddr + AT;
	ret = cpu_access(&s, bytes, DMA_BIDIRECTIONAL, 1, 2);
	if (!ret)
		ret = map_and_access(&s, DMA_BIDIRECTIONAL, 2, 3);
	if (!ret)
		ret = cpu_access(&s, bytes, DMA_FROM_DEVICE, 3, 0);
	dma_buf_vunmap_unlocked(s.dmabuf, &map);
	return stage_down(&s, ret);
}

static long sync_ioctl(int fd, u64 flags)
{
	struct dma_buf_sync sync = { .flags = flags };

	return host_ioctl(fd, DMA_BUF_IOCTL_SYNC, (unsigned long)&sync);
}

/* What could not be read has ended nothing; an end that fails otherwise is over all the same. */
static long sync_end(int fd, u64 flags)
{
	long ret = sync_ioctl(fd, DMA_BUF_SYNC_END | flags);

	if (ret == -EFAULT) {
		port_fail_nth(PORT_FAULT_COPY, 0);
		sync_ioctl(fd, DMA_BUF_SYNC_END | flags);
	}
	return ret;
}

static int program_writes(int fd, u8 *bytes, u8 want, u8 put)
{
	int ret = sync_ioctl(fd, DMA_BUF_SYNC_START | DMA_BUF_SYNC_RW);

	if (ret)
		return ret;
	ret = all_are(bytes, want);
	memset(bytes, put, LEN);
	return ret ?: sync_end(fd, DMA_BUF_SYNC_RW);
}

static int program_uses(struct stage *s, int fd)
{
	char name[DMA_BUF_NAME_LEN] = "swept", text[256];
	u8 *at;
	int ret;

	ret = host_ioctl(fd, DMA_BUF_SET_NAME_B, (unsigned long)name);
	if (!ret)
		ret = min_t(int, host_fdinfo(fd, text, sizeof(text)), 0);
	if (!ret)
		ret = min_t(int, host_poll(fd, EPOLLIN | EPOLLOUT, 0), 0);
	if (!ret)
		ret = map_and_access(s, DMA_FROM_DEVICE, 0, 1);
	if (ret)
		return ret;
	at = host_mmap(fd, NULL, FALLIBLE_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, 0);
	if (IS_ERR(at))
		return PTR_ERR(at);
	ret = program_writes(fd, at + AT, 1, 2);
	if (!ret)
		ret = map_and_access(s, DMA_BIDIRECTIONAL, 2, 3);
	if (!ret)
		ret = program_writes(fd, at + AT, 3, 4);
	while (host_munmap(at, FALLIBLE_BYTES)) {
		ret = ret ?: -ENOMEM;
		port_fail_nth(PORT_FAULT_MAP, 0);
	}
	return ret;
}

static int a_programs_descriptor(unsigned int variant)
{
	struct dma_buf *again;
	struct stage s;
	int ret = stage_up(&s, variant), fd;

	if (ret)
		return stage_down(&s, ret);
	get_dma_buf(s.dmabuf);
	fd = dma_buf_fd(s.dmabuf, O_CLOEXEC);
	if (fd < 0) {
		dma_buf_put(s.dmabuf);
		return stage_down(&s, fd);
	}
	again = dma_buf_get(fd);
	ret = again == s.dmabuf ? program_uses(&s, fd) : SWEEP_WRONG_BYTES;
	dma_buf_put(again);
	host_close(fd);
	return stage_down(&s, ret);
}

static const struct sweep_scenario scenarios[] = {
	{ "map every direction", map_every_direction, KINDS_VARIANTS },
	{ "two maps at once", two_maps_at_once, VARIANTS },
	{ "detach, attach again", attach_again, VARIANTS *FALLIBLE_DYNAMIC },
	{ "pin, unpin, move", pinned_and_moved, VARIANTS },
	{ "CPU access, map behind a fence", access_behind_fences, VARIANTS },
	{ "vmap, CPU access", cpu_and_device_through_vmap, VARIANTS },
	{ "fd, poll, mmap, SYNC, close", a_programs_descriptor, VARIANTS },
};

static void operations_fail_anywhere(struct ktap *t)
{
	for (size_t i = 0; i < ARRAY_SIZE(scenarios); i++)
		sweep_check(t, &scenarios[i]);
}

/* What this exporter forgets is what a sweep is for. */
static void planted_mistakes_are_noticed(struct ktap *t)
{
	for (fallible_mistake = 1; fallible_mistake < FALLIBLE_MISTAKES; fallible_mistake++) {
		struct sweep_scenario first = { "map every direction", map_every_direction, 1 };
		struct sweep_report report;

		sweep_run(&first, &report);
		KT_CHECK(t, report.complaints);
	}
	fallible_mistake = FALLIBLE_RIGHT;
}

int main(int argc, char **argv)
{
	static const struct ktap_case cases[] = { KTAP_CASE(operations_fail_anywhere),
						  KTAP_CASE(planted_mistakes_are_noticed) };

	if (argc == 2 && !strcmp(argv[1], "--table"))
		return sweep_table(scenarios, ARRAY_SIZE(scenarios), "core, buffers");
	return ktap_main(argc, argv, cases, ARRAY_SIZE(cases));
}
