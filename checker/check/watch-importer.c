/* SPDX-License-Identifier: MIT */
/* watch-importer.c - what importers call; see watch.h */
#include "checker/check/watch-tables.h"
#include "checker/check/watch.h"

REAL(dma_buf_attach);
REAL(dma_buf_dynamic_attach);
REAL(dma_buf_detach);
REAL(dma_buf_map_attachment);
REAL(dma_buf_map_attachment_unlocked);
REAL(dma_buf_unmap_attachment);
REAL(dma_buf_unmap_attachment_unlocked);
REAL(dma_buf_pin);
REAL(dma_buf_unpin);

static const char *const direction_names[] = { "DMA_BIDIRECTIONAL", "DMA_TO_DEVICE",
					       "DMA_FROM_DEVICE", "DMA_NONE" };

static const char *direction(unsigned long dir)
{
	return dir < ARRAY_SIZE(direction_names) ? direction_names[dir] : "no direction";
}

static const struct dma_buf *buffer_of(const struct dma_buf_attachment *attach)
{
	return IS_ERR_OR_NULL(attach) ? NULL : attach->dmabuf;
}

/* --- attachments ------------------------------------------------------------------------------ */

struct dma_buf_attachment *dma_buf_attach(struct dma_buf *dmabuf, struct device *dev)
{
	bool fine = watch_lock(__func__, dmabuf);
	struct dma_buf_attachment *attach = real_dma_buf_attach(dmabuf, dev);

	watch_done(fine);
	if (!IS_ERR(attach))
		watch_open(WATCHED_ATTACH, attach, NULL, dmabuf, 0);
	return attach;
}

struct dma_buf_attachment *dma_buf_dynamic_attach(struct dma_buf *dmabuf, struct device *dev,
						  const struct dma_buf_attach_ops *importer_ops,
						  void *importer_priv)
{
	bool fine = watch_lock(__func__, dmabuf);
	struct dma_buf_attachment *attach =
		real_dma_buf_dynamic_attach(dmabuf, dev, importer_ops, importer_priv);

	watch_done(fine);
	if (!IS_ERR(attach))
		watch_open(WATCHED_ATTACH, attach, NULL, dmabuf, 0);
	return attach;
}

void dma_buf_detach(struct dma_buf *dmabuf, struct dma_buf_attachment *attach)
{
	struct watched opened;
	bool fine, mapped;

	if (IS_ERR_OR_NULL(attach) || !watch_find(WATCHED_ATTACH, attach, NULL, &opened)) {
		check_found(
			CHECK_BAL_07, dmabuf, NULL,
			"dma_buf_detach() of what is no attachment of the driver's, or no longer");
		return; /* memory that is gone: the library could not look at it either */
	}
	fine = watch_lock(__func__, dmabuf);
	if (fine)
		watch_close(WATCHED_ATTACH, attach, NULL, &opened);
	/* Whether a mapping is forgotten or unmapped too late is not known yet. */
	mapped = watch_find(WATCHED_MAP, NULL, attach, &opened);
	if (mapped)
		watch_late(WATCHED_MAP, attach);
	watch_told += mapped;
	real_dma_buf_detach(dmabuf, attach);
	watch_told -= mapped;
	watch_done(fine);
}

/* --- mappings --------------------------------------------------------------------------------- */

static void mapped(const struct dma_buf_attachment *attach, const struct sg_table *sgt,
		   enum dma_data_direction dir)
{
	watch_called("dma_buf_map_attachment()");
	watch_open(WATCHED_MAP, sgt, attach, attach->dmabuf, dir);
	watch_table_mapped(attach->dmabuf, sgt);
}

struct sg_table *dma_buf_map_attachment(struct dma_buf_attachment *attach,
					enum dma_data_direction dir)
{
	bool fine = watch_lock(__func__, buffer_of(attach));
	struct sg_table *sgt = real_dma_buf_map_attachment(attach, dir);

	watch_done(fine);
	if (!IS_ERR(sgt))
		mapped(attach, sgt, dir);
	return sgt;
}

struct sg_table *dma_buf_map_attachment_unlocked(struct dma_buf_attachment *attach,
						 enum dma_data_direction dir)
{
	bool fine = watch_lock(__func__, buffer_of(attach));
	struct sg_table *sgt = real_dma_buf_map_attachment_unlocked(attach, dir);

	watch_done(fine);
	if (!IS_ERR(sgt))
		mapped(attach, sgt, dir);
	return sgt;
}

/* Is it a mapping, of this direction?  Tells if not; returns whether the library may see it. */
static bool unmaps(struct dma_buf_attachment *attach, struct sg_table *sgt,
		   enum dma_data_direction dir, bool *fine)
{
	struct check_state state = { .what = "the mapping was made by" };
	struct watched map;

	*fine = true;
	if (IS_ERR_OR_NULL(attach) || IS_ERR_OR_NULL(sgt) ||
	    !watch_find(WATCHED_MAP, sgt, attach, &map)) {
		check_found(CHECK_BAL_06, buffer_of(attach), NULL, "an unmap of %s",
			    IS_ERR_OR_NULL(sgt)
				    ? "no table"
				    : "a table that this attachment has not mapped, or no longer");
		return false;
	}
	watch_called("dma_buf_unmap_attachment()");
	watch_table_unmaps(map.dmabuf, sgt);
	if (map.late.nr) {
		state.what = "its attachment was detached by";
		state.stack = map.late;
		check_found(CHECK_BAL_07, map.dmabuf, &state,
			    "a table is unmapped after its attachment was detached");
	}
	if (watch_find_value(WATCHED_MAP, sgt, attach, dir, &map))
		return true;
	state.what = "the mapping was made by";
	state.stack = map.stack;
	check_found(CHECK_DIR_01, attach->dmabuf, &state, "mapped with %s, unmapped with %s",
		    direction(map.value), direction(dir));
	*fine = false;
	watch_told++;
	return true;
}

void dma_buf_unmap_attachment(struct dma_buf_attachment *attach, struct sg_table *sgt,
			      enum dma_data_direction dir)
{
	struct watched map;
	bool held, fine;

	if (!unmaps(attach, sgt, dir, &fine))
		return;
	held = watch_lock(__func__, attach->dmabuf);
	if (!watch_close_value(WATCHED_MAP, sgt, attach, dir, &map))
		watch_close(WATCHED_MAP, sgt, attach, &map);
	real_dma_buf_unmap_attachment(attach, sgt, dir);
	watch_done(held);
	watch_done(fine);
}

void dma_buf_unmap_attachment_unlocked(struct dma_buf_attachment *attach, struct sg_table *sgt,
				       enum dma_data_direction dir)
{
	struct watched map;
	bool held, fine;

	if (!unmaps(attach, sgt, dir, &fine))
		return;
	held = watch_lock(__func__, attach->dmabuf);
	if (held && !watch_close_value(WATCHED_MAP, sgt, attach, dir, &map))
		watch_close(WATCHED_MAP, sgt, attach, &map);
	real_dma_buf_unmap_attachment_unlocked(attach, sgt, dir);
	watch_done(held);
	watch_done(fine);
}

/* --- pins ------------------------------------------------------------------------------------- */

int dma_buf_pin(struct dma_buf_attachment *attach)
{
	bool fine = watch_lock(__func__, buffer_of(attach));
	int ret = real_dma_buf_pin(attach);

	watch_done(fine);
	if (!ret)
		watch_open(WATCHED_PIN, attach, NULL, buffer_of(attach), 0);
	return ret;
}

void dma_buf_unpin(struct dma_buf_attachment *attach)
{
	bool fine = watch_lock(__func__, buffer_of(attach));
	struct watched pin;

	if (watch_close(WATCHED_PIN, attach, NULL, &pin))
		real_dma_buf_unpin(attach);
	else
		check_found(CHECK_BAL_08, buffer_of(attach), NULL,
			    "dma_buf_unpin() of an attachment that is not pinned");
	watch_done(fine);
}
