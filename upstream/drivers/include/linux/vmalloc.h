/* SPDX-License-Identifier: MIT */
/*
 * vmalloc.h - the calls that only Linux's drivers need, beside <linux/vmalloc.h>
 *
 * Semantics: Linux 6.12.  Implemented in upstream/drivers/vmalloc.c.
 */
#ifndef UPSTREAM_VMALLOC_H
#define UPSTREAM_VMALLOC_H

#include_next <linux/vmalloc.h>

struct vm_area_struct;

/** vmalloc_user - vzalloc(), for memory that a program may map */
void *vmalloc_user(unsigned long size);

/**
 * remap_vmalloc_range - map @addr, of vmalloc_user(), and on into @vma, from page @pgoff
 *
 * Context: as vm_insert_page().  Returns 0; -EINVAL beyond the area; what vm_insert_page() says.
 */
int remap_vmalloc_range(struct vm_area_struct *vma, void *addr, unsigned long pgoff);

#endif
