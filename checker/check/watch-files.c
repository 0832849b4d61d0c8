/* SPDX-License-Identifier: MIT */
/* watch-files.c - see watch-files.h */
#include <pthread.h>
#include <sys/stat.h>

#include <linux/file.h>

#include "checker/check/finding.h"
#include "checker/check/watch-files.h"
#include "checker/check/watch.h"
#include "host/file.h"

REAL(get_unused_fd_flags);

#define FILES 1024

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

/* Under lock, by number. */
static struct {
	unsigned long inode; /* of what the number stood for; 0: not the driver's */
	unsigned long nr;    /* the how many-th that was made, from 1 */
	struct check_stack stack;
} made[FILES];
static unsigned long last_nr;

/* 0: it is closed. A reserved number is a file of the system's already (<linux/file.h>). */
static unsigned long inode_of(int fd)
{
	struct stat st;

	return fstat(fd, &st) ? 0 : st.st_ino;
}

void watch_file_made(int fd)
{
	if (fd < 0 || fd >= FILES)
		return;
	pthread_mutex_lock(&lock);
	made[fd].inode = inode_of(fd);
	made[fd].nr = ++last_nr;
	check_stack_take(&made[fd].stack);
	pthread_mutex_unlock(&lock);
}

unsigned long watch_files_made(void)
{
	unsigned long nr;

	pthread_mutex_lock(&lock);
	nr = last_nr;
	pthread_mutex_unlock(&lock);
	return nr;
}

static bool is_open(int fd)
{
	struct file *file = host_fget(fd);

	if (file)
		fput(file);
	return file;
}

void watch_files_close(unsigned long made_before)
{
	for (int fd = 0; fd < FILES; fd++)
		if (made[fd].nr > made_before && made[fd].inode && inode_of(fd) == made[fd].inode &&
		    is_open(fd))
			host_close(fd);
}

void watch_files_left(void)
{
	for (int fd = 0; fd < FILES; fd++)
		if (made[fd].inode && inode_of(fd) == made[fd].inode)
			check_found_call(
				CHECK_BAL_12, NULL, &made[fd].stack, NULL,
				"a descriptor is still open, or reserved, when the driver is "
				"done: nobody has closed it");
}

int get_unused_fd_flags(unsigned int flags)
{
	int fd = real_get_unused_fd_flags(flags);

	watch_file_made(fd);
	return fd;
}
