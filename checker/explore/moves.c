/* SPDX-License-Identifier: MIT */
/*
 * moves.c - see scene.h: the exporter that moves its buffer, and one day takes it away
 *
 * Two pages of memory, and a copy engine that does not snoop: it reads and writes behind the caches,
 * and what these hold of the page that the buffer has left may come back to it at any time.
 *
 * Invariants
 *   EM1  It moves when it may, and then only: not while a kept mapping is in use (the core says), not
 *        while the CPU has the buffer (its own business).  A move that is refused changes nothing.
 *   EM2  What was taken away gives no mapping any more.  Its memory is somebody else's once the last
 *        mapping has gone; from then on nothing of the core's and no device touches it.
 *
 * Deliberately not here: memory that only a device has, and a copy that is still under way when the
 * move ends; both are tests' (core/move-static-test.c, drivers/exporters/vram-test.c).
 */
#include <linux/device.h>
#include <linux/dma-mapping.h>
#include <linux/err.h>
#include <linux/mm.h>
#include <linux/workqueue.h>
#include <string.h>

#include "checker/explore/arena.h"
#include "checker/explore/scene.h"
#include "core/buffer.h"
#include "dma/cache.h"
#include "dma/engine.h"
#include "dma/machine.h"
#include "dma/view.h"

#define REUSED 0x3c

/* --- making and end --------------------------------------------------------------------------- */

int moves_create(struct scene *w)
{
	struct machine *machine = scene_machine(w, "arm");
	struct device *dev;

	w->there.page = alloc_pages(GFP_KERNEL | __GFP_ZERO, 0);
	if (IS_ERR(machine) || !w->there.page)
		return -ENOMEM;
	w->there.bytes = page_address(w->there.page);
	dev = machine_add_device(machine, "engine", false);
	if (IS_ERR(dev))
		return PTR_ERR(dev);
	w->engine = dev;
	w->here.copied = scene_map_always(w, dev, w->here.page);
	w->there.copied = scene_map_always(w, dev, w->there.page);
	return w->here.copied && w->there.copied ? 0 : -ENOMEM;
}

/* The buffer's release frees the page that it is in. */
void moves_remove(struct scene *w)
{
	if (w->engine) {
		scene_unmap_always(w->engine, w->here.copied);
		scene_unmap_always(w->engine, w->there.copied);
		machine_remove_device(w->engine);
	}
	if (w->there.page)
		__free_pages(w->there.page, 0);
}

bool moves_regions(struct scene *w)
{
	size_t len = w->lines * SCENE_LINE;
	phys_addr_t phys;

	if (!w->there.page)
		return true;
	phys = page_to_phys(w->there.page);
	return arena_region(w->there.bytes, len) && arena_region(cache_behind(phys), len) &&
	       arena_region(cache_agreed(phys), len);
}

/* --- what is legal ---------------------------------------------------------------------------- */

static bool cpu_is_there(const struct scene *w)
{
	for (unsigned int i = 0; i < w->nr_agents; i++)
		if (!w->agents[i].dev && w->agents[i].open)
			return true;
	return false;
}

/* Has a device a mapping that the core keeps for it? */
static bool kept_is_used(const struct scene *w)
{
	for (unsigned int i = 0; i < w->nr_agents; i++)
		if (w->agents[i].dev && w->agents[i].open && !w->agents[i].fresh)
			return true;
	return false;
}

bool moves_may_move(const struct scene *w)
{
	return w->config.exporter == EXPLORE_MOVES && !w->revoked && !cpu_is_there(w);
}

bool moves_may_revoke(const struct scene *w)
{
	return w->config.exporter == EXPLORE_MOVES && !w->revoked;
}

/* --- a move ----------------------------------------------------------------------------------- */

static const char *copy_by_engine(struct scene *w)
{
	u8 bytes[SCENE_LINES * SCENE_LINE];
	size_t len = w->lines * SCENE_LINE;

	if (dma_engine_read(w->engine, w->here.copied, 0, bytes, len) ||
	    dma_engine_write(w->engine, w->there.copied, 0, bytes, len))
		return "the copy engine faults";
	return NULL;
}

static const char *copy(struct scene *w)
{
	struct sg_table *reads = w->here.copied, *writes = w->there.copied;
	const char *wrong;

	if (w->config.fault == EXPLORE_MOVE_UNTOLD)
		return copy_by_engine(w);
	if (dma_buf_begin_exporter_access(w->dmabuf, w->engine, reads, DMA_TO_DEVICE) ||
	    dma_buf_begin_exporter_access(w->dmabuf, w->engine, writes, DMA_FROM_DEVICE))
		return "begin_exporter_access fails";
	wrong = copy_by_engine(w);
	dma_buf_end_exporter_access(w->dmabuf, w->engine, writes, DMA_FROM_DEVICE);
	dma_buf_end_exporter_access(w->dmabuf, w->engine, reads, DMA_TO_DEVICE);
	return wrong;
}

static const char *move_locked(struct scene *w)
{
	bool freezes = w->config.fault != EXPLORE_MOVE_NO_FREEZE;
	const char *wrong;
	int ret;

	if (kept_is_used(w))
		return !dma_buf_move_blocked(w->dmabuf) ||
				       dma_buf_move_begin(w->dmabuf, 0) != -EBUSY
			       ? "a buffer may move while a kept mapping is used"
			       : NULL;
	w->moving = true;
	ret = freezes ? dma_buf_move_begin(w->dmabuf, 0) : 0;
	if (ret)
		return "move_begin fails though nobody uses a kept mapping";
	wrong = copy(w);
	swap(w->here, w->there);
	if (freezes)
		dma_buf_move_end(w->dmabuf);
	w->moving = false;
	return wrong;
}

const char *moves_move(struct scene *w)
{
	const char *wrong;

	dma_resv_lock(w->dmabuf->resv, NULL);
	wrong = move_locked(w);
	dma_resv_unlock(w->dmabuf->resv);
	return wrong;
}

/* --- the end ---------------------------------------------------------------------------------- */

/* EM2.  Somebody else fills it, in memory and in the caches. */
static void reuse(struct scene *w)
{
	size_t len = w->lines * SCENE_LINE;
	phys_addr_t phys = page_to_phys(w->here.page);

	memset(w->here.bytes, REUSED, len);
	memset(cache_behind(phys), REUSED, len);
	memset(cache_agreed(phys), REUSED, len);
	w->reused = true;
}

/* Nobody's reading is legal any more; static importers are not told, but their fences say so. */
const char *moves_revoke(struct scene *w)
{
	int ret = dma_buf_revoke(w->dmabuf, 0);

	w->revoked = true;
	for (unsigned int i = 0; i < w->nr_agents; i++)
		if (w->agents[i].dev && !w->agents[i].told)
			agent_is_told(w, &w->agents[i]);
	if (ret && ret != -ETIMEDOUT)
		return "revoke fails";
	if (!ret == scene_has_tables(w))
		return ret ? "revoke waits for a mapping, and there is none"
			   : "revoke says that nobody has a mapping, and somebody has";
	return NULL;
}

/* The thread waits for the reservation, which whoever unmaps holds until there is only this left. */
void moves_reap(void)
{
	flush_workqueue(system_wq);
}

void moves_after(struct scene *w)
{
	if (!w->revoked || w->reused || cpu_is_there(w))
		return;
	if (!scene_has_tables(w) || w->config.fault == EXPLORE_REUSES_EARLY)
		reuse(w);
}

const char *moves_check(const struct scene *w)
{
	size_t len = w->lines * SCENE_LINE;
	const u8 *behind = cache_behind(page_to_phys(w->here.page));

	if (!w->reused)
		return NULL;
	if (scene_has_tables(w))
		return "a device may reach memory that is somebody else's (EX2)";
	for (size_t i = 0; i < len; i++)
		if (w->here.bytes[i] != REUSED || behind[i] != REUSED)
			return "the core writes memory that is somebody else's (EX1)";
	return NULL;
}
