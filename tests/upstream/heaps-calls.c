/* SPDX-License-Identifier: MIT */
/*
 * heaps-calls.c - what heaps-prelude.h puts in the place of the system's calls
 *
 * There are no folders in the library: the one of the heaps is two names.
 */
#include <errno.h>
#include <linux/err.h>
#include <linux/kernel.h>
#include <linux/string.h>

#include "drivers/exporters/heaps.h"
#include "host/file.h"
#include "tests/upstream/heaps-prelude.h"

static const char *const names[] = { ".", "..", "system", "default_cma_region" };
static size_t position[4]; /* of the folders that were opened last */

static int answer(long ret)
{
	if (ret >= 0)
		return ret;
	errno = -ret;
	return -1;
}

int heaps_open(const char *path, int flags)
{
	return answer(heaps_register() ?: host_open(path, flags));
}

int heaps_close(int fd)
{
	return answer(host_close(fd));
}

int heaps_ioctl(int fd, unsigned long request, void *argument)
{
	return answer(host_ioctl(fd, request, (unsigned long)argument));
}

void *heaps_mmap(void *addr, size_t length, int prot, int flags, int fd, off_t offset)
{
	void *mapped = host_mmap(fd, addr, length, prot, flags, offset);

	if (!IS_ERR(mapped))
		return mapped;
	errno = -PTR_ERR(mapped);
	return MAP_FAILED;
}

int heaps_munmap(void *addr, size_t length)
{
	return answer(host_munmap(addr, length));
}

DIR *heaps_opendir(const char *path)
{
	static unsigned int opened;
	size_t *at = &position[opened++ % ARRAY_SIZE(position)];

	*at = 0;
	return strcmp(path, "/dev/dma_heap") ? NULL : (DIR *)at;
}

struct dirent *heaps_readdir(DIR *dir)
{
	static struct dirent entry;
	size_t *at = (size_t *)dir;

	if (*at == ARRAY_SIZE(names))
		return NULL;
	strscpy(entry.d_name, names[(*at)++], sizeof(entry.d_name));
	return &entry;
}
