/* SPDX-License-Identifier: MIT */
/* pagemap.h - a file's pages, as far as drivers that keep buffers in shmem see them */
#ifndef _LINUX_PAGEMAP_H
#define _LINUX_PAGEMAP_H

#include <linux/fs.h>
#include <linux/gfp.h>
#include <linux/mm.h>

#ifndef __GFP_RECLAIMABLE
#define __GFP_RECLAIMABLE ((gfp_t)0)
#endif

/* Nobody takes pages away here. */
static inline void mapping_set_gfp_mask(struct address_space *mapping, gfp_t mask)
{
}

struct page *shmem_read_mapping_page(struct address_space *mapping, pgoff_t index);

/* fault_in_readable - 0, or how many bytes at the end cannot be read; copying says it again */
static inline size_t fault_in_readable(const char __user *uaddr, size_t size)
{
	return 0;
}

#endif
