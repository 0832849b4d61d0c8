/* SPDX-License-Identifier: MIT */
/*
 * doctor.c - see doctor.h
 *
 * Each is tried, not looked up: a container's rules are nowhere to be read.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/kcmp.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "userdev/doctor.h"
#include "userdev/filter.h"
#include "userdev/run.h"

/* What is tried on a child that waits; 0 or the errno. */
static int on_child(int (*try)(pid_t child))
{
	int ends[2], ret;
	pid_t child;
	char byte;

	if (pipe2(ends, O_CLOEXEC))
		return errno;
	child = fork();
	if (!child) {
		close(ends[1]);
		_exit(read(ends[0], &byte, 1) != 0);
	}
	close(ends[0]);
	ret = child < 0 ? errno : try(child);
	close(ends[1]);
	if (child > 0) {
		kill(child, SIGKILL);
		waitpid(child, NULL, __WALL);
	}
	return ret;
}

/* Linux 5.14 knows how, and finds no call of that id. */
static int try_answer_with_fd(int listener)
{
	struct seccomp_notif_addfd add = { .id = ~0ull, .flags = SECCOMP_ADDFD_FLAG_SEND };

	add.srcfd = listener;
	ioctl(listener, SECCOMP_IOCTL_NOTIF_ADDFD, &add);
	return errno == ENOENT ? 0 : ENOSYS;
}

static int try_filter(void)
{
	pid_t child = fork();
	int status = 0, ret;

	if (!child) {
		ret = filter_install(false);
		_exit(ret < 0 ? -ret : try_answer_with_fd(ret));
	}
	return child > 0 && waitpid(child, &status, 0) == child ? WEXITSTATUS(status) : errno;
}

static int read_child(pid_t child)
{
	static char there = 1;
	char here = 0;
	struct iovec local = { &here, 1 }, remote = { &there, 1 };

	return process_vm_readv(child, &local, 1, &remote, 1, 0) == 1 ? 0 : errno;
}

static int take_of_child(pid_t child)
{
	int process = syscall(SYS_pidfd_open, child, 0);
	int fd = process < 0 ? -1 : syscall(SYS_pidfd_getfd, process, 2, 0), error = errno;

	if (fd >= 0)
		close(fd);
	if (process >= 0)
		close(process);
	return fd >= 0 ? 0 : error;
}

static int stop_child(pid_t child)
{
	return ptrace(PTRACE_SEIZE, child, NULL, NULL) ? errno : 0;
}

static int try_read(void)
{
	return on_child(read_child);
}

static int try_take(void)
{
	return on_child(take_of_child);
}

static int try_stop(void)
{
	return on_child(stop_child);
}

static int try_watch(void)
{
	int memfd = memfd_create("doctor", MFD_CLOEXEC), watches = inotify_init1(IN_CLOEXEC),
	    ret = 0;
	char path[64];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", memfd);
	if (memfd < 0 || watches < 0 || inotify_add_watch(watches, path, IN_CLOSE) < 0)
		ret = errno;
	if (memfd >= 0)
		close(memfd);
	if (watches >= 0)
		close(watches);
	return ret;
}

static int try_lease(void)
{
	int memfd = memfd_create("doctor", MFD_CLOEXEC), counted, ret = 0;
	char path[64];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", memfd);
	counted = open(path, O_RDWR | O_CLOEXEC);
	if (memfd < 0 || counted < 0 || fcntl(counted, F_SETLEASE, F_WRLCK))
		ret = errno;
	if (memfd >= 0)
		close(memfd);
	if (counted >= 0)
		close(counted);
	return ret;
}

static int try_kcmp(void)
{
	return syscall(SYS_kcmp, getpid(), getpid(), KCMP_FILE, 2, 2) < 0 ? errno : 0;
}

static int try_folder(void)
{
	static const char *const places[] = { "/dev/shm", "/tmp", "/var/tmp" };

	for (size_t i = 0; i < sizeof(places) / sizeof(*places); i++)
		if (!access(places[i], W_OK | X_OK))
			return 0;
	return errno;
}

static int try_preload(void)
{
	return run_preload() ? 0 : ENOENT;
}

static const struct {
	const char *what, *without;
	int (*try)(void);
	bool needed;
} things[] = {
	{ "seccomp user notification", "there is no run (Linux 5.14; not inside another run)",
	  try_filter, true },
	{ "reading a child's memory", "there is no run (process_vm_readv)", try_read, true },
	{ "watches on memfds", "there is no run (inotify; fs.inotify.max_user_watches)", try_watch,
	  true },
	{ "a folder for devices' files", "there is no run (/dev/shm, /tmp or /var/tmp)", try_folder,
	  true },
	{ "a child's descriptors", "no udmabuf, no buffer in an epoll set (pidfd_getfd)", try_take,
	  false },
	{ "stopping a child", "a udmabuf can be made and not mapped (ptrace)", try_stop, false },
	{ "leases on memfds",
	  "a buffer that was opened once more through /proc stays until the run ends (F_SETLEASE)",
	  try_lease, false },
	{ "comparing descriptors", "a buffer in an epoll set can be added only once (kcmp)",
	  try_kcmp, false },
	{ "the part that is preloaded",
	  "all programs cost what static ones do, and poll() of a buffer "
	  "is always ready",
	  try_preload, false },
};

static unsigned long long watches_most(void)
{
	FILE *file = fopen("/proc/sys/fs/inotify/max_user_watches", "re");
	unsigned long long most = 0;

	if (file) {
		if (fscanf(file, "%llu", &most) != 1)
			most = 0;
		fclose(file);
	}
	return most;
}

int run_doctor(void)
{
	static const char *const devices[] = { "/dev/dma_heap", "/dev/udmabuf",
					       "/sys/kernel/debug/sync/sw_sync" };
	struct rlimit limit = {};
	bool possible = true;
	int missing = 0;

	for (size_t i = 0; i < sizeof(devices) / sizeof(*devices); i++)
		printf("%-4s %-32s %s\n", access(devices[i], F_OK) ? "no" : "yes", devices[i],
		       access(devices[i], F_OK) ? "a run provides it"
						: "the machine's own; hidden in a run");
	for (size_t i = 0; i < sizeof(things) / sizeof(*things); i++) {
		int error = things[i].try();

		if (error) {
			missing++;
			possible &= !things[i].needed;
			printf("%-4s %-32s %s: %s\n", "no", things[i].what, strerror(error),
			       things[i].without);
		} else {
			printf("%-4s %s\n", "yes", things[i].what);
		}
	}
	getrlimit(RLIMIT_NOFILE, &limit);
	printf("     at most %llu buffers at once (descriptors of a process), of all runs together "
	       "%llu "
	       "(fs.inotify.max_user_watches)\n",
	       (unsigned long long)limit.rlim_max, watches_most());
	return possible ? missing : -1;
}
