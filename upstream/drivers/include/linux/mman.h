/* SPDX-License-Identifier: MIT */
/* mman.h - a driver maps a file for the program that calls it */
#ifndef _LINUX_MMAN_H
#define _LINUX_MMAN_H

#include <linux/fs.h>
#include <linux/mm.h>
#include <sys/mman.h>

unsigned long vm_mmap(struct file *file, unsigned long addr, unsigned long len, unsigned long prot,
		      unsigned long flag, unsigned long offset);

#endif
