/* SPDX-License-Identifier: MIT */
/*
 * dma-buf-test.c - the buffer itself: descriptors, references, the CPU's accesses
 */
#include <linux/device.h>
#include <linux/dma-cost.h>
#include <linux/dma-mapping.h>
#include <linux/mm.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/workqueue.h>

#include "buffer.h"
#include "dma/engine.h"
#include "dma/machine.h"
#include "host/file.h"
#include "host/port.h"
#include "test-exporter.h"
#include "tests/ktap.h"

static void descriptor_holds_the_buffer(struct ktap *t)
{
	struct test_exporter exporter = {};
	struct dma_buf *dmabuf = test_export(&exporter, 0);
	int fd = dma_buf_fd(dmabuf, O_CLOEXEC);

	KT_CHECK(t, fd >= 0);
	KT_CHECK(t, dma_buf_get(fd) == dmabuf);
	dma_buf_put(dmabuf);
	KT_EQ(t, exporter.releases, 0);
	KT_EQ(t, host_close(fd), 0);
	KT_EQ(t, exporter.releases, 1);
	KT_EQ(t, PTR_ERR(dma_buf_get(fd)), -EBADF);
}

static void other_descriptors_are_refused(struct ktap *t)
{
	KT_EQ(t, PTR_ERR(dma_buf_get(-1)), -EBADF);
}

struct late_fence {
	struct dma_fence base;
	spinlock_t lock;
	struct work_struct work;
	u8 *byte;
};

static const char *late_name(struct dma_fence *fence)
{
	return "late";
}

static const struct dma_fence_ops late_ops = {
	.get_driver_name = late_name,
	.get_timeline_name = late_name,
};

static void fence_signals_later(struct work_struct *work)
{
	struct late_fence *late = container_of(work, struct late_fence, work);

	*late->byte = 9;
	dma_fence_signal(&late->base);
}

/* A fence of @usage in the buffer's reservation, unsignaled; the work item signals it. */
static struct late_fence *add_late_fence(struct dma_buf *dmabuf, enum dma_resv_usage usage,
					 u8 *byte)
{
	struct late_fence *late = kzalloc(sizeof(*late), GFP_KERNEL);

	spin_lock_init(&late->lock);
	INIT_WORK(&late->work, fence_signals_later);
	late->byte = byte;
	dma_fence_init(&late->base, &late_ops, &late->lock, dma_fence_context_alloc(1), 1);
	dma_resv_lock(dmabuf->resv, NULL);
	dma_resv_reserve_fences(dmabuf->resv, 1);
	dma_resv_add_fence(dmabuf->resv, &late->base, usage);
	dma_resv_unlock(dmabuf->resv);
	return late;
}

static void cpu_access_waits_for_writers(struct ktap *t)
{
	struct test_exporter exporter = {};
	struct dma_buf *dmabuf = test_export(&exporter, 0);
	u8 *bytes = test_bytes(&exporter);
	struct late_fence *late = add_late_fence(dmabuf, DMA_RESV_USAGE_WRITE, bytes);

	schedule_work(&late->work);
	KT_EQ(t, dma_buf_begin_cpu_access(dmabuf, DMA_FROM_DEVICE), 0);
	KT_EQ(t, bytes[0], 9);
	KT_EQ(t, dma_buf_end_cpu_access(dmabuf, DMA_FROM_DEVICE), 0);
	flush_work(&late->work);
	dma_fence_put(&late->base);
	dma_buf_put(dmabuf);
}

static void reading_does_not_wait_for_readers_writing_does(struct ktap *t)
{
	struct test_exporter exporter = {};
	struct dma_buf *dmabuf = test_export(&exporter, 0);
	u8 *bytes = test_bytes(&exporter);
	struct late_fence *late = add_late_fence(dmabuf, DMA_RESV_USAGE_READ, bytes);

	KT_EQ(t, dma_buf_begin_cpu_access(dmabuf, DMA_FROM_DEVICE), 0);
	KT_CHECK(t, !dma_fence_is_signaled(&late->base));
	KT_EQ(t, dma_buf_end_cpu_access(dmabuf, DMA_FROM_DEVICE), 0);

	schedule_work(&late->work);
	KT_EQ(t, dma_buf_begin_cpu_access(dmabuf, DMA_TO_DEVICE), 0);
	KT_CHECK(t, dma_fence_is_signaled(&late->base));
	KT_EQ(t, dma_buf_end_cpu_access(dmabuf, DMA_TO_DEVICE), 0);
	flush_work(&late->work);
	dma_fence_put(&late->base);
	dma_buf_put(dmabuf);
}

static void interrupted_cpu_access_opens_nothing(struct ktap *t)
{
	for (int policy = DMA_BUF_POLICY_CACHED; policy <= DMA_BUF_POLICY_REMAP; policy++) {
		struct test_exporter exporter = {};
		struct dma_buf *dmabuf;
		struct late_fence *late;
		u8 byte;

		dma_buf_set_policy(policy);
		dmabuf = test_export(&exporter, 0);
		late = add_late_fence(dmabuf, DMA_RESV_USAGE_WRITE, &byte);
		port_fail_nth(PORT_FAULT_WAIT, 1);
		KT_EQ(t, dma_buf_begin_cpu_access(dmabuf, DMA_FROM_DEVICE), -ERESTARTSYS);
		port_fail_nth(PORT_FAULT_WAIT, 0);
		KT_EQ(t, exporter.begins, exporter.ends);
		dma_fence_signal(&late->base);
		dma_fence_put(&late->base);
		dma_buf_put(dmabuf);
	}
}

static void static_map_waits_for_kernel_fence(struct ktap *t)
{
	struct machine *machine = machine_create(machine_type_find("pc"), 0);
	struct device *dev = machine_add_device(machine, "importer", true);

	for (int policy = DMA_BUF_POLICY_CACHED; policy <= DMA_BUF_POLICY_REMAP; policy++) {
		struct test_exporter exporter = { .ops.may_widen = true };
		struct dma_buf_attachment *attach;
		struct dma_buf *dmabuf;
		struct late_fence *late;
		struct sg_table *sgt;
		u8 byte = 0;

		dma_buf_set_policy(policy);
		dmabuf = test_export(&exporter, 0);
		attach = dma_buf_attach(dmabuf, dev);
		/* A hit must wait as well as a miss. */
		sgt = dma_buf_map_attachment_unlocked(attach, DMA_TO_DEVICE);
		dma_buf_unmap_attachment_unlocked(attach, sgt, DMA_TO_DEVICE);

		late = add_late_fence(dmabuf, DMA_RESV_USAGE_KERNEL, &byte);
		port_fail_nth(PORT_FAULT_WAIT, 1);
		KT_EQ(t, PTR_ERR(dma_buf_map_attachment_unlocked(attach, DMA_TO_DEVICE)),
		      -ERESTARTSYS);
		port_fail_nth(PORT_FAULT_WAIT, 0);
		schedule_work(&late->work);
		sgt = dma_buf_map_attachment_unlocked(attach, DMA_TO_DEVICE);
		KT_CHECK(t, !IS_ERR(sgt));
		KT_EQ(t, byte, 9);
		dma_buf_unmap_attachment_unlocked(attach, sgt, DMA_TO_DEVICE);
		flush_work(&late->work);
		dma_fence_put(&late->base);
		dma_buf_detach(dmabuf, attach);
		dma_buf_put(dmabuf);
	}
	machine_remove_device(dev);
	machine_destroy(machine);
}

static void exporter_that_does_more_is_asked(struct ktap *t)
{
	for (int only_syncs = 0; only_syncs < 2; only_syncs++) {
		struct test_exporter exporter = { .ops.cpu_access_only_syncs = only_syncs };
		struct dma_buf *dmabuf;

		dma_buf_set_policy(DMA_BUF_POLICY_CACHED);
		dmabuf = test_export(&exporter, 0);
		KT_EQ(t, dma_buf_begin_cpu_access(dmabuf, DMA_BIDIRECTIONAL), 0);
		KT_EQ(t, exporter.begins, !only_syncs);
		KT_EQ(t, dma_buf_end_cpu_access(dmabuf, DMA_BIDIRECTIONAL), 0);
		KT_EQ(t, exporter.ends, !only_syncs);
		dma_buf_put(dmabuf);
	}
}

static void partial_access_moves_only_its_lines(struct ktap *t)
{
	struct machine *machine = machine_create(machine_type_find("arm"), 0);
	struct device *dev = machine_add_device(machine, "importer", false);
	struct test_exporter exporter = { .ops = { .may_widen = true,
						   .cpu_access_only_syncs = true } };
	struct dma_buf_attachment *attach;
	struct dma_costs before, cost;
	struct dma_buf *dmabuf;
	struct sg_table *sgt;
	u8 byte = 3, seen = 0;

	dma_buf_set_policy(DMA_BUF_POLICY_CACHED);
	dmabuf = test_export(&exporter, 4);
	attach = dma_buf_attach(dmabuf, dev);
	sgt = dma_buf_map_attachment_unlocked(attach, DMA_BIDIRECTIONAL);
	dma_engine_write(dev, sgt, 1000, &byte, 1);
	dma_buf_unmap_attachment_unlocked(attach, sgt, DMA_BIDIRECTIONAL);

	dma_cost_read(&before);
	KT_EQ(t, dma_buf_begin_cpu_access_partial(dmabuf, DMA_BIDIRECTIONAL, 1000, 10), 0);
	KT_EQ(t, test_bytes(&exporter)[1000], 3);
	test_bytes(&exporter)[1001] = 4;
	KT_EQ(t, dma_buf_end_cpu_access_partial(dmabuf, DMA_BIDIRECTIONAL, 1000, 10), 0);
	sgt = dma_buf_map_attachment_unlocked(attach, DMA_TO_DEVICE);
	dma_engine_read(dev, sgt, 1001, &seen, 1);
	KT_EQ(t, seen, 4);
	dma_buf_unmap_attachment_unlocked(attach, sgt, DMA_TO_DEVICE);
	dma_cost_since(&before, &cost);
	KT_EQ(t, cost.count[DMA_COST_BYTES_INVALIDATED], 64);
	KT_EQ(t, cost.count[DMA_COST_BYTES_CLEANED], 64);

	dma_buf_detach(dmabuf, attach);
	dma_buf_put(dmabuf);
	machine_remove_device(dev);
	machine_destroy(machine);
}

static void ranges_outside_are_refused(struct ktap *t)
{
	struct test_exporter exporter = {};
	struct dma_buf *dmabuf = test_export(&exporter, 0);

	ktap_expect_warn(t, "outside the buffer");
	KT_EQ(t, dma_buf_begin_cpu_access_partial(dmabuf, DMA_TO_DEVICE, PAGE_SIZE, 1), -EINVAL);
	ktap_expect_warn(t, "outside the buffer");
	KT_EQ(t, dma_buf_begin_cpu_access_partial(dmabuf, DMA_TO_DEVICE, 1, SIZE_MAX), -EINVAL);
	ktap_expect_warn(t, "without a buffer");
	KT_EQ(t, dma_buf_begin_cpu_access(NULL, DMA_TO_DEVICE), -EINVAL);
	dma_buf_put(dmabuf);
}

static void pinned_time_is_counted_when_asked(struct ktap *t)
{
	struct machine *machine = machine_create(machine_type_find("pc"), 0);
	struct device *dev = machine_add_device(machine, "importer", true);
	struct test_exporter exporter = {};
	struct dma_buf_attachment *attach;
	struct dma_costs before, cost;
	struct dma_buf *dmabuf;
	struct sg_table *sgt;

	for (int on = 0; on < 2; on++) {
		exporter = (struct test_exporter){};
		dmabuf = test_export(&exporter, 0);
		attach = dma_buf_attach(dmabuf, dev);
		dma_buf_count_pinned(on);
		dma_cost_read(&before);
		sgt = dma_buf_map_attachment_unlocked(attach, DMA_TO_DEVICE);
		dma_buf_unmap_attachment_unlocked(attach, sgt, DMA_TO_DEVICE);
		dma_cost_since(&before, &cost);
		KT_EQ(t, cost.count[DMA_COST_PINNED_NS] != 0, on);
		dma_buf_count_pinned(false);
		dma_buf_detach(dmabuf, attach);
		dma_buf_put(dmabuf);
	}
	machine_remove_device(dev);
	machine_destroy(machine);
}

static void pin_notify(struct dma_buf_attachment *attach)
{
}

/* However many map, a buffer is pinned once: until the last unmap, and by nobody who follows. */
static void pinned_time_ends_with_the_last_unmap(struct ktap *t)
{
	static const struct dma_buf_attach_ops follows = { .move_notify = pin_notify };
	struct machine *machine = machine_create(machine_type_find("pc"), 0);
	struct device *dev = machine_add_device(machine, "importer", true);
	struct test_exporter exporter = { .ops = { .pin = test_pin, .unpin = test_unpin } };
	struct dma_buf *dmabuf = test_export(&exporter, 0);
	struct dma_buf_attachment *one = dma_buf_attach(dmabuf, dev), *other;
	struct sg_table *first, *second, *third;
	struct dma_costs before, cost;

	dma_buf_count_pinned(true);
	other = dma_buf_dynamic_attach(dmabuf, dev, &follows, NULL);
	dma_cost_read(&before);
	third = dma_buf_map_attachment_unlocked(other, DMA_TO_DEVICE);
	dma_buf_unmap_attachment_unlocked(other, third, DMA_TO_DEVICE);
	first = dma_buf_map_attachment_unlocked(one, DMA_TO_DEVICE);
	second = dma_buf_map_attachment_unlocked(one, DMA_FROM_DEVICE);
	schedule_timeout_uninterruptible(1);
	dma_buf_unmap_attachment_unlocked(one, first, DMA_TO_DEVICE);
	dma_cost_since(&before, &cost);
	KT_EQ(t, cost.count[DMA_COST_PINNED_NS], 0);
	dma_buf_unmap_attachment_unlocked(one, second, DMA_FROM_DEVICE);
	dma_cost_since(&before, &cost);
	KT_CHECK(t, cost.count[DMA_COST_PINNED_NS]);
	dma_buf_detach(dmabuf, other);
	dma_buf_count_pinned(false);
	dma_buf_detach(dmabuf, one);
	dma_buf_put(dmabuf);
	machine_remove_device(dev);
	machine_destroy(machine);
}

static int refuse_begin(struct dma_buf *dmabuf, enum dma_data_direction dir)
{
	return -ENODEV;
}

/* An exporter that refuses a CPU access is not told of its end; one without the calls is not asked. */
static void exporters_may_refuse_or_say_nothing(struct ktap *t)
{
	struct test_exporter exporter = {};
	struct dma_buf *dmabuf = test_export(&exporter, 0);
	struct late_fence *late;

	exporter.ops.begin_cpu_access = refuse_begin;
	KT_EQ(t, dma_buf_begin_cpu_access(dmabuf, DMA_FROM_DEVICE), -ENODEV);
	KT_EQ(t, exporter.ends, 0);
	exporter.ops.begin_cpu_access = NULL;
	exporter.ops.end_cpu_access = NULL;
	KT_EQ(t, dma_buf_begin_cpu_access(dmabuf, DMA_FROM_DEVICE), 0);
	KT_EQ(t, dma_buf_end_cpu_access(dmabuf, DMA_FROM_DEVICE), 0);
	/* nor has it anything to undo when the wait is interrupted */
	late = add_late_fence(dmabuf, DMA_RESV_USAGE_WRITE, test_bytes(&exporter));
	port_fail_nth(PORT_FAULT_WAIT, 1);
	KT_EQ(t, dma_buf_begin_cpu_access(dmabuf, DMA_FROM_DEVICE), -ERESTARTSYS);
	port_fail_nth(PORT_FAULT_WAIT, 0);
	dma_fence_signal(&late->base);
	dma_fence_put(&late->base);
	dma_buf_put(dmabuf);
}

/* First of all cases: what the environment says is read when somebody first asks. */
static void the_environment_says_the_policy(struct ktap *t)
{
	static const struct {
		const char *said;
		enum dma_buf_policy policy;
	} rows[] = { { "remap", DMA_BUF_POLICY_REMAP },
		     { "cached", DMA_BUF_POLICY_CACHED },
		     { "turbo", DMA_BUF_POLICY_CACHED },
		     { "", DMA_BUF_POLICY_CACHED } };

	for (unsigned int i = 0; i < ARRAY_SIZE(rows); i++) {
		dma_buf_set_policy(-1); /* as in a program that has not asked */
		KT_EQ(t, setenv("DMABUF_POLICY", rows[i].said, true), 0);
		KT_EQ(t, dma_buf_get_policy(), rows[i].policy);
		/* once read, it stands */
		KT_EQ(t, setenv("DMABUF_POLICY", i ? "remap" : "cached", true), 0);
		KT_EQ(t, dma_buf_get_policy(), rows[i].policy);
	}
	unsetenv("DMABUF_POLICY");
	dma_buf_set_policy(DMA_BUF_POLICY_CACHED);
}

struct visit {
	struct dma_buf *dmabuf;
	atomic_t released;
};

static void puts_the_buffer(void *arg)
{
	struct visit *visit = arg;

	dma_buf_put(visit->dmabuf);
	atomic_set_release(&visit->released, 1);
}

/* Who walks all buffers keeps the one he stands at, though its last reference is gone. */
static void a_release_waits_for_who_visits(struct ktap *t)
{
	for (int visitors = 1; visitors <= 2; visitors++) {
		struct test_exporter exporter = {};
		struct visit visit = { .dmabuf = test_export(&exporter, 0) };
		struct buffer *at = buffer_visit_next(NULL);
		struct port_thread *thread;

		KT_CHECK(t, at == to_buffer(visit.dmabuf));
		if (visitors == 2)
			KT_CHECK(t, buffer_visit_next(NULL) == at);
		thread = port_thread_create(puts_the_buffer, &visit, "put");
		KT_ASSERT(t, thread);
		for (int i = 0; i < 100; i++)
			port_yield();
		KT_EQ(t, atomic_read(&visit.released), 0);
		KT_EQ(t, exporter.releases, 0);
		for (int i = 0; i < visitors; i++)
			KT_CHECK(t, !buffer_visit_next(at));
		port_thread_join(thread);
		KT_EQ(t, exporter.releases, 1);
	}
}

static int vmap_its_bytes(struct dma_buf *dmabuf, struct iosys_map *map)
{
	iosys_map_set_vaddr(map, test_bytes(dmabuf->priv));
	return 0;
}

static const struct dma_buf_ops *copied_ops;

static void release_and_free_the_ops(struct dma_buf *dmabuf)
{
	struct test_exporter *exporter = dmabuf->priv;

	exporter->releases++;
	kfree(copied_ops);
}

/* An exporter may keep its ops beside the buffer's memory, and free both. */
static void the_ops_may_go_with_the_buffer(struct ktap *t)
{
	static const enum dma_buf_policy policies[] = { DMA_BUF_POLICY_REMAP,
							DMA_BUF_POLICY_CACHED };

	for (unsigned int i = 0; i < ARRAY_SIZE(policies); i++) {
		struct test_exporter exporter = {};
		struct dma_buf_export_info info = { .exp_name = "test", .size = PAGE_SIZE };
		struct dma_buf_ops *ops;
		struct dma_buf *dmabuf;

		dma_buf_set_policy(policies[i]);
		dma_buf_put(test_export(&exporter, 0));
		ops = kmemdup(&exporter.ops, sizeof(exporter.ops), GFP_KERNEL);
		ops->release = release_and_free_the_ops;
		copied_ops = ops;
		info.ops = ops;
		info.priv = &exporter;
		dmabuf = dma_buf_export(&info);
		KT_ASSERT(t, !IS_ERR(dmabuf));
		dma_buf_put(dmabuf);
		KT_EQ(t, exporter.releases, 2);
	}
}

/* The last reference goes while somebody still uses the buffer. */
static void released_while_used_is_told(struct ktap *t)
{
	struct test_exporter exporter = { .ops = { .vmap = vmap_its_bytes } };
	struct dma_buf *dmabuf = test_export(&exporter, 0);
	struct iosys_map map;

	dma_resv_lock(dmabuf->resv, NULL);
	KT_EQ(t, dma_buf_vmap_bracketed(dmabuf, &map), 0);
	dma_resv_unlock(dmabuf->resv);
	ktap_expect_warn(t, "released while vmapped");
	dma_buf_put(dmabuf);
	KT_EQ(t, exporter.releases, 1);
}

/* No descriptor is left: the buffer is as it was. */
static void a_system_without_descriptors(struct ktap *t)
{
	struct test_exporter exporter = {};
	struct dma_buf *dmabuf = test_export(&exporter, 0);

	port_fail_nth(PORT_FAULT_FD, 1);
	KT_EQ(t, dma_buf_fd(dmabuf, O_CLOEXEC), -EMFILE);
	port_fail_nth(PORT_FAULT_FD, 0);
	KT_EQ(t, exporter.releases, 0);
	dma_buf_put(dmabuf);
	KT_EQ(t, exporter.releases, 1);
}

/* Second of all cases: what the core makes once is not made by halves. */
static void the_first_buffer_may_fail(struct ktap *t)
{
	struct test_exporter exporter = {};
	struct dma_buf *dmabuf = ERR_PTR(-1);

	for (int k = 1; IS_ERR(dmabuf) && k < 100; k++) {
		exporter = (struct test_exporter){};
		port_fail_nth(PORT_FAULT_ALLOC, k);
		dmabuf = test_export(&exporter, 0);
		port_fail_nth(PORT_FAULT_ALLOC, 0);
		KT_CHECK(t, !IS_ERR(dmabuf) || PTR_ERR(dmabuf) == -ENOMEM);
	}
	KT_ASSERT(t, !IS_ERR(dmabuf));
	dma_buf_put(dmabuf);
	KT_EQ(t, exporter.releases, 1);
}

/* A bracket that ends elsewhere than it began leaves nothing open. */
static void an_end_may_begin_later(struct ktap *t)
{
	struct test_exporter exporter = { .ops = { .cpu_access_only_syncs = true } };
	struct dma_buf *dmabuf = test_export(&exporter, 0);
	struct coherence *coherence = &to_buffer(dmabuf)->coherence;

	KT_EQ(t, dma_buf_begin_cpu_access(dmabuf, DMA_TO_DEVICE), 0);
	KT_EQ(t, dma_buf_end_cpu_access_partial(dmabuf, DMA_TO_DEVICE, 64, PAGE_SIZE - 64), 0);
	coherence_lock(coherence);
	KT_EQ(t, coherence_open_at(coherence, 0, COHERENCE_WRITE), 0);
	coherence_unlock(coherence);
	dma_buf_put(dmabuf);
}

static void an_export_without_operations(struct ktap *t)
{
	DEFINE_DMA_BUF_EXPORT_INFO(info);

	info.priv = t;
	info.size = PAGE_SIZE;
	ktap_expect_warn(t, "export without priv, map_dma_buf, unmap_dma_buf or release");
	KT_EQ(t, PTR_ERR(dma_buf_export(&info)), -EINVAL);
}

KTAP_MAIN(KTAP_CASE(the_environment_says_the_policy), KTAP_CASE(the_first_buffer_may_fail),
	  KTAP_CASE(descriptor_holds_the_buffer), KTAP_CASE(other_descriptors_are_refused),
	  KTAP_CASE(cpu_access_waits_for_writers),
	  KTAP_CASE(reading_does_not_wait_for_readers_writing_does),
	  KTAP_CASE(interrupted_cpu_access_opens_nothing),
	  KTAP_CASE(static_map_waits_for_kernel_fence), KTAP_CASE(exporter_that_does_more_is_asked),
	  KTAP_CASE(partial_access_moves_only_its_lines), KTAP_CASE(ranges_outside_are_refused),
	  KTAP_CASE(pinned_time_is_counted_when_asked),
	  KTAP_CASE(pinned_time_ends_with_the_last_unmap),
	  KTAP_CASE(exporters_may_refuse_or_say_nothing), KTAP_CASE(a_release_waits_for_who_visits),
	  KTAP_CASE(the_ops_may_go_with_the_buffer), KTAP_CASE(released_while_used_is_told),
	  KTAP_CASE(a_system_without_descriptors), KTAP_CASE(an_end_may_begin_later),
	  KTAP_CASE(an_export_without_operations))
