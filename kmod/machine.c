/* SPDX-License-Identifier: MIT */
/*
 * machine.c - see machine.h
 */
#include <linux/dma-direct.h>
#include <linux/dma-map-ops.h>
#include <linux/dma-mapping.h>
#include <linux/iommu-dma.h>
#include <linux/iommu.h>
#include <linux/pci.h>
#include <linux/scatterlist.h>
#include <linux/swiotlb.h>

#include "machine.h"

/* With DMABUF_DEBUG the core hands out tables whose pages nobody can tell. */
bool machine_known(struct device *dev)
{
	return !get_dma_ops(dev) && !IS_ENABLED(CONFIG_DMABUF_DEBUG);
}

bool machine_snoops(struct device *dev)
{
	return dev_is_dma_coherent(dev);
}

bool machine_can_sync(void)
{
	return IS_ENABLED(CONFIG_ARCH_HAS_SYNC_DMA_FOR_DEVICE) &&
	       IS_ENABLED(CONFIG_ARCH_HAS_SYNC_DMA_FOR_CPU);
}

/* Pages, so never bounced for an alignment that kmalloc() did not keep. */
bool machine_may_bounce(struct device *dev)
{
	if (use_dma_iommu(dev))
		return dev_is_pci(dev) && to_pci_dev(dev)->untrusted;
	return is_swiotlb_force_bounce(dev) || dma_addressing_limited(dev);
}

static phys_addr_t where(struct device *dev, dma_addr_t address)
{
	if (use_dma_iommu(dev))
		return iommu_iova_to_phys(iommu_get_domain_for_dev(dev), address);
	return dma_to_phys(dev, address);
}

/*
 * Both lists name the same bytes in the same order, but are cut differently: an IOMMU joins
 * entries.
 */
bool machine_bounced(struct device *dev, const struct sg_table *table)
{
	struct scatterlist *page = table->sgl, *segment;
	size_t page_start = 0, segment_start = 0;
	unsigned int i;

	for_each_sgtable_dma_sg(table, segment, i) {
		while (page && page_start + page->length <= segment_start) {
			page_start += page->length;
			page = sg_next(page);
		}
		if (!page)
			return false;
		if (where(dev, sg_dma_address(segment)) !=
		    sg_phys(page) + (segment_start - page_start))
			return true;
		segment_start += sg_dma_len(segment);
	}
	return false;
}

bool machine_device_memory(const struct sg_table *table)
{
	struct scatterlist *sg;
	unsigned int i;

	for_each_sgtable_sg(table, sg, i) {
		struct page *page = sg_page(sg);

		if (!page || is_zone_device_page(page) || sg_dma_is_bus_address(sg))
			return true;
	}
	return !table->orig_nents;
}
