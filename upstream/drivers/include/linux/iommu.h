/* SPDX-License-Identifier: MIT */
/* iommu.h - a driver that fills in its device's addresses by itself */
#ifndef _LINUX_IOMMU_H
#define _LINUX_IOMMU_H

#include <linux/scatterlist.h>
#include <linux/types.h>

#define IOMMU_READ (1 << 0)
#define IOMMU_WRITE (1 << 1)

struct iommu_domain;

ssize_t iommu_map_sgtable(struct iommu_domain *domain, unsigned long iova, struct sg_table *sgt,
			  int prot);
size_t iommu_unmap(struct iommu_domain *domain, unsigned long iova, size_t size);

#endif
