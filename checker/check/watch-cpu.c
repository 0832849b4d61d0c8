/* SPDX-License-Identifier: MIT */
/* watch-cpu.c - the CPU's accesses that a driver makes; see watch.h */
#include "checker/check/watch.h"

REAL(dma_buf_begin_cpu_access);
REAL(dma_buf_end_cpu_access);
REAL(dma_buf_vmap);
REAL(dma_buf_vmap_unlocked);
REAL(dma_buf_vunmap);
REAL(dma_buf_vunmap_unlocked);

/* --- begin and end ---------------------------------------------------------------------------- */

int dma_buf_begin_cpu_access(struct dma_buf *dmabuf, enum dma_data_direction dir)
{
	bool fine = watch_lock(__func__, dmabuf);
	int ret = real_dma_buf_begin_cpu_access(dmabuf, dir);

	watch_done(fine);
	watch_called("dma_buf_begin_cpu_access()");
	if (!ret)
		watch_open(WATCHED_CPU, dmabuf, NULL, dmabuf, dir);
	return ret;
}

/*
 * dma_buf_begin_cpu_access() speaks of the CPU in the device's words: who writes for a device has
 * begun TO_DEVICE.  A device that writes is played by a CPU that does.
 */
bool watch_cpu_access(const struct dma_buf *dmabuf, enum dma_data_direction dir)
{
	enum dma_data_direction wanted = dir == DMA_TO_DEVICE     ? DMA_FROM_DEVICE
					 : dir == DMA_FROM_DEVICE ? DMA_TO_DEVICE
								  : DMA_BIDIRECTIONAL;
	struct watched access;

	return watch_find_value(WATCHED_CPU, dmabuf, NULL, wanted, &access) ||
	       watch_find_value(WATCHED_CPU, dmabuf, NULL, DMA_BIDIRECTIONAL, &access);
}

/* An access of this direction if there is one, else any; false: none has begun. */
static bool end_access(struct dma_buf *dmabuf, enum dma_data_direction dir, struct watched *access)
{
	return watch_close_value(WATCHED_CPU, dmabuf, NULL, dir, access) ||
	       watch_close(WATCHED_CPU, dmabuf, NULL, access);
}

int dma_buf_end_cpu_access(struct dma_buf *dmabuf, enum dma_data_direction dir)
{
	bool fine = watch_lock(__func__, dmabuf);
	struct check_state state = { .what = "the access was begun by" };
	struct watched access;
	bool known = !fine || end_access(dmabuf, dir, &access), same = true;
	int ret;

	if (!known) {
		check_found(CHECK_BAL_10, dmabuf, NULL,
			    "dma_buf_end_cpu_access() without a dma_buf_begin_cpu_access()");
	} else if (fine && access.value != dir) {
		state.stack = access.stack;
		check_found(CHECK_DIR_02, dmabuf, &state,
			    "a CPU access ends with direction %d and began with %lu", dir,
			    access.value);
		same = false;
	}
	watch_called("dma_buf_end_cpu_access()");
	watch_told += !known + !same;
	ret = real_dma_buf_end_cpu_access(dmabuf, dir);
	watch_told -= !known + !same;
	watch_done(fine);
	return ret;
}

/* --- vmap ------------------------------------------------------------------------------------- */

int dma_buf_vmap(struct dma_buf *dmabuf, struct iosys_map *map)
{
	bool fine = watch_lock(__func__, dmabuf);
	int ret = real_dma_buf_vmap(dmabuf, map);

	watch_done(fine);
	if (ret)
		return ret;
	watch_called("dma_buf_vmap()");
	watch_open(WATCHED_VMAP, dmabuf, NULL, dmabuf, (unsigned long)map->vaddr);
	return 0;
}

int dma_buf_vmap_unlocked(struct dma_buf *dmabuf, struct iosys_map *map)
{
	bool fine = watch_lock(__func__, dmabuf);
	int ret = real_dma_buf_vmap_unlocked(dmabuf, map);

	watch_done(fine);
	if (ret)
		return ret;
	watch_called("dma_buf_vmap()");
	watch_open(WATCHED_VMAP, dmabuf, NULL, dmabuf, (unsigned long)map->vaddr);
	return 0;
}

/* Is it what a vmap filled in?  Tells if not. */
static bool vunmaps(struct dma_buf *dmabuf, const struct iosys_map *map)
{
	struct check_state state = { .what = "the buffer was vmapped by" };
	struct watched vmap;

	if (!dmabuf || !map || !watch_close(WATCHED_VMAP, dmabuf, NULL, &vmap)) {
		check_found(CHECK_BAL_09, dmabuf, NULL, "a vunmap of a buffer that is not vmapped");
		return false;
	}
	if (vmap.value == (unsigned long)map->vaddr)
		return true;
	state.stack = vmap.stack;
	check_found(CHECK_BAL_09, dmabuf, &state, "a vunmap of address %p, where the vmap gave %p",
		    map->vaddr, (void *)vmap.value);
	return false;
}

void dma_buf_vunmap(struct dma_buf *dmabuf, struct iosys_map *map)
{
	bool held = watch_lock(__func__, dmabuf);
	bool fine = vunmaps(dmabuf, map);

	watch_told += !fine;
	real_dma_buf_vunmap(dmabuf, map);
	watch_told -= !fine;
	watch_done(held);
}

void dma_buf_vunmap_unlocked(struct dma_buf *dmabuf, struct iosys_map *map)
{
	bool held = watch_lock(__func__, dmabuf);
	bool fine = !held || vunmaps(dmabuf, map);

	watch_told += !fine;
	real_dma_buf_vunmap_unlocked(dmabuf, map);
	watch_told -= !fine;
	watch_done(held);
}
