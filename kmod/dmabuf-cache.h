/* SPDX-License-Identifier: MIT */
/*
 * dmabuf-cache.h - what /dev/dmabuf-cache offers to programs
 *
 * One ioctl takes any dma-buf's descriptor and gives a new one over the same memory and the same
 * fences, whose mappings are kept: who attaches, maps, unmaps and detaches per frame pays once.
 */
#ifndef DMABUF_CACHE_H
#define DMABUF_CACHE_H

#include <linux/ioctl.h>
#include <linux/types.h>

/*
 * The kind of importer that the new descriptor is for: static ones (V4L2, most of DRM) or dynamic
 * ones (amdgpu, xe, RDMA).  The other kind gets EOPNOTSUPP when it attaches.
 */
#define DMABUF_CACHE_STATIC 0u
#define DMABUF_CACHE_DYNAMIC 1u
#define DMABUF_CACHE_CLOEXEC 2u /* the new descriptor is closed by exec */

struct dmabuf_cache_wrap {
	__s32 fd; /* of the dma-buf */
	__u32 flags;
};

/*
 * Returns the new descriptor, with the access mode of the old one.  The same buffer and kind get the
 * same dma-buf for as long as that lives.  The caller should close the old
 * descriptor: while anybody holds it, he may touch the bytes without anybody knowing, and mappings
 * for devices that do not snoop are synced each time.
 *
 * EBADF, EINVAL: not a descriptor, or not of a dma-buf; EINVAL: unknown flags; EMFILE, ENOMEM
 */
#define DMABUF_CACHE_WRAP _IOW('C', 0xd0, struct dmabuf_cache_wrap)

#endif
