/* SPDX-License-Identifier: MIT */
/* vde.h - Tegra's video decoder, as far as its dmabuf-cache.c sees it */
#ifndef _TEGRA_VDE_H
#define _TEGRA_VDE_H

#include <linux/device.h>
#include <linux/dma-buf.h>
#include <linux/iova.h>
#include <linux/list.h>
#include <linux/mutex.h>

struct iommu_domain;

struct tegra_vde {
	struct device *dev;
	struct iommu_domain *domain; /* NULL: the device has the bus's addresses */
	struct iova_domain iova;

	struct mutex map_lock;
	struct list_head map_list;
};

int tegra_vde_iommu_map(struct tegra_vde *vde, struct sg_table *sgt, struct iova **iovap,
			size_t size);
void tegra_vde_iommu_unmap(struct tegra_vde *vde, struct iova *iova);

int tegra_vde_dmabuf_cache_map(struct tegra_vde *vde, struct dma_buf *dmabuf,
			       enum dma_data_direction dma_dir, struct dma_buf_attachment **ap,
			       dma_addr_t *addrp);
void tegra_vde_dmabuf_cache_unmap(struct tegra_vde *vde, struct dma_buf_attachment *a,
				  bool release);
void tegra_vde_dmabuf_cache_unmap_sync(struct tegra_vde *vde);
void tegra_vde_dmabuf_cache_unmap_all(struct tegra_vde *vde);

#endif
