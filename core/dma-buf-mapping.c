/* SPDX-License-Identifier: MIT */
/*
 * dma-buf-mapping.c - see linux/dma-buf-mapping.h
 *
 * Invariants
 *   BM1  What is mapped is written down beside the table: entries may be cut anywhere, and an
 *        importer may trim them.
 */
#include <linux/bug.h>
#include <linux/container_of.h>
#include <linux/dma-buf-mapping.h>
#include <linux/dma-mapping.h>
#include <linux/dma-resv.h>
#include <linux/err.h>
#include <linux/math.h>
#include <linux/minmax.h>
#include <linux/overflow.h>
#include <linux/scatterlist.h>
#include <linux/slab.h>

#include "locking.h"

struct device_range {
	dma_addr_t addr;
	size_t len;
};

struct device_table {
	struct sg_table sgt;
	size_t nr;                   /* ranges that are mapped */
	struct device_range range[]; /* BM1 */
};

/* Bytes of one entry at most: whole pages, at least one. */
static size_t longest_entry(struct device *dev)
{
	return max_t(size_t, dma_get_max_seg_size(dev) & PAGE_MASK, PAGE_SIZE);
}

/* Entries for all ranges, or -EINVAL. */
static long count_entries(const struct phys_vec *vec, size_t nr, size_t size, size_t longest)
{
	size_t bytes = 0, entries = 0;

	for (size_t i = 0; i < nr; i++) {
		if (!vec[i].len || !PAGE_ALIGNED(vec[i].paddr | vec[i].len) ||
		    check_add_overflow(bytes, vec[i].len, &bytes))
			return -EINVAL;
		entries += (vec[i].len - 1) / longest + 1; /* DIV_ROUND_UP() may overflow */
	}
	return bytes == size && entries && entries <= UINT_MAX ? (long)entries : -EINVAL;
}

static void unmap_ranges(struct device *dev, struct device_table *table,
			 enum dma_data_direction dir)
{
	while (table->nr--)
		dma_unmap_resource(dev, table->range[table->nr].addr, table->range[table->nr].len,
				   dir, 0);
}

static void fill_entries(struct device_table *table, size_t longest)
{
	struct scatterlist *sg = table->sgt.sgl;

	for (size_t i = 0; i < table->nr; i++) {
		dma_addr_t addr = table->range[i].addr;
		size_t left = table->range[i].len;

		while (left) {
			sg_dma_address(sg) = addr;
			sg_dma_len(sg) = min(left, longest);
			addr += sg_dma_len(sg);
			left -= sg_dma_len(sg);
			sg = sg_next(sg);
		}
	}
}

struct sg_table *dma_buf_phys_vec_to_sgt(struct dma_buf_attachment *attach,
					 struct p2pdma_provider *provider,
					 struct phys_vec *phys_vec, size_t nr_ranges, size_t size,
					 enum dma_data_direction dir)
{
	struct device_table *table;
	size_t longest;
	long entries;
	int ret;

	if (WARN_ON(!attach || !attach->dmabuf || !provider || !phys_vec ||
		    !valid_dma_direction(dir)))
		return ERR_PTR(-EINVAL);
	lock_rule(dma_buf_phys_vec_to_sgt, attach->dmabuf->resv);
	if (pci_p2pdma_map_type(provider, attach->dev) != PCI_P2PDMA_MAP_THRU_HOST_BRIDGE)
		return ERR_PTR(-EINVAL);
	longest = longest_entry(attach->dev);
	entries = count_entries(phys_vec, nr_ranges, size, longest);
	if (entries < 0)
		return ERR_PTR(entries);

	table = kzalloc(struct_size(table, range, nr_ranges), GFP_KERNEL);
	if (!table)
		return ERR_PTR(-ENOMEM);
	ret = sg_alloc_table(&table->sgt, entries, GFP_KERNEL);
	if (ret)
		goto free_table;
	ret = -ENOMEM;
	for (; table->nr < nr_ranges; table->nr++) {
		struct device_range *range = &table->range[table->nr];

		range->len = phys_vec[table->nr].len;
		range->addr = dma_map_resource(attach->dev, phys_vec[table->nr].paddr, range->len,
					       dir, 0);
		if (dma_mapping_error(attach->dev, range->addr))
			goto unmap;
	}
	fill_entries(table, longest);
	table->sgt.orig_nents = 0;
	return &table->sgt;

unmap:
	unmap_ranges(attach->dev, table, dir);
	sg_free_table(&table->sgt);
free_table:
	kfree(table);
	return ERR_PTR(ret);
}

void dma_buf_free_sgt(struct dma_buf_attachment *attach, struct sg_table *sgt,
		      enum dma_data_direction dir)
{
	struct device_table *table;

	if (WARN_ON(!attach || !sgt))
		return;
	lock_rule(dma_buf_free_sgt, attach->dmabuf->resv);
	table = container_of(sgt, struct device_table, sgt);
	unmap_ranges(attach->dev, table, dir);
	/* what sg_free_table() goes by */
	sgt->orig_nents = sgt->nents;
	sg_free_table(sgt);
	kfree(table);
}
