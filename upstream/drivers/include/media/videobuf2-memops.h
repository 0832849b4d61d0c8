/* SPDX-License-Identifier: MIT */
/*
 * videobuf2-memops.h - what videobuf2's allocators share: a mapping's reference of a buffer, and a
 * program's memory as pages
 *
 * A program's private memory has no pages here, so vb2_create_framevec() refuses all of it with
 * -EFAULT, as Linux refuses what it cannot pin; the other calls have no vector to be given.
 */
#ifndef _MEDIA_VIDEOBUF2_MEMOPS_H
#define _MEDIA_VIDEOBUF2_MEMOPS_H

#include <linux/err.h>
#include <linux/mm.h>
#include <linux/pfn.h>
#include <linux/refcount.h>
#include <media/videobuf2-v4l2.h>

/* vm_private_data of a mapping with vb2_common_vm_ops. */
struct vb2_vmarea_handler {
	refcount_t *refcount;
	void (*put)(void *arg);
	void *arg;
};

/* Each piece of a mapping holds the buffer. */
extern const struct vm_operations_struct vb2_common_vm_ops;

#define __pfn_to_phys(pfn) PFN_PHYS(pfn)

/* What frame vectors hold is nobody's to write back. */
static inline int set_page_dirty_lock(struct page *page)
{
	return 0;
}

struct frame_vector {
	unsigned int nr_frames;
	bool is_pfns;
	void **ptrs;
};

static inline struct frame_vector *vb2_create_framevec(unsigned long start, unsigned long length,
						       bool write)
{
	return ERR_PTR(-EFAULT);
}

static inline void vb2_destroy_framevec(struct frame_vector *vec)
{
}

static inline unsigned int frame_vector_count(struct frame_vector *vec)
{
	return vec->nr_frames;
}

static inline int frame_vector_to_pages(struct frame_vector *vec)
{
	return vec->is_pfns ? -EINVAL : 0;
}

static inline struct page **frame_vector_pages(struct frame_vector *vec)
{
	return vec->is_pfns ? ERR_PTR(-EINVAL) : (struct page **)vec->ptrs;
}

static inline unsigned long *frame_vector_pfns(struct frame_vector *vec)
{
	return (unsigned long *)vec->ptrs;
}

#endif
