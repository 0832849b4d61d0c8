/* SPDX-License-Identifier: MIT */
/*
 * ib_umem.h - memory that an RDMA device has registered, as far as it is a dma-buf
 *
 * Only what umem_dmabuf.c uses, with Linux 6.12's names.
 */
#ifndef _RDMA_IB_UMEM_H
#define _RDMA_IB_UMEM_H

#include <linux/dma-buf.h>
#include <linux/kernel.h>
#include <linux/overflow.h>
#include <linux/ratelimit.h>
#include <linux/scatterlist.h>

struct ib_device {
	struct device *dma_device;
};

#define ibdev_warn_ratelimited(ibdev, fmt, ...) \
	pr_warn_ratelimited("%s: " fmt, dev_name((ibdev)->dma_device), ##__VA_ARGS__)

/* Access flags: the device may write. */
#define IB_ACCESS_LOCAL_WRITE (1 << 0)

static inline int ib_access_writable(int access)
{
	return access & IB_ACCESS_LOCAL_WRITE;
}

/* Linux can lengthen it; the rest is in the table. */
struct sg_append_table {
	struct sg_table sgt;
};

struct ib_umem {
	struct ib_device *ibdev;
	u64 address; /* of a dma-buf: the offset in it */
	size_t length;
	u32 writable : 1;
	u32 is_dmabuf : 1;
	struct sg_append_table sgt_append; /* what the device is told */
};

struct ib_umem_dmabuf {
	struct ib_umem umem;
	struct dma_buf_attachment *attach;
	struct sg_table *sgt;
	struct scatterlist *first_sg;
	struct scatterlist *last_sg;
	unsigned long first_sg_offset;
	unsigned long last_sg_trim;
	void *private;
	void (*pinned_revoke)(void *priv);
	u8 pinned : 1;
	u8 revoked : 1;
};

/** ib_umem_num_pages - whole pages that the range touches */
static inline size_t ib_umem_num_pages(struct ib_umem *umem)
{
	return (ALIGN(umem->address + umem->length, PAGE_SIZE) -
		ALIGN_DOWN(umem->address, PAGE_SIZE)) >>
	       PAGE_SHIFT;
}

int ib_umem_dmabuf_map_pages(struct ib_umem_dmabuf *umem_dmabuf);
void ib_umem_dmabuf_unmap_pages(struct ib_umem_dmabuf *umem_dmabuf);
struct ib_umem_dmabuf *ib_umem_dmabuf_get(struct ib_device *device, unsigned long offset,
					  size_t size, int fd, int access,
					  const struct dma_buf_attach_ops *ops);
struct ib_umem_dmabuf *ib_umem_dmabuf_get_pinned(struct ib_device *device, unsigned long offset,
						 size_t size, int fd, int access);
void ib_umem_dmabuf_release(struct ib_umem_dmabuf *umem_dmabuf);

/** ib_umem_release - give it back; all are dma-bufs here */
static inline void ib_umem_release(struct ib_umem *umem)
{
	ib_umem_dmabuf_release(container_of(umem, struct ib_umem_dmabuf, umem));
}

#endif
