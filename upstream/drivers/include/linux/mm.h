/* SPDX-License-Identifier: MIT */
/* mm.h - a program's pages one by one, beside <linux/mm.h> */
#ifndef UPSTREAM_MM_H
#define UPSTREAM_MM_H

#include_next <linux/mm.h>

#include <linux/vm_area.h>

static inline vm_fault_t vmf_insert_page(struct vm_area_struct *vma, unsigned long addr,
					 struct page *page)
{
	return vmf_insert_pfn(vma, addr, page_to_pfn(page));
}

pgprot_t vm_get_page_prot(unsigned long vm_flags);

#endif
