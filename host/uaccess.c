/* SPDX-License-Identifier: MIT */
/*
 * uaccess.c - copies that a wrong pointer cannot crash
 *
 * Invariants
 *   1  The kernel reads or writes at the program's pointer, never this code: a wrong one is EFAULT.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>
#include <linux/err.h>
#include <linux/kernel.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/uaccess.h>
#include "host/port.h"

/*
 * Through a pipe, where a process may not name its own memory (a sandbox; an emulator).  Pieces end
 * at pages of the program's pointer, since the kernel copies such a piece whole or not at all.
 */
static size_t copy_by_pipe(void *to, const void *from, size_t n, const void *user)
{
	size_t done = 0;
	int ends[2];

	if (pipe2(ends, O_CLOEXEC))
		return 0;
	while (done < n) {
		size_t page = PAGE_SIZE - offset_in_page((const char *)user + done);
		size_t piece = min(n - done, page);

		if (write(ends[1], (const char *)from + done, piece) != (ssize_t)piece ||
		    read(ends[0], (char *)to + done, piece) != (ssize_t)piece)
			break;
		done += piece;
	}
	close(ends[0]);
	close(ends[1]);
	return done;
}

/* Returns the bytes copied. */
static size_t copy(void *to, const void *from, size_t n, bool read)
{
	struct iovec local = { .iov_base = read ? to : (void *)from, .iov_len = n };
	struct iovec remote = { .iov_base = read ? (void *)from : to, .iov_len = n };
	ssize_t done;

	if (n && port_should_fail(PORT_FAULT_COPY))
		return 0;
	done = read ? process_vm_readv(getpid(), &local, 1, &remote, 1, 0)
		    : process_vm_writev(getpid(), &local, 1, &remote, 1, 0);
	if (done >= 0)
		return done;
	if (errno == EFAULT)
		return 0;
	return copy_by_pipe(to, from, n, read ? from : to);
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
