/* SPDX-License-Identifier: MIT */
/* vmalloc.c - memory of vmalloc() that a program maps */
#include <linux/errno.h>
#include <linux/mm.h>
#include <linux/vmalloc.h>

void *vmalloc_user(unsigned long size)
{
	return vzalloc(size);
}

int remap_vmalloc_range(struct vm_area_struct *vma, void *addr, unsigned long pgoff)
{
	char *at = (char *)addr + (pgoff << PAGE_SHIFT);

	for (unsigned long i = 0; i < vma_pages(vma); i++) {
		struct page *page = vmalloc_to_page(at + (i << PAGE_SHIFT));
		int ret = -EINVAL;

		if (page)
			ret = vm_insert_page(vma, vma->vm_start + (i << PAGE_SHIFT), page);
		if (ret)
			return ret;
	}
	return 0;
}
