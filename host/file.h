/* SPDX-License-Identifier: MIT */
/*
 * file.h - what a program does to the library's descriptors
 *
 * The system's calls reach only the placeholder (linux/file.h); these reach the file.  Each returns
 * -EBADF when the number is not a descriptor of ours, and means what the system's call of its name
 * means, with -errno in the place of errno.
 *
 * What of the system's own calls is noticed: close() when the number is next looked at or given
 * out; dup(), F_DUPFD and passing a descriptor over a socket inside this process, as long as the
 * number that was copied stays open: the copy is recognised by its inode.  munmap() when the
 * addresses are next given out by host_mmap().
 *
 * poll(), select() and epoll of the system are not answered: the placeholder is a memfd, which
 * poll() always calls ready and epoll refuses with EPERM.  An eventfd could be made readable on a
 * wake-up, but a file becomes unready without telling anybody (a buffer gets a new fence), so it
 * would lie afterwards; and eventfds share one inode, by which descriptors are told apart.
 */
#ifndef HOST_FILE_H
#define HOST_FILE_H

#include <linux/types.h>

struct file;
struct stat;

/**
 * host_fget - fget() of what the calls below serve: no file of the system's own
 * Context: may sleep.  Ownership: a reference of the caller's.  NULL where those say -EBADF.
 */
struct file *host_fget(unsigned int fd);

/**
 * host_open - open a character device or a debugging file of this process
 * @path: "/dev/NAME", where NAME is that of a device_create() or a misc device; or
 *	"/sys/kernel/debug/PATH", a file of <linux/debugfs.h>; or
 *	"/sys/devices/DEVICE/ATTRIBUTE" (<linux/sysfs.h>)
 * @flags: an access mode, O_NONBLOCK, O_CLOEXEC
 *
 * Context: may sleep.
 * Returns a descriptor; -ENOENT no such name; -ENXIO nobody serves its number; -EISDIR; -ENOMEM;
 * -EMFILE, -ENFILE;
 * what ->open() said.
 */
int host_open(const char *path, int flags);

/**
 * host_close - close @fd
 *
 * Context: may sleep.
 * Returns 0; -EBADF when @fd is not a descriptor of ours: it is then left alone.
 */
int host_close(int fd);

/**
 * host_close_all - close every descriptor of ours
 * @leave: a child after fork: only its numbers, the files are its parent's
 *
 * Context: may sleep; nobody opens meanwhile.  Copies the system made of them are the program's.
 */
void host_close_all(bool leave);

/**
 * host_dup - one more number for the same file, with O_CLOEXEC if @flags has it
 * Returns the number, or as get_unused_fd_flags() fails.
 */
int host_dup(int fd, int flags);

/**
 * host_ioctl - ->unlocked_ioctl() of the file
 * Returns what it returns; -ENOTTY without the operation.
 */
long host_ioctl(int fd, unsigned int cmd, unsigned long arg);

/**
 * host_read, host_write - at the file's position, which moves on
 * Returns bytes or -errno; -EBADF also when it was not opened for that; -EINVAL without the
 * operation.
 */
ssize_t host_read(int fd, void *buf, size_t len);
ssize_t host_write(int fd, const void *buf, size_t len);

/** host_lseek - ->llseek() of the file; -ESPIPE without the operation */
loff_t host_lseek(int fd, loff_t offset, int whence);

/** host_fstat - st_size, st_ino, st_rdev and st_mode of the file; all else is zero. Returns 0 */
int host_fstat(int fd, struct stat *st);

/**
 * host_fdinfo - the text of /proc/self/fdinfo/@fd: pos, flags and ino, then ->show_fdinfo()
 * @buf: gets at most @size bytes, its end included; may be NULL if @size is 0
 *
 * Returns the length of the whole text, as snprintf() does, or -errno: -ENOMEM.
 */
ssize_t host_fdinfo(int fd, char *buf, size_t size);

/**
 * host_poll - wait until one of @events holds
 * @events: EPOLLIN ...; EPOLLERR and EPOLLHUP are always waited for
 * @timeout_ms: 0 only asks, < 0 waits for ever
 *
 * Context: may sleep.  A file without ->poll() is always ready to read and write.
 * Returns the events that hold, 0 after @timeout_ms; -EINTR when a signal came (host/task.h);
 * -ENOMEM.
 */
int host_poll(int fd, __poll_t events, int timeout_ms);

/**
 * host_mmap - map @length bytes of the file at @offset
 * @hint: where, if those addresses are free; with MAP_FIXED in any case: what is there goes
 * @prot: PROT_READ, PROT_WRITE, PROT_EXEC
 * @flags: MAP_SHARED, MAP_SHARED_VALIDATE or MAP_PRIVATE, with MAP_FIXED or MAP_FIXED_NOREPLACE
 *
 * A MAP_SHARED mapping of a file that was not opened for writing can not be made writable by the
 * system's mprotect() either.
 * Context: may sleep.
 * Ownership: the mapping keeps the file until host_munmap().  It is one of the system's for each
 * run of pages contiguous in memory (vm.max_map_count).
 * Returns the address or ERR_PTR: -EINVAL for a length of 0, an offset or fixed address that is not
 * whole pages, other flags; -EACCES when @prot exceeds how the file was opened, or it was not
 * opened for reading; -EOVERFLOW; -ENODEV without ->mmap(); -EEXIST (MAP_FIXED_NOREPLACE); -ENOMEM;
 * what ->mmap() said.
 */
void *host_mmap(int fd, void *hint, size_t length, int prot, int flags, off_t offset);

/**
 * host_munmap - unmap [@addr, @addr + @length), whosever it is
 *
 * Context: may sleep.  A mapping it covers in part is split (linux/vm_area.h).
 * Returns 0; -EINVAL when @addr is not a page's or @length is 0; -ENOMEM: nothing is unmapped; what
 * ->may_split() said.
 */
int host_munmap(void *addr, size_t length);

#endif
