/* SPDX-License-Identifier: MIT */
/* watch-dma.c - who a driver makes memory a device's, and the CPU's again, by; see watch.h */
#include <linux/dma-mapping.h>

#include "checker/check/watch.h"

REAL(dma_map_sgtable);
REAL(dma_unmap_sgtable);
REAL(dma_map_sg_attrs);
REAL(dma_unmap_sg_attrs);
REAL(dma_map_page_attrs);
REAL(dma_unmap_page_attrs);
REAL(dma_sync_sgtable_for_device);
REAL(dma_sync_sgtable_for_cpu);
REAL(dma_sync_sg_for_device);
REAL(dma_sync_sg_for_cpu);
REAL(dma_sync_single_for_device);
REAL(dma_sync_single_for_cpu);

int dma_map_sgtable(struct device *dev, struct sg_table *sgt, enum dma_data_direction dir,
		    unsigned long attrs)
{
	watch_called("dma_map_sgtable()");
	return real_dma_map_sgtable(dev, sgt, dir, attrs);
}

void dma_unmap_sgtable(struct device *dev, struct sg_table *sgt, enum dma_data_direction dir,
		       unsigned long attrs)
{
	watch_called("dma_unmap_sgtable()");
	real_dma_unmap_sgtable(dev, sgt, dir, attrs);
}

unsigned int dma_map_sg_attrs(struct device *dev, struct scatterlist *sg, int nents,
			      enum dma_data_direction dir, unsigned long attrs)
{
	watch_called("dma_map_sg_attrs()");
	return real_dma_map_sg_attrs(dev, sg, nents, dir, attrs);
}

void dma_unmap_sg_attrs(struct device *dev, struct scatterlist *sg, int nents,
			enum dma_data_direction dir, unsigned long attrs)
{
	watch_called("dma_unmap_sg_attrs()");
	real_dma_unmap_sg_attrs(dev, sg, nents, dir, attrs);
}

dma_addr_t dma_map_page_attrs(struct device *dev, struct page *page, size_t offset, size_t size,
			      enum dma_data_direction dir, unsigned long attrs)
{
	watch_called("dma_map_page_attrs()");
	return real_dma_map_page_attrs(dev, page, offset, size, dir, attrs);
}

void dma_unmap_page_attrs(struct device *dev, dma_addr_t addr, size_t size,
			  enum dma_data_direction dir, unsigned long attrs)
{
	watch_called("dma_unmap_page_attrs()");
	real_dma_unmap_page_attrs(dev, addr, size, dir, attrs);
}

void dma_sync_sgtable_for_device(struct device *dev, struct sg_table *sgt,
				 enum dma_data_direction dir)
{
	watch_called("dma_sync_sgtable_for_device()");
	real_dma_sync_sgtable_for_device(dev, sgt, dir);
}

void dma_sync_sgtable_for_cpu(struct device *dev, struct sg_table *sgt, enum dma_data_direction dir)
{
	watch_called("dma_sync_sgtable_for_cpu()");
	real_dma_sync_sgtable_for_cpu(dev, sgt, dir);
}

void dma_sync_sg_for_device(struct device *dev, struct scatterlist *sg, int nents,
			    enum dma_data_direction dir)
{
	watch_called("dma_sync_sg_for_device()");
	real_dma_sync_sg_for_device(dev, sg, nents, dir);
}

void dma_sync_sg_for_cpu(struct device *dev, struct scatterlist *sg, int nents,
			 enum dma_data_direction dir)
{
	watch_called("dma_sync_sg_for_cpu()");
	real_dma_sync_sg_for_cpu(dev, sg, nents, dir);
}

void dma_sync_single_for_device(struct device *dev, dma_addr_t addr, size_t size,
				enum dma_data_direction dir)
{
	watch_called("dma_sync_single_for_device()");
	real_dma_sync_single_for_device(dev, addr, size, dir);
}

void dma_sync_single_for_cpu(struct device *dev, dma_addr_t addr, size_t size,
			     enum dma_data_direction dir)
{
	watch_called("dma_sync_single_for_cpu()");
	real_dma_sync_single_for_cpu(dev, addr, size, dir);
}
