/* SPDX-License-Identifier: MIT */
/*
 * slot-reclaim-test.c - caching makes no map fail, and no pin last
 */
#include <linux/completion.h>
#include <linux/device.h>
#include <linux/jiffies.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>
#include <linux/workqueue.h>

#include "buffer.h"
#include "dma/engine.h"
#include "dma/machine.h"
#include "host/port.h"
#include "test-exporter.h"
#include "tests/ktap.h"

#define SLOTS 16 /* bounce slots of the machine, a page each */
#define BUFFERS (3 * SLOTS)

struct stage {
	struct machine *machine;
	struct device *dev;
	struct test_exporter exporter[BUFFERS];
	struct dma_buf *dmabuf[BUFFERS];
	struct dma_buf_attachment *attach[BUFFERS];
	unsigned int n;
};

static struct stage stage;

static void stage_up(struct ktap *t, unsigned int n, bool widens)
{
	stage = (struct stage){ .n = n };
	dma_buf_set_policy(DMA_BUF_POLICY_CACHED);
	stage.machine = machine_create(machine_type_find("bounce"), SLOTS * PAGE_SIZE);
	stage.dev = machine_add_device(stage.machine, "importer", true);
	for (unsigned int i = 0; i < n; i++) {
		stage.exporter[i].ops.may_widen = widens;
		stage.dmabuf[i] = test_export(&stage.exporter[i], 0);
		stage.attach[i] = dma_buf_attach(stage.dmabuf[i], stage.dev);
		KT_CHECK(t, !IS_ERR(stage.attach[i]));
	}
}

static void stage_down(struct ktap *t)
{
	for (unsigned int i = 0; i < stage.n; i++) {
		if (stage.attach[i])
			dma_buf_detach(stage.dmabuf[i], stage.attach[i]);
		dma_buf_put(stage.dmabuf[i]);
		KT_EQ(t, stage.exporter[i].maps, stage.exporter[i].unmaps);
	}
	machine_remove_device(stage.dev);
	machine_destroy(stage.machine);
	rcu_barrier();
}

static struct sg_table *map(unsigned int i, enum dma_data_direction dir, bool held)
{
	struct sg_table *sgt;

	if (!held)
		return dma_buf_map_attachment_unlocked(stage.attach[i], dir);
	dma_resv_lock(stage.dmabuf[i]->resv, NULL);
	sgt = dma_buf_map_attachment(stage.attach[i], dir);
	dma_resv_unlock(stage.dmabuf[i]->resv);
	return sgt;
}

static void unmap(unsigned int i, struct sg_table *sgt, enum dma_data_direction dir)
{
	dma_buf_unmap_attachment_unlocked(stage.attach[i], sgt, dir);
}

/* --- room ------------------------------------------------------------------------------------- */

/* Three times as many buffers as slots, all attached, one mapped at a time: each finds room. */
static void no_map_fails_that_would_not_afresh(struct ktap *t)
{
	for (unsigned int how = 0; how < 4; how++) {
		stage_up(t, BUFFERS, how & 2);
		for (unsigned int i = 0; i < 2 * BUFFERS; i++) {
			unsigned int at = i % BUFFERS;
			u8 byte = at + 1, got = 0;
			struct sg_table *sgt;

			sgt = map(at, DMA_FROM_DEVICE, how & 1);
			if (!KT_CHECK(t, !IS_ERR(sgt)))
				break;
			KT_EQ(t, dma_engine_write(stage.dev, sgt, 7, &byte, 1), 0);
			unmap(at, sgt, DMA_FROM_DEVICE);
			/* What the device wrote long ago came back before its slot went. */
			at = (i + BUFFERS / 2) % BUFFERS;
			if (i < BUFFERS)
				continue;
			sgt = map(at, DMA_TO_DEVICE, how & 1);
			if (!KT_CHECK(t, !IS_ERR(sgt)))
				break;
			KT_EQ(t, dma_engine_read(stage.dev, sgt, 7, &got, 1), 0);
			KT_EQ(t, got, at + 1);
			unmap(at, sgt, DMA_TO_DEVICE);
		}
		stage_down(t);
	}
}

static void what_is_in_use_stays(struct ktap *t)
{
	struct sg_table *sgt[SLOTS];

	stage_up(t, SLOTS + 1, true);
	for (unsigned int i = 0; i < SLOTS; i++) {
		sgt[i] = map(i, DMA_TO_DEVICE, false);
		KT_CHECK(t, !IS_ERR(sgt[i]));
	}
	KT_EQ(t, PTR_ERR(map(SLOTS, DMA_TO_DEVICE, false)), -ENOMEM);
	KT_EQ(t, PTR_ERR(map(SLOTS, DMA_TO_DEVICE, true)), -ENOMEM);
	for (unsigned int i = 0; i < SLOTS; i++) {
		KT_EQ(t, stage.exporter[i].unmaps, 0);
		unmap(i, sgt[i], DMA_TO_DEVICE);
	}
	sgt[0] = map(SLOTS, DMA_TO_DEVICE, false);
	KT_CHECK(t, !IS_ERR(sgt[0]));
	unmap(SLOTS, sgt[0], DMA_TO_DEVICE);
	stage_down(t);
}

/* Nobody is attached for them: they go first, the oldest first, and only as many as it takes. */
static void the_oldest_unattached_goes_first(struct ktap *t)
{
	struct sg_table *sgt;

	stage_up(t, SLOTS + 2, true);
	for (unsigned int i = 0; i < SLOTS; i++) {
		sgt = map(i, DMA_TO_DEVICE, false);
		KT_CHECK(t, !IS_ERR(sgt));
		unmap(i, sgt, DMA_TO_DEVICE);
	}
	for (unsigned int i = 8; i > 5; i--) {
		dma_buf_detach(stage.dmabuf[i], stage.attach[i]);
		stage.attach[i] = NULL;
	}
	for (unsigned int i = 0; i < 2; i++) {
		sgt = map(SLOTS + i, DMA_TO_DEVICE, i);
		KT_CHECK(t, !IS_ERR(sgt));
		unmap(SLOTS + i, sgt, DMA_TO_DEVICE);
	}
	for (unsigned int i = 0; i < SLOTS; i++)
		KT_EQ(t, stage.exporter[i].unmaps, i == 8 || i == 7);
	stage_down(t);
}

static struct completion locked, let_go;

static void hold_reservations(void *arg)
{
	lockdep_off(); /* two without a context: nobody else waits here */
	for (unsigned int i = 0; i < SLOTS; i++)
		dma_resv_lock(stage.dmabuf[i]->resv, NULL);
	complete(&locked);
	wait_for_completion(&let_go);
	for (unsigned int i = 0; i < SLOTS; i++)
		dma_resv_unlock(stage.dmabuf[i]->resv);
}

/* All idle mappings lie under reservations that somebody has: no hang, and an error that says so. */
static void locked_reservations_are_not_waited_for(struct ktap *t)
{
	struct port_thread *thread;
	struct sg_table *sgt;

	stage_up(t, SLOTS + 1, true);
	for (unsigned int i = 0; i < SLOTS; i++)
		unmap(i, map(i, DMA_TO_DEVICE, false), DMA_TO_DEVICE);
	init_completion(&locked);
	init_completion(&let_go);
	thread = port_thread_create(hold_reservations, NULL, "holder");
	wait_for_completion(&locked);
	KT_EQ(t, PTR_ERR(map(SLOTS, DMA_TO_DEVICE, true)), -ENOMEM);
	KT_EQ(t, PTR_ERR(map(SLOTS, DMA_TO_DEVICE, false)), -ENOMEM);
	complete(&let_go);
	port_thread_join(thread);
	sgt = map(SLOTS, DMA_TO_DEVICE, true);
	KT_CHECK(t, !IS_ERR(sgt));
	unmap(SLOTS, sgt, DMA_TO_DEVICE);
	stage_down(t);
}

/* --- pins ------------------------------------------------------------------------------------- */

static int pins(const struct test_exporter *exporter)
{
	return READ_ONCE(exporter->pins) - READ_ONCE(exporter->unpins);
}

static void wait_unpinned(struct dma_buf *dmabuf, const struct test_exporter *exporter)
{
	int left;

	do {
		schedule_timeout_uninterruptible(1);
		dma_resv_lock(dmabuf->resv, NULL);
		left = pins(exporter);
		dma_resv_unlock(dmabuf->resv);
	} while (left);
}

static void a_pin_that_idles_ends(struct ktap *t)
{
	struct sg_table *sgt;

	stage = (struct stage){ .n = 2 };
	stage.machine = machine_create(machine_type_find("arm"), 0);
	stage.dev = machine_add_device(stage.machine, "importer", false);
	for (unsigned int i = 0; i < 2; i++) {
		stage.exporter[i].ops = (struct dma_buf_ops){ .pin = test_pin,
							      .unpin = test_unpin,
							      .may_widen = i };
		stage.dmabuf[i] = test_export(&stage.exporter[i], 0);
		stage.attach[i] = dma_buf_attach(stage.dmabuf[i], stage.dev);
	}
	sgt = map(0, DMA_TO_DEVICE, false);
	for (unsigned int round = 1; round < 4; round++) {
		/* Not before anybody looks. */
		dma_buf_cache_set_idle(0);
		unmap(1, map(1, DMA_FROM_DEVICE, false), DMA_FROM_DEVICE);
		KT_EQ(t, pins(&stage.exporter[1]), 1);
		dma_buf_cache_set_idle(1);
		wait_unpinned(stage.dmabuf[1], &stage.exporter[1]);
		KT_EQ(t, stage.exporter[1].pins, round);
	}
	/* Meanwhile what is in use has stayed. */
	KT_EQ(t, stage.exporter[0].unpins, 0);
	unmap(0, sgt, DMA_TO_DEVICE);
	wait_unpinned(stage.dmabuf[0], &stage.exporter[0]);
	dma_buf_cache_set_idle(10000);
	stage_down(t);
	KT_EQ(t, pins(&stage.exporter[0]), 0);
	KT_EQ(t, pins(&stage.exporter[1]), 0);
}

/* At pressure there is no need to wait. */
static void a_pin_that_idles_ends_at_pressure(struct ktap *t)
{
	stage_up(t, SLOTS, true);
	stage.exporter[SLOTS - 1].ops.pin = test_pin;
	stage.exporter[SLOTS - 1].ops.unpin = test_unpin;
	for (unsigned int i = SLOTS; i--;)
		unmap(i, map(i, DMA_TO_DEVICE, false), DMA_TO_DEVICE);
	KT_EQ(t, pins(&stage.exporter[SLOTS - 1]), 1);
	/* Two slots for one buffer are one too many. */
	stage.exporter[0].ops.may_widen = false;
	dma_buf_detach(stage.dmabuf[0], stage.attach[0]);
	dma_buf_put(stage.dmabuf[0]);
	stage.exporter[0] = (struct test_exporter){};
	stage.dmabuf[0] = test_export(&stage.exporter[0], 1);
	stage.attach[0] = dma_buf_attach(stage.dmabuf[0], stage.dev);
	unmap(0, map(0, DMA_TO_DEVICE, false), DMA_TO_DEVICE);
	KT_EQ(t, pins(&stage.exporter[SLOTS - 1]), 0);
	stage_down(t);
}

KTAP_MAIN(KTAP_CASE(no_map_fails_that_would_not_afresh), KTAP_CASE(what_is_in_use_stays),
	  KTAP_CASE(the_oldest_unattached_goes_first),
	  KTAP_CASE(locked_reservations_are_not_waited_for), KTAP_CASE(a_pin_that_idles_ends),
	  KTAP_CASE(a_pin_that_idles_ends_at_pressure))
