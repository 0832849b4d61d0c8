/* SPDX-License-Identifier: MIT */
/*
 * scatterlist.h - memory in pieces, and where a device finds it
 *
 * A list answers two questions that must not be mixed.  Its first `orig_nents` entries say which memory
 * it is: page, offset, length; for the CPU and for maintenance.  Its first `nents` entries say what a
 * device sees: DMA address and DMA length; dma_map_sgtable() fills them in and may need fewer of them,
 * because an IOMMU joins pieces.  The two counts of bytes agree, the two counts of entries need not.
 *
 * Lists longer than a page are chained: the last entry of each page is a link and counts as no entry,
 * so `sg + 1` is wrong and sg_next() right.
 *
 * Invariants
 *   SG1  page_link's low bits: SG_CHAIN (it points to the list's next piece), SG_END (last entry).
 *   SG2  Only entries [0, nents) of a mapped table have a DMA address that means something.
 *
 * Context: everything here works on memory the caller owns; only the allocating functions may sleep,
 * as their gfp says.  Semantics of Linux 6.12.
 */
#ifndef _LINUX_SCATTERLIST_H
#define _LINUX_SCATTERLIST_H

#include <linux/types.h>
#include <linux/mm.h>

struct scatterlist {
	unsigned long page_link;
	unsigned int offset;
	unsigned int length;
	/* the device's side */
	dma_addr_t dma_address;
	unsigned int dma_length;
};

struct sg_table {
	struct scatterlist *sgl;
	unsigned int nents;      /* entries the device sees */
	unsigned int orig_nents; /* entries of memory */
};

#define SG_CHAIN 0x01UL
#define SG_END 0x02UL
#define SG_PAGE_LINK_MASK (SG_CHAIN | SG_END)

/* Entries in one allocation, a link included. */
#define SG_MAX_SINGLE_ALLOC (PAGE_SIZE / sizeof(struct scatterlist))

#define sg_dma_address(sg) ((sg)->dma_address)
#define sg_dma_len(sg) ((sg)->dma_length)

/* The sgl of another allocation that follows, or the end? */
static inline bool sg_is_chain(const struct scatterlist *sg)
{
	return sg->page_link & SG_CHAIN;
}

static inline bool sg_is_last(const struct scatterlist *sg)
{
	return sg->page_link & SG_END;
}

static inline struct scatterlist *sg_chain_ptr(const struct scatterlist *sg)
{
	return (struct scatterlist *)(sg->page_link & ~SG_PAGE_LINK_MASK);
}

/** sg_page - the entry's first page; NULL for memory without pages (device memory) */
static inline struct page *sg_page(const struct scatterlist *sg)
{
	return (struct page *)(sg->page_link & ~SG_PAGE_LINK_MASK);
}

/** sg_assign_page - set the page alone; links and ends stay */
static inline void sg_assign_page(struct scatterlist *sg, struct page *page)
{
	sg->page_link = (sg->page_link & SG_PAGE_LINK_MASK) | (unsigned long)page;
}

/** sg_set_page - let the entry be @len bytes from @offset of @page; @offset may be past the page */
static inline void sg_set_page(struct scatterlist *sg, struct page *page, unsigned int len,
			       unsigned int offset)
{
	sg_assign_page(sg, page);
	sg->offset = offset;
	sg->length = len;
}

/** sg_set_folio - the same for @len bytes from @offset of @folio */
static inline void sg_set_folio(struct scatterlist *sg, struct folio *folio, size_t len,
				size_t offset)
{
	sg_set_page(sg, &folio->page, len, offset);
}

/** sg_set_buf - let the entry be @len bytes at @buf, memory of the page allocator */
static inline void sg_set_buf(struct scatterlist *sg, const void *buf, unsigned int len)
{
	sg_set_page(sg, virt_to_page(buf), len, offset_in_page(buf));
}

static inline void sg_mark_end(struct scatterlist *sg)
{
	sg->page_link |= SG_END;
	sg->page_link &= ~SG_CHAIN;
}

static inline void sg_unmark_end(struct scatterlist *sg)
{
	sg->page_link &= ~SG_END;
}

/** sg_phys - physical address of the entry's first byte */
static inline phys_addr_t sg_phys(const struct scatterlist *sg)
{
	return page_to_phys(sg_page(sg)) + sg->offset;
}

/** sg_virt - the CPU's address of the entry's first byte */
static inline void *sg_virt(const struct scatterlist *sg)
{
	return (char *)page_address(sg_page(sg)) + sg->offset;
}

/** sg_next - the entry after @sg, NULL after the last */
struct scatterlist *sg_next(struct scatterlist *sg);

/** sg_last - entry @nents of the list, by walking it */
struct scatterlist *sg_last(struct scatterlist *sgl, unsigned int nents);

/** sg_nents - entries up to the end mark; sg_nents_for_len - those that hold @len bytes, or -EINVAL
 */
int sg_nents(struct scatterlist *sg);
int sg_nents_for_len(struct scatterlist *sg, u64 len);

/** sg_init_table - @nents empty entries that lie one after another, the last marked */
void sg_init_table(struct scatterlist *sgl, unsigned int nents);

/** sg_init_one - a list of one entry: @len bytes at @buf */
void sg_init_one(struct scatterlist *sg, const void *buf, unsigned int len);

/** sg_chain - make entry @prv_nents - 1 of @prv a link to @sgl */
void sg_chain(struct scatterlist *prv, unsigned int prv_nents, struct scatterlist *sgl);

/**
 * sg_alloc_table - @nents empty entries, chained
 *
 * Context: may sleep as @gfp says.  Returns 0, -EINVAL for no entries, -ENOMEM; on an error @table
 * is empty and may be freed.
 * Ownership: the caller's, until sg_free_table().
 */
int sg_alloc_table(struct sg_table *table, unsigned int nents, gfp_t gfp);
void sg_free_table(struct sg_table *table);

/**
 * sg_alloc_table_from_pages_segment - a table of @size bytes from @offset of @pages, neighbours
 * joined
 * @max_segment: no entry is longer; rounded down to pages, none left is -EINVAL and WARNs.  What
 *	dma_get_max_seg_size() says of a device does
 *
 * Otherwise as sg_alloc_table().
 */
int sg_alloc_table_from_pages_segment(struct sg_table *table, struct page **pages,
				      unsigned int n_pages, unsigned int offset, unsigned long size,
				      unsigned int max_segment, gfp_t gfp);

static inline int sg_alloc_table_from_pages(struct sg_table *table, struct page **pages,
					    unsigned int n_pages, unsigned int offset,
					    unsigned long size, gfp_t gfp)
{
	return sg_alloc_table_from_pages_segment(table, pages, n_pages, offset, size,
						 UINT_MAX & PAGE_MASK, gfp);
}

/**
 * sg_copy_to_buffer, sg_copy_from_buffer - between the CPU's view of a list and @buf
 * Returns the bytes copied, less than @buflen where the list is shorter.
 */
size_t sg_copy_to_buffer(struct scatterlist *sgl, unsigned int nents, void *buf, size_t buflen);
size_t sg_copy_from_buffer(struct scatterlist *sgl, unsigned int nents, const void *buf,
			   size_t buflen);

#define for_each_sg(sgl, sg, nr, i) for (i = 0, sg = (sgl); i < (nr); i++, sg = sg_next(sg))

/* The entries of memory, and those the device sees. */
#define for_each_sgtable_sg(sgt, sg, i) for_each_sg((sgt)->sgl, sg, (sgt)->orig_nents, i)
#define for_each_sgtable_dma_sg(sgt, sg, i) for_each_sg((sgt)->sgl, sg, (sgt)->nents, i)

/* Where a walk over pages stands; set up by __sg_page_iter_start(), read through the functions
 * below. */
struct sg_page_iter {
	struct scatterlist *sg;
	unsigned int sg_pgoffset; /* the current page within @sg */
	unsigned int __nents;     /* entries left, @sg included */
	int __pg_advance;         /* pages the next step goes on by: 0 before the first */
};

/* The same walk over DMA addresses. */
struct sg_dma_page_iter {
	struct sg_page_iter base;
};

void __sg_page_iter_start(struct sg_page_iter *piter, struct scatterlist *sglist,
			  unsigned int nents, unsigned long pgoffset);
bool __sg_page_iter_next(struct sg_page_iter *piter);
bool __sg_page_iter_dma_next(struct sg_dma_page_iter *dma_iter);

static inline struct page *sg_page_iter_page(struct sg_page_iter *piter)
{
	return nth_page(sg_page(piter->sg), piter->sg_pgoffset);
}

static inline dma_addr_t sg_page_iter_dma_address(struct sg_dma_page_iter *dma_iter)
{
	return sg_dma_address(dma_iter->base.sg) +
	       ((dma_addr_t)dma_iter->base.sg_pgoffset << PAGE_SHIFT);
}

#define for_each_sg_page(sglist, piter, nents, pgoffset)                   \
	for (__sg_page_iter_start((piter), (sglist), (nents), (pgoffset)); \
	     __sg_page_iter_next(piter);)
#define for_each_sg_dma_page(sglist, dma_iter, dma_nents, pgoffset)                      \
	for (__sg_page_iter_start(&(dma_iter)->base, (sglist), (dma_nents), (pgoffset)); \
	     __sg_page_iter_dma_next(dma_iter);)
#define for_each_sgtable_page(sgt, piter, pgoffset) \
	for_each_sg_page((sgt)->sgl, piter, (sgt)->orig_nents, pgoffset)
#define for_each_sgtable_dma_page(sgt, dma_iter, pgoffset) \
	for_each_sg_dma_page((sgt)->sgl, dma_iter, (sgt)->nents, pgoffset)

#endif
