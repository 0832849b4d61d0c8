/* SPDX-License-Identifier: MIT */
/*
 * map.c - see linux/dma-mapping.h and linux/dma-table.h
 *
 * Invariants
 *   MP1  Addresses are complete before a map moves bytes; an unmap moves bytes before addresses go.
 *   MP2  A mapping leaves view->live before anything of it is taken back, so it is unmapped once.
 *   MP3  What asks for a part of a table walks at most SG_INDEX_EVERY entries to reach it.
 */
#include <linux/bug.h>
#include <linux/dma-cost.h>
#include <linux/dma-mapping.h>
#include <linux/dma-table.h>
#include <linux/err.h>
#include <linux/errno.h>
#include <linux/minmax.h>
#include <linux/pfn.h>
#include <linux/scatterlist.h>
#include <linux/slab.h>
#include "dma/cache.h"
#include "dma/fault.h"
#include "dma/sg-index.h"
#include "dma/view.h"
#include "dma/window.h"

/* Who begins; the table at the top of linux/dma-mapping.h. */
enum sync_kind { SYNC_MAP, SYNC_FOR_DEVICE, SYNC_FOR_CPU };

static __thread bool thread_is_owner;

/* Of a mapping's direction: DM1. */
static const char *dir_name(enum dma_data_direction dir)
{
	static const char *const names[] = { "BIDIRECTIONAL", "TO_DEVICE", "FROM_DEVICE" };

	return names[dir];
}

/* --- moving bytes -------------------------------------------------------------------------------
 */

void dma_owned_begin(void)
{
	WARN(thread_is_owner, "DMA-API: dma_owned_begin() does not nest");
	thread_is_owner = true;
}

void dma_owned_end(void)
{
	WARN(!thread_is_owner, "DMA-API: dma_owned_end() without dma_owned_begin()");
	thread_is_owner = false;
}

static bool sync_is_skipped(unsigned long attrs)
{
	return (attrs & DMA_ATTR_SKIP_CPU_SYNC) || thread_is_owner;
}

/* Is there anything to do, and was it not swallowed? */
static bool sync_is_due(struct dma_view *view, enum sync_kind kind, enum dma_data_direction dir)
{
	enum dma_domain domain = dma_view_domain(view);

	if (domain == DMA_DOMAIN_CACHES)
		return false;
	if (kind == SYNC_FOR_CPU && dir == DMA_TO_DEVICE)
		return false;
	if (kind == SYNC_FOR_DEVICE && dir == DMA_FROM_DEVICE && domain == DMA_DOMAIN_BOUNCE)
		return false;
	return !dma_fault_swallow(view);
}

/* One cache operation, counted by the lines it passes over. */
static void maintain(phys_addr_t phys, size_t len, enum dma_table_op op)
{
	phys_addr_t first = ALIGN_DOWN(phys, CACHE_LINE_BYTES);

	cache_maintain(phys, len, op);
	dma_cost_add(op == DMA_TABLE_CLEAN ? DMA_COST_BYTES_CLEANED : DMA_COST_BYTES_INVALIDATED,
		     ALIGN(phys + len, CACHE_LINE_BYTES) - first);
}

static void sync_piece(struct dma_view *view, dma_addr_t addr, phys_addr_t phys, size_t len,
		       enum sync_kind kind)
{
	if (dma_view_domain(view) == DMA_DOMAIN_BOUNCE)
		bounce_copy(&view->machine->bounce, addr, len, kind != SYNC_FOR_CPU);
	else
		maintain(phys, len, kind == SYNC_FOR_CPU ? DMA_TABLE_INVALIDATE : DMA_TABLE_CLEAN);
}

static void sync_list(struct dma_view *view, struct scatterlist *sgl, int nents,
		      enum sync_kind kind, enum dma_data_direction dir)
{
	struct scatterlist *sg;
	int i;

	if (!sync_is_due(view, kind, dir))
		return;
	/* an entry's own DMA address means something only where entries are not joined: when
	 * bounced */
	for_each_sg(sgl, sg, nents, i)
		sync_piece(view, sg_dma_address(sg), sg_phys(sg), sg->length, kind);
}

static void sync_range(struct dma_view *view, dma_addr_t addr, size_t len, enum sync_kind kind,
		       enum dma_data_direction dir)
{
	struct dma_reach at;

	if (!sync_is_due(view, kind, dir))
		return;
	for (; len; addr += at.len, len -= at.len) {
		if (WARN(dma_view_reach(view, addr, len, 0, &at) != DMA_FAULT_NONE,
			 "DMA-API: %s: sync of an address that is not mapped", dev_name(view->dev)))
			return;
		if (WARN(dma_phys_is_window(at.phys), "DMA-API: %s: sync of device memory",
			 dev_name(view->dev)))
			return;
		sync_piece(view, addr, at.phys, at.len, kind);
	}
}

/* --- map and unmap ------------------------------------------------------------------------------
 */

/* DM3; and the bytes of the list, 0 if a rule is broken. */
static u64 list_bytes(const struct dma_view *view, struct scatterlist *sgl, int nents)
{
	struct scatterlist *sg;
	u64 bytes = 0;
	int i;

	for_each_sg(sgl, sg, nents, i) {
		if (WARN(!sg || !sg_page(sg) || !sg->length ||
				 !pfn_valid(PHYS_PFN(sg_phys(sg) + sg->length - 1)),
			 "DMA-API: %s: entry %d of %d is %s", dev_name(view->dev), i, nents,
			 !sg          ? "missing"
			 : sg->length ? "no memory of the page allocator"
				      : "empty"))
			return 0;
		bytes += sg->length;
	}
	return bytes;
}

/* DM5. As in Linux the mapping stands: the list's entries are its maker's, not to be cut here. */
static void warn_of_limits(const struct dma_view *view, struct scatterlist *sgl, int segs)
{
	u64 boundary = dma_get_seg_boundary(view->dev);
	unsigned int most = dma_get_max_seg_size(view->dev);
	struct scatterlist *sg;
	int i;

	for_each_sg(sgl, sg, segs, i) {
		if (WARN(sg_dma_len(sg) > most,
			 "DMA-API: %s: segment longer than the device takes [%u bytes, limit %u]",
			 dev_name(view->dev), sg_dma_len(sg), most) ||
		    WARN((sg_dma_address(sg) & boundary) + sg_dma_len(sg) - 1 > boundary,
			 "DMA-API: %s: segment across a boundary [0x%llx, %u bytes, mask 0x%llx]",
			 dev_name(view->dev), (unsigned long long)sg_dma_address(sg),
			 sg_dma_len(sg), (unsigned long long)boundary))
			return;
	}
}

/* Lock held. The mapping of @bytes in @nents pieces at @addr, best of all with direction @dir. */
static struct dma_live *live_find(struct dma_view *view, dma_addr_t addr, u64 bytes, int nents,
				  bool single, enum dma_data_direction dir)
{
	struct dma_live *live, *second = NULL;
	struct keyed_node *node;

	for (node = keyed_first(&view->live, addr); node; node = keyed_same(node)) {
		live = container_of(node, struct dma_live, by_addr);
		if (live->resource || live->bytes != bytes || live->nents != nents ||
		    live->single != single)
			continue;
		if (live->dir == dir)
			return live;
		second = live;
	}
	return second;
}

/* Returns the entries the device sees or -errno. */
static int map_list(struct dma_view *view, struct scatterlist *sgl, int nents, bool single,
		    enum dma_data_direction dir, unsigned long attrs)
{
	struct dma_live *live;
	int segs;

	if (dma_direction_is_wrong(view, dir))
		return -EINVAL;
	if (WARN(nents <= 0 || !sgl, "DMA-API: %s: an empty list is mapped", dev_name(view->dev)))
		return -EINVAL;
	live = kzalloc(sizeof(*live), GFP_ATOMIC);
	if (!live)
		return -ENOMEM;
	live->dir = dir;
	live->nents = nents;
	live->single = single;
	live->bytes = list_bytes(view, sgl, nents);
	segs = -EINVAL;
	if (!live->bytes)
		goto err_live;
	live->sgl = single ? NULL : sgl;
	live->index = single ? NULL : sg_index_make(sgl, nents, GFP_ATOMIC);
	if (IS_ERR(live->index)) {
		segs = PTR_ERR(live->index);
		goto err_live;
	}
	segs = view->machine->type->iommu ? iommu_map(view, live, sgl, nents)
					  : direct_map(view, live, sgl, nents);
	if (segs < 0)
		goto err_index;
	warn_of_limits(view, sgl, segs);

	if (!dma_view_add(view, live, sg_dma_address(sgl))) {
		segs = -EINVAL;
		goto err_map;
	}
	dma_cost_add(DMA_COST_SG_ENTRIES, nents);
	if (!sync_is_skipped(attrs))
		sync_list(view, sgl, nents, SYNC_MAP, dir);
	return segs;

err_map:
	if (live->iova)
		iommu_unmap(view, live);
	else
		direct_unmap(view, live, sgl);
err_index:
	kvfree(live->index);
err_live:
	kfree(live);
	return segs;
}

static void unmap_list(struct dma_view *view, struct scatterlist *sgl, int nents, bool single,
		       enum dma_data_direction dir, unsigned long attrs)
{
	struct dma_live *live;
	u64 bytes;

	if (dma_direction_is_wrong(view, dir))
		return;
	if (WARN(nents <= 0 || !sgl, "DMA-API: %s: an empty list is unmapped", dev_name(view->dev)))
		return;
	bytes = list_bytes(view, sgl, nents);
	spin_lock(&view->lock);
	live = live_find(view, sg_dma_address(sgl), bytes, nents, single, dir);
	if (live)
		keyed_del(&view->live, &live->by_addr);
	spin_unlock(&view->lock);
	if (WARN(!live,
		 "DMA-API: %s: unmap of what is not mapped [address 0x%llx, %llu bytes in %d "
		 "pieces]",
		 dev_name(view->dev), (unsigned long long)sg_dma_address(sgl),
		 (unsigned long long)bytes, nents))
		return;
	WARN(live->dir != dir, "DMA-API: %s: unmap with another direction [mapped %s, unmapped %s]",
	     dev_name(view->dev), dir_name(live->dir), dir_name(dir));

	if (!sync_is_skipped(attrs))
		sync_list(view, sgl, nents, SYNC_FOR_CPU, dir);
	if (live->iova)
		iommu_unmap(view, live);
	else
		direct_unmap(view, live, sgl);
	kvfree(live->index);
	kfree(live);
}

int dma_map_sgtable(struct device *dev, struct sg_table *sgt, enum dma_data_direction dir,
		    unsigned long attrs)
{
	struct dma_view *view = dma_view_of(dev);
	int segs;

	if (!view)
		return -EINVAL;
	segs = map_list(view, sgt->sgl, sgt->orig_nents, false, dir, attrs);
	if (segs < 0)
		return segs;
	sgt->nents = segs;
	return 0;
}

void dma_unmap_sgtable(struct device *dev, struct sg_table *sgt, enum dma_data_direction dir,
		       unsigned long attrs)
{
	dma_unmap_sg_attrs(dev, sgt->sgl, sgt->orig_nents, dir, attrs);
}

unsigned int dma_map_sg_attrs(struct device *dev, struct scatterlist *sg, int nents,
			      enum dma_data_direction dir, unsigned long attrs)
{
	struct dma_view *view = dma_view_of(dev);
	int segs = view ? map_list(view, sg, nents, false, dir, attrs) : 0;

	return segs < 0 ? 0 : segs;
}

void dma_unmap_sg_attrs(struct device *dev, struct scatterlist *sg, int nents,
			enum dma_data_direction dir, unsigned long attrs)
{
	struct dma_view *view = dma_view_of(dev);

	if (view)
		unmap_list(view, sg, nents, false, dir, attrs);
}

dma_addr_t dma_map_page_attrs(struct device *dev, struct page *page, size_t offset, size_t size,
			      enum dma_data_direction dir, unsigned long attrs)
{
	struct dma_view *view = dma_view_of(dev);
	struct scatterlist sg;

	if (!view || WARN_ON(size > UINT_MAX || offset > UINT_MAX))
		return DMA_MAPPING_ERROR;
	sg_init_table(&sg, 1);
	sg_set_page(&sg, page, size, offset);
	if (map_list(view, &sg, 1, true, dir, attrs) < 0)
		return DMA_MAPPING_ERROR;
	return sg_dma_address(&sg);
}

dma_addr_t dma_map_single_attrs(struct device *dev, void *ptr, size_t size,
				enum dma_data_direction dir, unsigned long attrs)
{
	if (WARN(!virt_addr_valid(ptr), "DMA-API: %s: address is no memory of the page allocator",
		 dev_name(dev)))
		return DMA_MAPPING_ERROR;
	return dma_map_page_attrs(dev, virt_to_page(ptr), offset_in_page(ptr), size, dir, attrs);
}

void dma_unmap_page_attrs(struct device *dev, dma_addr_t addr, size_t size,
			  enum dma_data_direction dir, unsigned long attrs)
{
	struct dma_view *view = dma_view_of(dev);
	struct scatterlist sg;
	struct dma_reach at;

	if (!view)
		return;
	if (WARN(!size || size > UINT_MAX ||
			 dma_view_reach(view, addr, size, 0, &at) != DMA_FAULT_NONE,
		 "DMA-API: %s: unmap of what is not mapped [address 0x%llx, %zu bytes]",
		 dev_name(dev), (unsigned long long)addr, size))
		return;
	if (WARN(dma_phys_is_window(at.phys), "DMA-API: %s: device memory unmapped as a page",
		 dev_name(dev)))
		return;
	/* one piece of memory, so where it starts says where it is */
	sg_init_table(&sg, 1);
	sg_set_page(&sg, phys_to_page(at.phys), size, offset_in_page(at.phys));
	sg_dma_address(&sg) = addr;
	sg_dma_len(&sg) = size;
	unmap_list(view, &sg, 1, true, dir, attrs);
}

/* --- sync ---------------------------------------------------------------------------------------
 */

static void sync_checked(struct device *dev, struct scatterlist *sgl, int nents,
			 enum sync_kind kind, enum dma_data_direction dir)
{
	struct dma_view *view = dma_view_of(dev);
	struct dma_reach at;

	if (!view || dma_direction_is_wrong(view, dir) || !list_bytes(view, sgl, nents))
		return;
	if (WARN(dma_view_reach(view, sg_dma_address(sgl), 1, 0, &at) != DMA_FAULT_NONE,
		 "DMA-API: %s: sync of a list that is not mapped", dev_name(dev)))
		return;
	sync_list(view, sgl, nents, kind, dir);
}

void dma_sync_sg_for_device(struct device *dev, struct scatterlist *sg, int nents,
			    enum dma_data_direction dir)
{
	sync_checked(dev, sg, nents, SYNC_FOR_DEVICE, dir);
}

void dma_sync_sg_for_cpu(struct device *dev, struct scatterlist *sg, int nents,
			 enum dma_data_direction dir)
{
	sync_checked(dev, sg, nents, SYNC_FOR_CPU, dir);
}

void dma_sync_sgtable_for_device(struct device *dev, struct sg_table *sgt,
				 enum dma_data_direction dir)
{
	sync_checked(dev, sgt->sgl, sgt->orig_nents, SYNC_FOR_DEVICE, dir);
}

void dma_sync_sgtable_for_cpu(struct device *dev, struct sg_table *sgt, enum dma_data_direction dir)
{
	sync_checked(dev, sgt->sgl, sgt->orig_nents, SYNC_FOR_CPU, dir);
}

void dma_sync_single_for_device(struct device *dev, dma_addr_t addr, size_t size,
				enum dma_data_direction dir)
{
	struct dma_view *view = dma_view_of(dev);

	if (view && !dma_direction_is_wrong(view, dir))
		sync_range(view, addr, size, SYNC_FOR_DEVICE, dir);
}

void dma_sync_single_for_cpu(struct device *dev, dma_addr_t addr, size_t size,
			     enum dma_data_direction dir)
{
	struct dma_view *view = dma_view_of(dev);

	if (view && !dma_direction_is_wrong(view, dir))
		sync_range(view, addr, size, SYNC_FOR_CPU, dir);
}

/* --- what a cached mapping asks for -------------------------------------------------------------
 */

int dma_table_widen(struct device *dev, struct sg_table *sgt, enum dma_data_direction from,
		    enum dma_data_direction to)
{
	struct dma_view *view = dma_view_of(dev);
	struct dma_live *live;
	unsigned int may;
	u64 bytes;

	if (!view || dma_direction_is_wrong(view, from) || dma_direction_is_wrong(view, to))
		return -EINVAL;
	bytes = list_bytes(view, sgt->sgl, sgt->orig_nents);
	spin_lock(&view->lock);
	live = live_find(view, sg_dma_address(sgt->sgl), bytes, sgt->orig_nents, false, from);
	spin_unlock(&view->lock);
	if (!live || live->dir != from)
		return -EINVAL;
	may = dma_may(to) & ~dma_may(from);
	if (!may)
		return 0;
	if (live->iova)
		iommu_widen(view, live, may);
	else
		direct_widen(view, live, sgt->sgl, may);
	spin_lock(&view->lock);
	live->dir = DMA_BIDIRECTIONAL; /* two permissions are all there are */
	spin_unlock(&view->lock);
	return 0;
}

/*
 * The entry of memory that holds byte *@offset of @sgt, or NULL; *@offset becomes the byte's in it
 * and *@nr the entry's number.
 */
static struct scatterlist *table_find(struct dma_view *view, const struct sg_table *sgt,
				      size_t *offset, unsigned int *nr)
{
	struct scatterlist *sg = sgt->sgl;
	const struct sg_mark *mark;
	struct keyed_node *node;
	struct dma_live *live;

	*nr = 0;
	if (sgt->orig_nents > SG_INDEX_EVERY) {
		spin_lock(&view->lock);
		node = keyed_first(&view->live, sg_dma_address(sg));
		for (; node; node = keyed_same(node)) {
			live = container_of(node, struct dma_live, by_addr);
			if (live->sgl != sgt->sgl || !live->index)
				continue;
			mark = sg_index_find(live->index, *offset, nr);
			*offset -= mark->start;
			sg = mark->sg;
			break;
		}
		spin_unlock(&view->lock);
	}
	for (; *nr < sgt->orig_nents; sg = sg_next(sg), (*nr)++) {
		if (*offset < sg->length)
			return sg;
		*offset -= sg->length;
	}
	return NULL;
}

void *dma_table_bounce(struct device *dev, struct sg_table *sgt, size_t offset, size_t *len)
{
	struct dma_view *view = dma_view_of(dev);
	struct scatterlist *sg;
	unsigned int nr, joined;
	dma_addr_t addr;

	*len = 0;
	if (!view || dma_view_domain(view) != DMA_DOMAIN_BOUNCE)
		return NULL;
	dma_step();
	/* who bounces has one segment for each entry of memory: DI1 */
	sg = table_find(view, sgt, &offset, &nr);
	if (!sg || nr >= sgt->nents || !bounce_has(&view->machine->bounce, sg_dma_address(sg)))
		return NULL;
	addr = sg_dma_address(sg) + offset;
	/* neighbouring entries often have neighbouring slots */
	*len = sg_dma_len(sg) - offset;
	for (joined = 1; joined < SG_INDEX_EVERY && ++nr < sgt->nents; joined++) {
		sg = sg_next(sg);
		if (sg_dma_address(sg) != addr + *len)
			break;
		*len += sg_dma_len(sg);
	}
	return bounce_virt(&view->machine->bounce, addr);
}

void dma_table_sync(struct device *dev, struct sg_table *sgt, size_t offset, size_t len,
		    enum dma_table_op op)
{
	struct dma_view *view = dma_view_of(dev);
	struct scatterlist *sg;
	unsigned int nr;
	bool any = op & DMA_TABLE_ANY_DEVICE;
	size_t piece;

	if (!view || !len || !sgt->orig_nents || !sg_page(sgt->sgl) ||
	    (!any && dma_view_domain(view) != DMA_DOMAIN_MEMORY) || dma_fault_swallow(view))
		return;
	op &= ~DMA_TABLE_ANY_DEVICE;
	for (sg = table_find(view, sgt, &offset, &nr); sg && nr < sgt->orig_nents;
	     sg = sg_next(sg), nr++) {
		piece = min_t(size_t, len, sg->length - offset);
		maintain(sg_phys(sg) + offset, piece, op);
		len -= piece;
		offset = 0;
		if (!len)
			return;
	}
	WARN(1, "DMA-API: %s: sync of %zu bytes past the end of a table", dev_name(dev), len);
}

/* --- masks --------------------------------------------------------------------------------------
 */

/* What the bus between device and memory carries limits what a wider mask is good for. */
static int mask_check(const struct dma_view *view, u64 mask)
{
	u64 last_slot = BOUNCE_BASE + (view->machine->bounce.slots << PAGE_SHIFT) - 1;

	return mask < last_slot ? -EIO : 0;
}

int dma_set_mask(struct device *dev, u64 mask)
{
	struct dma_view *view = dma_view_of(dev);
	int err = view ? mask_check(view, mask) : -EIO;

	if (!err)
		*dev->dma_mask = min(mask, view->machine->type->dma_mask);
	return err;
}

int dma_set_coherent_mask(struct device *dev, u64 mask)
{
	struct dma_view *view = dma_view_of(dev);
	int err = view ? mask_check(view, mask) : -EIO;

	if (!err)
		dev->coherent_dma_mask = min(mask, view->machine->type->dma_mask);
	return err;
}

int dma_set_mask_and_coherent(struct device *dev, u64 mask)
{
	int err = dma_set_mask(dev, mask);

	return err ? err : dma_set_coherent_mask(dev, mask);
}
