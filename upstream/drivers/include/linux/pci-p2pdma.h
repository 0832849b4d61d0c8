/* SPDX-License-Identifier: MIT */
/* pci-p2pdma.h - how far two devices are apart, beside <linux/pci-p2pdma.h> */
#ifndef UPSTREAM_PCI_P2PDMA_H
#define UPSTREAM_PCI_P2PDMA_H

#include_next <linux/pci-p2pdma.h>

#include <linux/device.h>

struct pci_dev {
	struct device dev;
};

#define to_pci_dev(device) container_of(device, struct pci_dev, dev)

/* pci_p2pdma_distance - bridges between them, or -1 where no data can go */
int pci_p2pdma_distance(struct pci_dev *provider, struct device *client, bool verbose);

#endif
