/* SPDX-License-Identifier: MIT */
/*
 * move-watch-test.c - who waits for an importer that does not unmap says for whom, while he waits
 *
 * What is said goes to a file instead of standard error; who is waited for unmaps when it is there, or
 * after a while if it never is: then nobody hangs, but the case fails.
 */
#include <linux/device.h>
#include <linux/jiffies.h>
#include <linux/rcupdate.h>
#include <linux/workqueue.h>

#include <string.h>

#include "buffer.h"
#include "dma/machine.h"
#include "host/port.h"
#include "test-exporter.h"
#include "tests/ktap.h"
#include "tests/said.h"

#define LOOKS 3000 /* of a jiffy each */

static unsigned int times(const char *text, const char *part)
{
	unsigned int n = 0;

	for (; (text = strstr(text, part)); text++)
		n++;
	return n;
}

/* --- who is waited for ------------------------------------------------------------------------ */

static void on_move(struct dma_buf_attachment *attach)
{
}

static const struct dma_buf_attach_ops follows = { .move_notify = on_move };

struct stage {
	struct machine *machine;
	struct device *dev;
	struct test_exporter exporter;
	struct dma_buf *dmabuf;
	struct dma_buf_attachment *attach;
	struct sg_table *sgt;
	struct listener listener;
	const char *until; /* he unmaps when this is said */
	struct port_thread *thread;
};

static noinline void map_and_forget(struct ktap *t, struct stage *s)
{
	s->sgt = dma_buf_map_attachment_unlocked(s->attach, DMA_TO_DEVICE);
	KT_CHECK(t, !IS_ERR(s->sgt));
}

static void stage_up(struct ktap *t, struct stage *s, const struct dma_buf_attach_ops *ops)
{
	*s = (struct stage){ .exporter.ops = {
				     .pin = test_pin, .unpin = test_unpin, .tells_moves = true } };
	s->machine = machine_create(machine_type_find("arm"), 0);
	s->dev = machine_add_device(s->machine, "camera7", false);
	s->dmabuf = test_export(&s->exporter, 0);
	s->attach = dma_buf_dynamic_attach(s->dmabuf, s->dev, ops, NULL);
	KT_ASSERT(t, !IS_ERR(s->dmabuf) && !IS_ERR(s->attach));
	map_and_forget(t, s);
	buffer_patience_ms = 1;
}

static void stage_down(struct ktap *t, struct stage *s)
{
	buffer_patience_ms = 10000;
	dma_buf_detach(s->dmabuf, s->attach);
	flush_workqueue(system_wq);
	dma_buf_put(s->dmabuf);
	KT_EQ(t, s->exporter.maps, s->exporter.unmaps);
	machine_remove_device(s->dev);
	machine_destroy(s->machine);
	rcu_barrier();
}

static void unmap(struct stage *s)
{
	dma_buf_unmap_attachment_unlocked(s->attach, s->sgt, DMA_TO_DEVICE);
}

static void unmap_when_named(void *arg)
{
	struct stage *s = arg;

	for (unsigned int i = 0; i < LOOKS && !strstr(said(&s->listener), s->until); i++)
		schedule_timeout_uninterruptible(1);
	unmap(s);
}

static int move(struct dma_buf *dmabuf, long timeout)
{
	int ret;

	dma_resv_lock(dmabuf->resv, NULL);
	ret = dma_buf_move_begin(dmabuf, timeout);
	if (!ret)
		dma_buf_move_end(dmabuf);
	dma_resv_unlock(dmabuf->resv);
	return ret;
}

static void named_with_stack(struct ktap *t, const char *text, const char *what)
{
	KT_CHECK(t, strstr(text, what));
	KT_CHECK(t, strstr(text, "mapped by\n  "));
}

/* --- cases ------------------------------------------------------------------------------------ */

static void a_move_that_waits_says_for_whom(struct ktap *t)
{
	static const char what[] = "camera7 is waited for by the move of a test buffer";
	struct stage s;

	stage_up(t, &s, NULL);
	s.until = what;
	listen_begin(&s.listener);
	s.thread = port_thread_create(unmap_when_named, &s, "overstayer");
	KT_EQ(t, move(s.dmabuf, MAX_SCHEDULE_TIMEOUT), 0);
	port_thread_join(s.thread);
	listen_end(&s.listener);
	named_with_stack(t, s.listener.text, what);
	KT_EQ(t, times(s.listener.text, what), 1);
	stage_down(t, &s);
}

/* Once while it lasts, once at its end; then the buffer is where it was, and he who has it does not
 * notice. */
static void in_vain_is_said_too(struct ktap *t)
{
	struct stage s;

	stage_up(t, &s, NULL);
	listen_begin(&s.listener);
	KT_EQ(t, move(s.dmabuf, msecs_to_jiffies(30)), -EBUSY);
	listen_end(&s.listener);
	named_with_stack(t, s.listener.text, "camera7 is waited for by");
	named_with_stack(t, s.listener.text, "camera7 has not unmapped in time for");
	unmap(&s);
	KT_EQ(t, move(s.dmabuf, 0), 0);
	stage_down(t, &s);
}

/* Who does not wait, or not long, has nothing to say. */
static void a_try_is_silent(struct ktap *t)
{
	struct stage s;

	stage_up(t, &s, NULL);
	listen_begin(&s.listener);
	KT_EQ(t, move(s.dmabuf, 0), -EBUSY);
	unmap(&s);
	KT_EQ(t, move(s.dmabuf, MAX_SCHEDULE_TIMEOUT), 0);
	listen_end(&s.listener);
	KT_CHECK(t, !s.listener.text[0]);
	stage_down(t, &s);
}

/* A map under the reservation ends under it: that is no waiting. */
static void nobody_waits_for_himself(struct ktap *t)
{
	struct stage s;

	stage_up(t, &s, NULL);
	unmap(&s);
	dma_resv_lock(s.dmabuf->resv, NULL);
	s.sgt = dma_buf_map_attachment(s.attach, DMA_TO_DEVICE);
	listen_begin(&s.listener);
	KT_EQ(t, dma_buf_move_begin(s.dmabuf, MAX_SCHEDULE_TIMEOUT), -EBUSY);
	listen_end(&s.listener);
	KT_CHECK(t, !strstr(s.listener.text, "is waited for"));
	KT_CHECK(t, strstr(s.listener.text, "has not unmapped in time"));
	dma_buf_unmap_attachment(s.attach, s.sgt, DMA_TO_DEVICE);
	dma_resv_unlock(s.dmabuf->resv);
	stage_down(t, &s);
}

static void a_revocation_that_waits_says_for_whom(struct ktap *t)
{
	static const struct {
		const struct dma_buf_attach_ops *ops;
		const char *what;
	} kinds[] = {
		{ NULL, "camera7 still uses a kept mapping of a revoked test buffer" },
		{ &follows, "camera7 still uses a mapping of a revoked test buffer" },
	};

	for (unsigned int i = 0; i < ARRAY_SIZE(kinds); i++) {
		struct stage s;

		stage_up(t, &s, kinds[i].ops);
		s.until = kinds[i].what;
		listen_begin(&s.listener);
		s.thread = port_thread_create(unmap_when_named, &s, "overstayer");
		KT_EQ(t, dma_buf_revoke(s.dmabuf, MAX_SCHEDULE_TIMEOUT), 0);
		port_thread_join(s.thread);
		listen_end(&s.listener);
		named_with_stack(t, s.listener.text, kinds[i].what);
		stage_down(t, &s);
	}
}

KTAP_MAIN(KTAP_CASE(a_move_that_waits_says_for_whom), KTAP_CASE(in_vain_is_said_too),
	  KTAP_CASE(a_try_is_silent), KTAP_CASE(nobody_waits_for_himself),
	  KTAP_CASE(a_revocation_that_waits_says_for_whom))
