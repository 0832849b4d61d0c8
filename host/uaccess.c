/* SPDX-License-Identifier: MIT */
/*
 * uaccess.c - copies that a wrong pointer cannot crash
 */
#include <errno.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>
#include <linux/err.h>
#include <linux/kernel.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/uaccess.h>

/* Returns the bytes copied. */
static size_t copy(void *to, const void *from, size_t n, bool read)
{
	struct iovec local = { .iov_base = read ? to : (void *)from, .iov_len = n };
	struct iovec remote = { .iov_base = read ? (void *)from : to, .iov_len = n };
	ssize_t done;

	done = read ? process_vm_readv(getpid(), &local, 1, &remote, 1, 0)
		    : process_vm_writev(getpid(), &local, 1, &remote, 1, 0);
	if (done >= 0)
		return done;
	if (errno == EFAULT)
		return 0;
	/* Forbidden here, whatever the pointer is. */
	memcpy(to, from, n);
	return n;
}

unsigned long copy_from_user(void *to, const void __user *from, unsigned long n)
{
	size_t done;

	might_sleep();
	done = copy(to, (const void __force *)from, n, true);
	memset((char *)to + done, 0, n - done);
	return n - done;
}

unsigned long copy_to_user(void __user *to, const void *from, unsigned long n)
{
	might_sleep();
	return n - copy((void __force *)to, from, n, false);
}

int copy_struct_from_user(void *dst, size_t ksize, const void __user *src, size_t usize)
{
	size_t known = min(ksize, usize);
	char rest[64];

	memset((char *)dst + known, 0, ksize - known);
	if (copy_from_user(dst, src, known))
		return -EFAULT;
	for (size_t at = known; at < usize; at += sizeof(rest)) {
		size_t len = min(usize - at, sizeof(rest));

		if (copy_from_user(rest, (const char __user *)src + at, len))
			return -EFAULT;
		if (memchr_inv(rest, 0, len))
			return -E2BIG;
	}
	return 0;
}

void *memdup_user(const void __user *src, size_t len)
{
	void *p = kmalloc(len, GFP_KERNEL);

	if (!p)
		return ERR_PTR(-ENOMEM);
	if (len && copy_from_user(p, src, len)) {
		kfree(p);
		return ERR_PTR(-EFAULT);
	}
	return p;
}

char *strndup_user(const char __user *s, long n)
{
	char *text;
	size_t have;

	if (n <= 0)
		return ERR_PTR(-EINVAL);
	text = kmalloc(n, GFP_KERNEL);
	if (!text)
		return ERR_PTR(-ENOMEM);
	/* The string may end well before @n bytes, and memory right after it. */
	have = n - copy_from_user(text, s, n);
	if (memchr(text, 0, have))
		return text;
	kfree(text);
	return ERR_PTR(have == n ? -EINVAL : -EFAULT);
}
