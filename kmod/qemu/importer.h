/* SPDX-License-Identifier: MIT */
/*
 * importer.h - /dev/importer: a program maps dma-bufs for devices of several kinds and has them
 * move bytes
 *
 * One call, one struct; what an op reads and writes stands beside it.  Errors are Linux's.
 */
#ifndef KMOD_QEMU_IMPORTER_H
#define KMOD_QEMU_IMPORTER_H

#include <linux/ioctl.h>
#include <linux/types.h>

/* Devices.  Those that a machine has not got answer ENODEV. */
enum importer_device {
	DEVICE_PLAIN, /* 64-bit, on no bus that an IOMMU stands before; on arm64 it does not snoop */
	DEVICE_SECOND, /* another of that kind */
	DEVICE_NARROW, /* the same, 32-bit */
	DEVICE_PCI,    /* QEMU's edu, 64-bit; with an engine */
	DEVICE_PCI_NARROW,
	IMPORTER_DEVICES,
};

enum importer_op {
	IMPORT_ATTACH,    /* device, fd, flags: handle */
	IMPORT_DETACH,    /* handle */
	IMPORT_MAP,       /* handle, dir: nents, orig_nents, dma, bounced */
	IMPORT_UNMAP,     /* handle, dir */
	IMPORT_WRITE,     /* handle, offset, bytes, size: the device writes them, up to 4096 */
	IMPORT_READ,      /* handle, offset, size: bytes */
	IMPORT_VMAP,      /* handle: the kernel maps it for the CPU, and keeps it so */
	IMPORT_VUNMAP,    /* handle */
	IMPORT_CPU_WRITE, /* handle, offset, bytes, size: through IMPORT_VMAP's mapping */
	IMPORT_CPU_READ,  /* handle, offset, size: bytes */
	IMPORT_PIN,       /* handle */
	IMPORT_UNPIN,     /* handle */
	IMPORT_TOLD,      /* handle: size: of how many moves */
	IMPORT_FENCE,     /* fd: an unsignaled fence of a write is in its reservation object */
	IMPORT_SIGNAL,    /* and is signaled */
	IMPORT_TRACE,  /* from now on cache maintenance is noted; bytes: struct trace_entry, size */
	IMPORT_COST,   /* device, fd, flags: a struct importer_cost in bytes */
	IMPORT_EXPORT, /* flags, size: fd, an exporter of the module's own */
	IMPORT_CALLS,  /* fd of IMPORT_EXPORT: bytes: struct exporter_calls */
	IMPORT_FAIL, /* size: the caller's allocation of that number from now on fails; 0: none does.
			  handle: whether that of the call before has */
	IMPORT_OVERLAPS, /* size: how many writable entries of tables have been mapped since the
			  last call beside another of the same bytes */
	IMPORT_MOVE,     /* fd of IMPORT_EXPORT: its bytes are elsewhere now; EBUSY: it is
			    pinned, or mapped where it was before its last move */
	IMPORT_PLANT,    /* device: a mistake of that kind is made, fd: on that dma-buf */
};

/* What the kernel is to report. */
enum planted_mistake {
	PLANTED_UNMAP_OF_NOTHING, /* DMA memory is given back that was never mapped */
	PLANTED_UNMAP_OTHERWISE,  /* mapped for reading, unmapped for writing */
	PLANTED_OVERLAP,          /* mapped for writing beside another, unseen by IMPORT_OVERLAPS */
	PLANTED_WITHOUT_LOCK,     /* an attachment is mapped without the reservation */
	PLANTED_SLEEP,            /* under a spinlock */
	PLANTED_LIST,             /* an entry is taken off a list twice */
	PLANTED_USE_AFTER_FREE,   /* a read, too */
	PLANTED_OUT_OF_BOUNDS,    /* a read, one byte */
	PLANTED_LOCK_ORDER,       /* a reservation and a mutex; the last, for it ends that watch */
};

#define IMPORT_DYNAMIC 1u /* attach as a dynamic importer */
#define IMPORT_ENGINE \
	2u /* write, read: by the device's own DMA engine, not by the CPU in its place */
#define EXPORT_DYNAMIC 1u /* export: buffers that can be pinned */
#define EXPORT_EMPTY 2u   /* export: map and unmap do nothing, for the cost of an empty op */

struct importer_call {
	__u32 op, device, handle, dir, flags;
	__s32 fd;
	__u64 offset, size, bytes;
	__u32 nents, orig_nents, bounced, unused;
	__u64 dma;
};

#define IMPORTER_CALL _IOWR('I', 1, struct importer_call)

struct trace_entry {
	__u64 address, size;
	__u32 for_device, dir;
};

/* Nanoseconds, which -icount makes instructions: the least of several runs. */
struct importer_cost {
	__u64 map_unmap, attach_to_detach;
};

struct exporter_calls {
	__u32 attached, mapped, unmapped, pinned;
	__u32 directions; /* a bit for each that map was called with */
};

#endif
