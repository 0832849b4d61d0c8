/* SPDX-License-Identifier: MIT */
/*
 * hugetlb.h - memory in huge pages
 *
 * DIFFERS: a memfd of huge pages (MFD_HUGETLB) is no file for fget(), so no file is one.
 */
#ifndef _LINUX_HUGETLB_H
#define _LINUX_HUGETLB_H

#include <linux/fs.h>

/** is_file_hugepages - is @file one of huge pages? Never */
static inline bool is_file_hugepages(const struct file *file)
{
	return false;
}

#endif
