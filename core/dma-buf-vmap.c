/* SPDX-License-Identifier: MIT */
/*
 * dma-buf-vmap.c - the kernel's own mapping of a buffer: one, shared and counted
 *
 * Invariants
 *   VM1  The exporter's vmap is called by the first user and its vunmap after the last; between
 *        them everybody gets the same iosys_map, is_iomem included.
 *   VM2  From the first user who did not promise brackets to the last user of any kind, under
 *        policy `cached`, the buffer counts as being written through the CPU's caches: every access
 *        of a device then syncs as a fresh mapping would.  Users share the map and vunmap() does
 *        not say whose it is, so only the last one is known to end the mistrust.
 *   VM3  A device's window (is_iomem) is not in the CPU's caches and holds nothing open.
 *
 * Not here: the mappings of programs (mmap).
 */
#include <linux/bug.h>
#include <linux/kernel.h>

#include "buffer.h"
#include "locking.h"

#define HELD_OPEN (COHERENCE_READ | COHERENCE_WRITE | COHERENCE_KEPT)

/* VM2.  Reservation held. */
static int distrust(struct buffer *buffer)
{
	int ret;

	if (buffer->policy != DMA_BUF_POLICY_CACHED || buffer->vmap.map.is_iomem ||
	    buffer->vmap.mistrusted)
		return 0;
	ret = coherence_cpu_begin(&buffer->coherence, 0, buffer->dmabuf.size,
				  buffer_cpu_mode(buffer, HELD_OPEN));
	buffer->vmap.mistrusted = !ret;
	return ret;
}

static int vmap_locked(struct dma_buf *dmabuf, struct iosys_map *map, bool bracketed)
{
	struct buffer *buffer = to_buffer(dmabuf);
	int ret;

	might_sleep();
	lock_rule(dma_buf_vmap, dmabuf->resv);
	if (!dmabuf->ops->vmap)
		return -EINVAL;
	if (buffer->revoked)
		return -ENODEV;

	if (!buffer->vmap.users) {
		iosys_map_clear(&buffer->vmap.map);
		ret = dmabuf->ops->vmap(dmabuf, &buffer->vmap.map);
		if (ret)
			return ret;
	}
	if (!bracketed) {
		ret = distrust(buffer);
		if (ret)
			goto vunmap;
	}
	buffer->vmap.users++;
	*map = buffer->vmap.map;
	return 0;

vunmap:
	if (!buffer->vmap.users && dmabuf->ops->vunmap)
		dmabuf->ops->vunmap(dmabuf, &buffer->vmap.map);
	return ret;
}

/* The out-parameter on every path, and what may not be NULL. */
static bool bad_arguments(struct dma_buf *dmabuf, struct iosys_map *map)
{
	if (map)
		iosys_map_clear(map);
	return WARN(!dmabuf || !map, "dma-buf: vmap without a buffer or a map\n");
}

int dma_buf_vmap(struct dma_buf *dmabuf, struct iosys_map *map)
{
	return bad_arguments(dmabuf, map) ? -EINVAL : vmap_locked(dmabuf, map, false);
}

int dma_buf_vmap_bracketed(struct dma_buf *dmabuf, struct iosys_map *map)
{
	return bad_arguments(dmabuf, map) ? -EINVAL : vmap_locked(dmabuf, map, true);
}

int dma_buf_vmap_unlocked(struct dma_buf *dmabuf, struct iosys_map *map)
{
	int ret;

	if (bad_arguments(dmabuf, map))
		return -EINVAL;
	if (lock_rule(dma_buf_vmap_unlocked, dmabuf->resv))
		return -EDEADLK;
	dma_resv_lock(dmabuf->resv, NULL);
	ret = vmap_locked(dmabuf, map, false);
	dma_resv_unlock(dmabuf->resv);
	return ret;
}

void dma_buf_vunmap(struct dma_buf *dmabuf, struct iosys_map *map)
{
	struct buffer *buffer;

	if (WARN(!dmabuf || !map, "dma-buf: vunmap without a buffer or a map\n"))
		return;
	buffer = to_buffer(dmabuf);
	might_sleep();
	lock_rule(dma_buf_vunmap, dmabuf->resv);
	if (WARN(!buffer->vmap.users, "dma-buf: vunmap of a buffer that is not mapped\n"))
		return;
	if (WARN(!iosys_map_is_equal(&buffer->vmap.map, map),
		 "dma-buf: vunmap of another map than vmap gave\n"))
		return;
	if (--buffer->vmap.users)
		return;

	if (buffer->vmap.mistrusted)
		coherence_cpu_end(&buffer->coherence, 0, dmabuf->size,
				  buffer_cpu_mode(buffer, HELD_OPEN));
	buffer->vmap.mistrusted = false;
	if (dmabuf->ops->vunmap)
		dmabuf->ops->vunmap(dmabuf, &buffer->vmap.map);
	iosys_map_clear(&buffer->vmap.map);
}

void dma_buf_vunmap_unlocked(struct dma_buf *dmabuf, struct iosys_map *map)
{
	if (WARN(!dmabuf || !map, "dma-buf: vunmap without a buffer or a map\n"))
		return;
	if (lock_rule(dma_buf_vunmap_unlocked, dmabuf->resv))
		return;
	dma_resv_lock(dmabuf->resv, NULL);
	dma_buf_vunmap(dmabuf, map);
	dma_resv_unlock(dmabuf->resv);
}
