/* SPDX-License-Identifier: MIT */
/*
 * event-test.c - what is told, in which order, and that telling changes nothing
 */
#include <linux/dma-buf.h>
#include <linux/dma-cost.h>
#include <linux/dma-fence.h>
#include <linux/dma-resv.h>
#include <linux/err.h>
#include <linux/file.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <uapi/linux/dma-buf.h>

#include "core/coherence.h"
#include "core/event.h"
#include "dma/machine.h"
#include "host/file.h"
#include "test-exporter.h"
#include "tests/ktap.h"

/* A character for each kind, in their order. */
static const char letters[] =
	"XRNn"         /* export, release, name, content */
	"ADMUaeuCcPpV" /* attach ... unmapped, CPU, exporter, move */
	"SBTWJ=~b"     /* slot, build, teardown, widen, join, clean, invalidate, bounced */
	"w"            /* whole */
	"Ffj"          /* fence add, signal, job */
	"i!";

static char told[256];
static struct event last[EVENT_KINDS];
static char last_text[64];

static void listen(const struct event *event)
{
	size_t n = strlen(told);

	if (n + 1 < sizeof(told))
		told[n] = letters[event->kind];
	last[event->kind] = *event;
	if (event->kind == EVENT_NAME)
		strscpy(last_text, event->object, sizeof(last_text));
}

static void listen_begin(struct ktap *t)
{
	memset(told, 0, sizeof(told));
	memset(last, 0, sizeof(last));
	KT_EQ(t, event_listen(listen), 0);
}

static void heard(struct ktap *t, const char *want, int line)
{
	ktap_check(t, !strcmp(told, want), __FILE__, line, "told %s, not %s", told, want);
	memset(told, 0, sizeof(told));
}
#define HEARD(t, want) heard(t, want, __LINE__)

struct stage {
	struct machine *machine;
	struct device *dev;
	struct test_exporter exporter;
	struct dma_buf *dmabuf;
};

static void stage_up(struct ktap *t, struct stage *stage, const char *machine,
		     enum dma_buf_policy policy)
{
	const struct machine_type *type = machine_type_find(machine);

	*stage = (struct stage){ .machine = machine_create(type, 0),
				 .exporter.ops.cpu_access_only_syncs = true,
				 .exporter.ops.may_widen = true };
	stage->dev = machine_add_device(stage->machine, "dev", type->coherent);
	dma_buf_set_policy(policy);
	stage->dmabuf = test_export(&stage->exporter, 1);
	KT_CHECK(t, !IS_ERR(stage->dmabuf));
}

static void stage_down(struct stage *stage)
{
	dma_buf_put(stage->dmabuf);
	machine_remove_device(stage->dev);
	machine_destroy(stage->machine);
	dma_buf_set_policy(DMA_BUF_POLICY_CACHED);
}

/* --- who listens ------------------------------------------------------------------------------ */

static int calls[5];

static void first(const struct event *event)
{
	calls[0]++;
}

static void second(const struct event *event)
{
	calls[1]++;
}

static void third(const struct event *event)
{
	calls[2]++;
}

static void fourth(const struct event *event)
{
	calls[3]++;
}

static void fifth(const struct event *event)
{
	calls[4]++;
}

static void several_listen(struct ktap *t)
{
	memset(calls, 0, sizeof(calls));
	KT_EQ(t, event_listen(first), 0);
	KT_CHECK(t, event_listener == first);
	KT_EQ(t, event_listen(first), -EEXIST);
	KT_EQ(t, event_listen(second), 0);
	KT_EQ(t, event_listen(third), 0);
	KT_EQ(t, event_listen(fourth), 0);
	KT_EQ(t, event_listen(fifth), -ENOSPC);
	ktap_expect_warn(t, "too many listen");
	dma_buf_count_pinned(true);
	event_tell(EVENT_CONTENT, NULL, NULL, 0, 0, 0);
	event_unlisten(second);
	event_unlisten(second);
	event_tell(EVENT_CONTENT, NULL, NULL, 0, 0, 0);
	event_unlisten(first);
	event_unlisten(third);
	event_unlisten(fourth);
	KT_CHECK(t, !event_listener);
	event_tell(EVENT_CONTENT, NULL, NULL, 0, 0, 0);
	KT_CHECK(t, calls[0] == 2 && calls[1] == 1 && calls[2] == 2 && calls[3] == 2 && !calls[4]);
}

static void pinned_time_is_counted_beside_another(struct ktap *t)
{
	struct dma_buf_attachment *attach;
	struct dma_costs before, cost;
	struct sg_table *sgt;
	struct stage stage;

	dma_buf_count_pinned(true);
	listen_begin(t);
	stage_up(t, &stage, "pc", DMA_BUF_POLICY_CACHED);
	attach = dma_buf_attach(stage.dmabuf, stage.dev);
	dma_cost_read(&before);
	sgt = dma_buf_map_attachment_unlocked(attach, DMA_TO_DEVICE);
	schedule_timeout_uninterruptible(1);
	dma_buf_unmap_attachment_unlocked(attach, sgt, DMA_TO_DEVICE);
	dma_cost_since(&before, &cost);
	KT_CHECK(t, cost.count[DMA_COST_PINNED_NS]);
	KT_CHECK(t, last[EVENT_UNMAP].object == attach);
	dma_buf_detach(stage.dmabuf, attach);
	dma_buf_count_pinned(false);
	KT_CHECK(t, event_listener == listen);
	event_unlisten(listen);
	stage_down(&stage);
}

static void pinned_time_asked_for_twice_is_on_once(struct ktap *t)
{
	event_listener_t once;

	dma_buf_count_pinned(true);
	once = event_listener;
	KT_CHECK(t, once);
	dma_buf_count_pinned(true);
	KT_CHECK(t, event_listener == once);
	dma_buf_count_pinned(false);
	KT_CHECK(t, !event_listener);
	dma_buf_count_pinned(false);
}

/* --- what is told ----------------------------------------------------------------------------- */

/* EV3: the bytes that a call moves, the table it builds, what is whole then, and then the call. */
static void a_call_is_told_after_what_it_took(struct ktap *t)
{
	struct dma_buf_attachment *attach;
	struct sg_table *sgt;
	struct stage stage;

	listen_begin(t);
	stage_up(t, &stage, "arm", DMA_BUF_POLICY_CACHED);
	HEARD(t, "X");
	KT_CHECK(t, last[EVENT_EXPORT].subject == stage.dmabuf);
	KT_EQ(t, last[EVENT_EXPORT].a, 2 * PAGE_SIZE);
	KT_EQ(t, last[EVENT_EXPORT].b, COHERENCE_SET_C);

	attach = dma_buf_attach(stage.dmabuf, stage.dev);
	HEARD(t, "SA");
	KT_CHECK(t, last[EVENT_SLOT].subject == attach->slot[0]);
	sgt = dma_buf_map_attachment_unlocked(attach, DMA_FROM_DEVICE);
	HEARD(t, "BJ=wM");
	KT_EQ(t, last[EVENT_JOIN].a, COHERENCE_SET_M);
	KT_EQ(t, last[EVENT_WHOLE].c, COHERENCE_SET_C | COHERENCE_SET_M);
	KT_CHECK(t, last[EVENT_WHOLE].subject == last[EVENT_EXPORT].object);
	KT_EQ(t, last[EVENT_MAP].a, DMA_FROM_DEVICE);
	dma_buf_unmap_attachment_unlocked(attach, sgt, DMA_FROM_DEVICE);
	HEARD(t, "Uwu");
	KT_EQ(t, last[EVENT_WHOLE].c, COHERENCE_SET_M);
	KT_EQ(t, last[EVENT_WHOLE].b, 2 * PAGE_SIZE);

	KT_EQ(t, dma_buf_begin_cpu_access_partial(stage.dmabuf, DMA_TO_DEVICE, PAGE_SIZE, 100), 0);
	HEARD(t, "~wC");
	KT_EQ(t, last[EVENT_WHOLE].a, PAGE_SIZE);
	KT_EQ(t, last[EVENT_WHOLE].b, 128);
	KT_EQ(t, last[EVENT_CPU_BEGIN].a, PAGE_SIZE);
	KT_EQ(t, last[EVENT_CPU_BEGIN].b, 100);
	KT_EQ(t, last[EVENT_CPU_BEGIN].c, DMA_TO_DEVICE);
	KT_EQ(t, dma_buf_end_cpu_access_partial(stage.dmabuf, DMA_TO_DEVICE, PAGE_SIZE, 100), 0);
	HEARD(t, "wc");
	KT_EQ(t, last[EVENT_WHOLE].c, COHERENCE_SET_C);

	sgt = dma_buf_map_attachment_unlocked(attach, DMA_TO_DEVICE);
	HEARD(t, "W=wM");
	dma_buf_begin_access(attach, sgt, DMA_TO_DEVICE);
	HEARD(t, "a");
	dma_buf_end_access(attach, sgt, DMA_TO_DEVICE);
	HEARD(t, "e");
	KT_EQ(t, last[EVENT_ACCESS_END].a, DMA_TO_DEVICE);
	dma_buf_unmap_attachment_unlocked(attach, sgt, DMA_TO_DEVICE);
	HEARD(t, "Uu");
	dma_buf_detach(stage.dmabuf, attach);
	HEARD(t, "D");
	stage_down(&stage);
	HEARD(t, "~~wwTR"); /* what memory alone has, as in leave() of coherence.c */
	event_unlisten(listen);
}

static void policy_remap_tells_each_build(struct ktap *t)
{
	struct dma_buf_attachment *attach;
	struct sg_table *sgt;
	struct stage stage;

	listen_begin(t);
	stage_up(t, &stage, "arm", DMA_BUF_POLICY_REMAP);
	attach = dma_buf_attach(stage.dmabuf, stage.dev);
	HEARD(t, "XA");
	for (int i = 0; i < 2; i++) {
		sgt = dma_buf_map_attachment_unlocked(attach, DMA_TO_DEVICE);
		HEARD(t, "BM");
		dma_buf_unmap_attachment_unlocked(attach, sgt, DMA_TO_DEVICE);
		HEARD(t, "UTu");
	}
	dma_buf_detach(stage.dmabuf, attach);
	stage_down(&stage);
	HEARD(t, "DR");
	event_unlisten(listen);
}

static void bounced_bytes_say_which_way(struct ktap *t)
{
	struct dma_buf_attachment *attach;
	struct sg_table *sgt;
	struct stage stage;

	stage_up(t, &stage, "bounce", DMA_BUF_POLICY_CACHED);
	attach = dma_buf_attach(stage.dmabuf, stage.dev);
	listen_begin(t);
	sgt = dma_buf_map_attachment_unlocked(attach, DMA_FROM_DEVICE);
	KT_EQ(t, last[EVENT_BOUNCED].c, 1);
	dma_buf_unmap_attachment_unlocked(attach, sgt, DMA_FROM_DEVICE);
	KT_EQ(t, dma_buf_begin_cpu_access(stage.dmabuf, DMA_FROM_DEVICE), 0);
	KT_EQ(t, last[EVENT_BOUNCED].c, 0);
	KT_CHECK(t, last[EVENT_BOUNCED].subject == attach->slot[0]);
	KT_EQ(t, dma_buf_end_cpu_access(stage.dmabuf, DMA_FROM_DEVICE), 0);
	dma_buf_detach(stage.dmabuf, attach);
	event_unlisten(listen);
	stage_down(&stage);
}

static void an_exporter_tells_in_whose_memory(struct ktap *t)
{
	struct stage stage;

	stage_up(t, &stage, "pc", DMA_BUF_POLICY_CACHED);
	listen_begin(t);
	KT_EQ(t, dma_buf_begin_exporter_access(stage.dmabuf, stage.dev, NULL, DMA_FROM_DEVICE), 0);
	dma_buf_end_exporter_access(stage.dmabuf, stage.dev, NULL, DMA_FROM_DEVICE);
	HEARD(t, "Pp");
	KT_CHECK(t, last[EVENT_EXPORTER_BEGIN].object == stage.dev);
	KT_EQ(t, last[EVENT_EXPORTER_BEGIN].b, 1);
	event_unlisten(listen);
	stage_down(&stage);
}

static void a_name_is_told_with_its_text(struct ktap *t)
{
	struct stage stage;
	int fd;

	stage_up(t, &stage, "pc", DMA_BUF_POLICY_CACHED);
	get_dma_buf(stage.dmabuf);
	fd = dma_buf_fd(stage.dmabuf, O_CLOEXEC);
	listen_begin(t);
	KT_EQ(t, host_ioctl(fd, DMA_BUF_SET_NAME_B, (unsigned long)"preview"), 0);
	HEARD(t, "N");
	KT_CHECK(t, !strcmp(last_text, "preview"));
	event_unlisten(listen);
	host_close(fd);
	stage_down(&stage);
}

/* --- fences ----------------------------------------------------------------------------------- */

static const char *fence_name(struct dma_fence *fence)
{
	return "test";
}

static const struct dma_fence_ops fence_ops = { .get_driver_name = fence_name,
						.get_timeline_name = fence_name };

static void fences_are_told_when_others_see_them(struct ktap *t)
{
	struct dma_fence *fence = kzalloc(sizeof(*fence), GFP_KERNEL);
	static DEFINE_SPINLOCK(lock);
	struct dma_resv resv;

	dma_resv_init(&resv);
	listen_begin(t);
	dma_fence_init(fence, &fence_ops, &lock, dma_fence_context_alloc(1), 1);
	dma_resv_lock(&resv, NULL);
	KT_EQ(t, dma_resv_reserve_fences(&resv, 1), 0);
	HEARD(t, "");
	dma_resv_add_fence(&resv, fence, DMA_RESV_USAGE_READ);
	HEARD(t, "F");
	KT_CHECK(t, last[EVENT_FENCE_ADD].subject == fence);
	KT_CHECK(t, last[EVENT_FENCE_ADD].object == &resv);
	KT_EQ(t, last[EVENT_FENCE_ADD].a, DMA_RESV_USAGE_READ);
	dma_resv_unlock(&resv);
	dma_fence_signal(fence);
	KT_EQ(t, dma_fence_signal(fence), -EINVAL);
	HEARD(t, "f");
	event_unlisten(listen);
	dma_resv_fini(&resv);
	dma_fence_put(fence);
}

static void free_at_once(struct dma_fence *fence)
{
	kfree(fence);
}

static const struct dma_fence_ops short_lived_ops = { .get_driver_name = fence_name,
						      .get_timeline_name = fence_name,
						      .release = free_at_once };

static u64 seqno_told, seqno_in_callback;

static void note_seqno(const struct event *event)
{
	if (event->kind == EVENT_FENCE_SIGNAL)
		seqno_told = ((const struct dma_fence *)event->subject)->seqno;
}

static void put_in_callback(struct dma_fence *fence, struct dma_fence_cb *cb)
{
	seqno_in_callback = seqno_told;
	dma_fence_put(fence);
}

/* Its last reference may go in a callback: signalling looks at it no more, as in Linux. */
static void a_signal_is_told_before_its_callbacks(struct ktap *t)
{
	struct dma_fence *fence = kzalloc(sizeof(*fence), GFP_KERNEL);
	DEFINE_SPINLOCK(lock);
	struct dma_fence_cb cb;

	dma_fence_init(fence, &short_lived_ops, &lock, dma_fence_context_alloc(1), 7);
	KT_EQ(t, dma_fence_add_callback(fence, &cb, put_in_callback), 0);
	seqno_told = 0;
	KT_EQ(t, event_listen(note_seqno), 0);
	spin_lock(&lock);
	KT_EQ(t, dma_fence_signal_locked(fence), 0);
	spin_unlock(&lock);
	event_unlisten(note_seqno);
	KT_EQ(t, seqno_in_callback, 7);
}

/* --- EV1 -------------------------------------------------------------------------------------- */

static void one_of_each(struct ktap *t, const char *machine, struct dma_costs *cost)
{
	struct dma_costs before;
	struct stage stage;

	dma_cost_read(&before);
	stage_up(t, &stage, machine, DMA_BUF_POLICY_CACHED);
	for (enum dma_data_direction dir = 0; dir < DMA_NONE; dir++) {
		struct dma_buf_attachment *attach = dma_buf_attach(stage.dmabuf, stage.dev);
		struct sg_table *sgt = dma_buf_map_attachment_unlocked(attach, dir);

		dma_buf_unmap_attachment_unlocked(attach, sgt, dir);
		KT_EQ(t, dma_buf_begin_cpu_access(stage.dmabuf, dir), 0);
		memset(test_bytes(&stage.exporter), dir + 1, PAGE_SIZE);
		KT_EQ(t, dma_buf_end_cpu_access(stage.dmabuf, dir), 0);
		dma_buf_detach(stage.dmabuf, attach);
	}
	stage_down(&stage);
	dma_cost_since(&before, cost);
}

static void telling_costs_nothing_that_is_counted(struct ktap *t)
{
	for (const struct machine_type *type = machine_types; type->name; type++) {
		struct dma_costs off, on;

		one_of_each(t, type->name, &off);
		listen_begin(t);
		one_of_each(t, type->name, &on);
		event_unlisten(listen);
		for (unsigned int i = 0; i < DMA_COST_NR; i++)
			KT_EQ(t, on.count[i], off.count[i]);
		KT_CHECK(t, told[0]);
	}
}

KTAP_MAIN(KTAP_CASE(several_listen), KTAP_CASE(pinned_time_is_counted_beside_another),
	  KTAP_CASE(pinned_time_asked_for_twice_is_on_once),
	  KTAP_CASE(a_call_is_told_after_what_it_took), KTAP_CASE(policy_remap_tells_each_build),
	  KTAP_CASE(bounced_bytes_say_which_way), KTAP_CASE(an_exporter_tells_in_whose_memory),
	  KTAP_CASE(a_name_is_told_with_its_text), KTAP_CASE(fences_are_told_when_others_see_them),
	  KTAP_CASE(a_signal_is_told_before_its_callbacks),
	  KTAP_CASE(telling_costs_nothing_that_is_counted))
