/* SPDX-License-Identifier: MIT */
/*
 * pci-p2pdma.h - devices that reach each other's memory
 *
 * As much as exporters of device memory need.  Names of Linux 6.19.
 * DIFFERS: there is no PCI; a provider comes with a window of device memory (dma/window.h), not
 * from pcim_p2pdma_provider().
 */
#ifndef _LINUX_PCI_P2PDMA_H
#define _LINUX_PCI_P2PDMA_H

#include <linux/types.h>

struct device;

/* Who owns a range of device memory. */
struct p2pdma_provider {
	struct device *owner;
	u64 bus_offset; /* bus address - physical address; 0 here */
};

enum pci_p2pdma_map_type {
	PCI_P2PDMA_MAP_UNKNOWN,
	PCI_P2PDMA_MAP_NOT_SUPPORTED,    /* @dev cannot reach it */
	PCI_P2PDMA_MAP_BUS_ADDR,         /* by bus address, past the IOMMU; never the answer here */
	PCI_P2PDMA_MAP_THRU_HOST_BRIDGE, /* as it reaches memory */
};

/**
 * pci_p2pdma_map_type - how @dev can reach @provider's memory
 *
 * Not supported between two machines, and for a device whose mask does not reach so far and that
 * has no IOMMU: device memory is never bounced.
 * Context: any, while the provider's machine lives.
 */
enum pci_p2pdma_map_type pci_p2pdma_map_type(struct p2pdma_provider *provider, struct device *dev);

#endif
