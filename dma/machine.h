/* SPDX-License-Identifier: MIT */
/*
 * machine.h - computers made of software: what devices there are and how they reach memory
 *
 *	machine		devices			IOMMU	like
 *	pc		coherent		none	x86
 *	pc-iommu	coherent		yes	x86 server
 *	arm		non-coherent by default	yes	phone or SBC SoC with SMMU
 *	arm-direct	non-coherent by default	none	small SoC
 *	bounce		32-bit, coherent	none	swiotlb: all memory lies above 4 GiB
 *
 * A machine owns its IOMMU, its bounce slots and its cache model; its devices own their mappings.
 * Several machines may live in one process.  All use the same memory (host/memory.h), but each
 * non-coherent device sees it through the cache model (dma/cache.h).
 *
 * Invariants
 *   MA1  A device's mapping is the only way its engine (dma/engine.h) reaches memory.
 *   MA2  A wrong sequence of calls gives wrong bytes or a reported fault, deterministically for a
 *	  seed.
 */
#ifndef DMA_MACHINE_H
#define DMA_MACHINE_H

#include <linux/types.h>

struct device;
struct machine;

struct machine_type {
	const char *name;
	const char *like; /* one line for --help and the docs */
	bool coherent;    /* do its devices snoop unless asked otherwise? */
	bool iommu;
	u64 dma_mask;
};

/** machine_types - all there are; ends with a NULL name. Order is the order of every table. */
extern const struct machine_type machine_types[];

/** machine_type_find - by name, or NULL */
const struct machine_type *machine_type_find(const char *name);

/**
 * machine_create - a new computer
 * @bounce_bytes: size of the bounce pool; 0 for the default of 64 MiB
 *
 * Context: may sleep.  Returns ERR_PTR(-ENOMEM).  The caller destroys it after its devices.
 */
struct machine *machine_create(const struct machine_type *type, size_t bounce_bytes);
void machine_destroy(struct machine *machine);

/**
 * machine_add_device - a registered device of @machine
 * @coherent: does it snoop? Usually machine_type_of(machine)->coherent.
 *
 * Context: may sleep.  Returns ERR_PTR(-ENOMEM).
 * Ownership: the caller owns it and gives it to machine_remove_device(), which takes back what it
 * still has mapped (with a WARN that names it) after telling the core that the device goes.
 */
struct device *machine_add_device(struct machine *machine, const char *name, bool coherent);
void machine_remove_device(struct device *dev);

const struct machine_type *machine_type_of(struct machine *machine);

#endif
