/* SPDX-License-Identifier: MIT */
/*
 * machine.h - what Linux's DMA layer will do for a device, and has done to a table
 *
 * Semantics of Linux 6.12.
 */
#ifndef KMOD_MACHINE_H
#define KMOD_MACHINE_H

#include <linux/types.h>

struct device;
struct sg_table;

/**
 * machine_known - can what is mapped for @dev be understood?
 *
 * Made by dma-direct or an IOMMU and nothing of its own kind, and tables that show their pages.
 */
bool machine_known(struct device *dev);

/** machine_snoops - does @dev see what is in the CPU's caches? */
bool machine_snoops(struct device *dev);

/**
 * machine_can_sync - can memory be brought up to date, in both directions, for a device that does
 * not snoop?
 */
bool machine_can_sync(void);

/**
 * machine_may_bounce - might a mapping for @dev be a copy in a bounce slot?
 *
 * False is a promise, as long as the device's DMA mask stays.  Context: may sleep.
 */
bool machine_may_bounce(struct device *dev);

/** machine_bounced - is any part of @table, mapped for @dev, a copy in a bounce slot? */
bool machine_bounced(struct device *dev, const struct sg_table *table);

/** machine_device_memory - is any part of @table other than ordinary memory with a linear address? */
bool machine_device_memory(const struct sg_table *table);

#endif
