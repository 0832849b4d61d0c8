/* SPDX-License-Identifier: MIT */
/*
 * uaccess.h - reading and writing what a caller's pointer claims to be
 *
 * "User memory" is this process's own memory.  A pointer to nowhere gives an error, not a fault:
 * the copy is made by the system (process_vm_readv), which checks each page.  Where a sandbox
 * forbids that call the copy is a plain one and a wrong pointer is fatal.
 *
 * Invariant UA1: bytes the system could not copy in are zero, as in Linux.
 */
#ifndef _LINUX_UACCESS_H
#define _LINUX_UACCESS_H

#include <linux/compiler.h>
#include <linux/errno.h>
#include <linux/types.h>
#include <linux/gfp.h>

/**
 * copy_from_user, copy_to_user - @n bytes from or to the caller's memory
 * Context: may sleep.  Returns how many bytes could NOT be copied: 0 is success.
 */
unsigned long copy_from_user(void *to, const void __user *from, unsigned long n);
unsigned long copy_to_user(void __user *to, const void *from, unsigned long n);

/** memdup_user - a kmalloc'ed copy, or ERR_PTR: -ENOMEM, -EFAULT */
void *memdup_user(const void __user *src, size_t len);

/**
 * strndup_user - a kmalloc'ed copy of a string of at most @n bytes, its end included
 * Returns ERR_PTR: -EFAULT, -ENOMEM, -EINVAL when it has no end within @n.
 */
char *strndup_user(const char __user *s, long n);

/**
 * copy_struct_from_user - a structure that grows from version to version
 * @ksize: the size we know; all of @dst is written
 * @usize: the size the caller knows, from _IOC_SIZE() for an ioctl
 *
 * A shorter one is filled up with zeros; of a longer one the rest must be zeros.
 * Context: may sleep.  Returns 0, -E2BIG when it is not, -EFAULT.
 */
int copy_struct_from_user(void *dst, size_t ksize, const void __user *src, size_t usize);

/** get_user, put_user - one scalar; 0 or -EFAULT */
#define get_user(x, ptr)                                                           \
	({                                                                         \
		__typeof__(*(ptr)) val_;                                           \
		int err_ = copy_from_user(&val_, ptr, sizeof(val_)) ? -EFAULT : 0; \
		(x) = val_;                                                        \
		err_;                                                              \
	})

#define put_user(x, ptr)                                              \
	({                                                            \
		__typeof__(*(ptr)) val_ = (x);                        \
		copy_to_user(ptr, &val_, sizeof(val_)) ? -EFAULT : 0; \
	})

#endif
