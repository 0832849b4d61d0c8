/* SPDX-License-Identifier: MIT */
/*
 * path.c - the names of devices: what a program that opens, looks at or lists them finds
 *
 * A name is compared as text, after . and .. and what it is relative to: a symbolic link to a device
 * is not seen through.  Whatever is not ours the system answers.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/dma-buf.h>
#include <linux/err.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/kernel.h>
#include <linux/mm.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "host/seq.h"
#include "userdev/listener.h"
#include "userdev/supervisor.h"
#include "userdev/sw-sync.h"
#include "userdev/usage.h"

/* Longer ones are none of ours. */
#define PATH_MOST 256

enum place {
	PLACE_ELSEWHERE,
	PLACE_HEAPS, /* the folder */
	PLACE_HEAP,
	PLACE_UDMABUF,
	PLACE_SW_SYNC,
	PLACE_FDINFO,
	PLACE_OUTSIDE, /* the system's, but by a way through our folder */
};

struct name {
	enum place place;
	char file[PATH_MOST]; /* of ours, that stands for it */
	unsigned int index;   /* of a heap */
	pid_t pid;            /* of an fdinfo */
	int fd;
};

/* What a call that takes a path was asked. */
struct question {
	int folder; /* what the path is relative to */
	u64 path;
	enum { OPEN, STAT, STATX, ACCESS, GETXATTR, LISTXATTR } what;
	unsigned int flags; /* of open */
	u64 to;             /* where the answer goes */
	unsigned int mode;  /* of access */
};

/* --- which name ------------------------------------------------------------------------------- */

/* Append the parts of @path to @to, which has none or begins with '/'. */
static bool append(char *to, const char *path)
{
	while (*path) {
		size_t part = strcspn(path, "/"), have = strlen(to);

		if (part == 2 && !strncmp(path, "..", 2)) {
			char *last = strrchr(to, '/');

			if (last)
				*last = '\0';
		} else if (part && !(part == 1 && *path == '.')) {
			if (have + part + 2 > PATH_MOST)
				return false;
			to[have] = '/';
			memcpy(to + have + 1, path, part);
			to[have + 1 + part] = '\0';
		}
		path += part + (path[part] == '/');
	}
	return true;
}

static bool may_be_ours(const char *path)
{
	return strstr(path, "dma_heap") || strstr(path, "udmabuf") || strstr(path, "sw_sync") ||
	       strstr(path, "fdinfo/");
}

static bool absolute(const struct call *call, int folder, const char *path, char *to)
{
	char link[64], base[PATH_MOST];
	ssize_t len;

	to[0] = '\0';
	if (path[0] != '/') {
		if (folder == AT_FDCWD)
			snprintf(link, sizeof(link), "/proc/%d/cwd", call->tid);
		else
			snprintf(link, sizeof(link), "/proc/%d/fd/%d", call->tid, folder);
		len = readlink(link, base, sizeof(base) - 1);
		if (len <= 0 || base[0] != '/')
			return false;
		base[len] = '\0';
		if (!append(to, base))
			return false;
	}
	return append(to, path);
}

/* /proc/PID/fdinfo/FD and /proc/PID/task/TID/fdinfo/FD */
static bool is_fdinfo(const struct call *call, const char *path, struct name *name)
{
	const char *info = strstr(path, "/fdinfo/");
	const char *part = info;
	char *end;

	if (!info || strncmp(path, "/proc/", 6))
		return false;
	name->fd = strtol(info + 8, &end, 10);
	if (*end || end == info + 8)
		return false;
	while (part > path && part[-1] != '/')
		part--;
	if (!strncmp(part, "self/", 5) || !strncmp(part, "thread-self/", 12))
		name->pid = call->tid;
	else
		name->pid = atoi(part);
	return name->pid > 0;
}

/* @text is what the program said, @path what it means. */
static void classify(struct supervisor *s, const struct call *call, const char *text,
		     const char *path, struct name *name)
{
	const char *below = path;

	if (!strcmp(path, "/sys/kernel/debug/sync/sw_sync") || !strcmp(path, "/dev/sw_sync")) {
		name->place = PLACE_SW_SYNC;
		snprintf(name->file, PATH_MOST, "%s/sw_sync", s->folder);
	} else if (!strcmp(path, "/dev/udmabuf")) {
		name->place = PLACE_UDMABUF;
		snprintf(name->file, PATH_MOST, "%s/udmabuf", s->folder);
	} else if (!strcmp(path, "/dev/dma_heap")) {
		name->place = PLACE_HEAPS;
		snprintf(name->file, PATH_MOST, "%s/dma_heap", s->folder);
	} else if (!strncmp(path, "/dev/dma_heap/", 14)) {
		below += 14;
		for (unsigned int i = 0; i < s->heap_count; i++) {
			if (strcmp(below, s->heaps[i].name))
				continue;
			name->place = PLACE_HEAP;
			name->index = i;
			snprintf(name->file, PATH_MOST, "%s/dma_heap/%s", s->folder,
				 s->heaps[i].name);
		}
	} else if (is_fdinfo(call, path, name)) {
		name->place = PLACE_FDINFO;
	} else if (strstr(text, "/dma_heap/..")) {
		name->place = PLACE_OUTSIDE;
		strscpy(name->file, path, PATH_MOST);
	}
}

/* --- open ------------------------------------------------------------------------------------- */

static long open_device(const struct call *call, const struct name *name, unsigned int flags)
{
	int fd, ret;

	if ((flags & (O_CREAT | O_EXCL)) == (O_CREAT | O_EXCL))
		return -EEXIST;
	if (flags & O_DIRECTORY && name->place != PLACE_HEAPS)
		return -ENOTDIR;
	flags &= O_ACCMODE | O_NONBLOCK | O_DIRECTORY | O_PATH | O_CLOEXEC;
	fd = open(name->file, (int)(flags | O_CLOEXEC));
	if (fd < 0)
		return -errno;
	ret = call_return_fd(call, fd, flags);
	close(fd);
	return ret;
}

static long open_timeline(struct supervisor *s, const struct call *call, unsigned int flags)
{
	char path[64], name[32] = "";
	struct file *file;
	FILE *comm;

	snprintf(path, sizeof(path), "/proc/%d/comm", call->tid);
	comm = fopen(path, "re");
	if (comm) {
		if (fgets(name, sizeof(name), comm))
			name[strcspn(name, "\n")] = '\0';
		fclose(comm);
	}
	file = sw_sync_open(name);
	if (IS_ERR(file))
		return PTR_ERR(file);
	s->done.timelines++;
	return give_object(s, call, OBJECT_TIMELINE, file, flags);
}

static void show_buffer(struct seq_file *m, void *data)
{
	struct file *file = data;

	seq_printf(m, "pos:\t0\nflags:\t0%o\nmnt_id:\t1\nino:\t%lu\n", file->f_flags,
		   file_inode(file)->i_ino);
	if (file->f_op->show_fdinfo)
		file->f_op->show_fdinfo(m, file);
}

/* Returns 1 for what the system is to answer. */
static long open_fdinfo(struct supervisor *s, const struct call *call, const struct name *name,
			unsigned int flags)
{
	struct call of = *call;
	struct object *object;
	struct stat st;
	size_t len;
	char *text;
	int fd, ret;

	of.tid = name->pid;
	if (call_stat(&of, name->fd, &st))
		return 1;
	object = objects_find(&s->objects, &st);
	if (!object || !object->file || (flags & O_ACCMODE) != O_RDONLY)
		return 1;
	text = host_seq_text(show_buffer, object->file, &len);
	if (IS_ERR(text))
		return PTR_ERR(text);
	fd = memfd_create("fdinfo", MFD_CLOEXEC);
	ret = fd < 0 ? -errno : 0;
	if (!ret && (write(fd, text, len) != (ssize_t)len || lseek(fd, 0, SEEK_SET)))
		ret = -ENOMEM;
	kvfree(text);
	if (!ret)
		ret = call_return_fd(call, fd, flags);
	if (fd >= 0)
		close(fd);
	return ret;
}

/* --- what it looks like ----------------------------------------------------------------------- */

static void as_device(const struct name *name, unsigned int *mode, unsigned int *major_,
		      unsigned int *minor_)
{
	if (name->place == PLACE_HEAP || name->place == PLACE_UDMABUF) {
		*mode = S_IFCHR | 0600;
		*major_ = name->place == PLACE_HEAP ? 251 : 10;
		*minor_ = name->place == PLACE_HEAP ? name->index : 125;
	} else if (name->place == PLACE_HEAPS) {
		*mode = S_IFDIR | 0755;
	}
}

/* A file that is a device is one to who looks at it, too. */
static long stat_device(const struct call *call, const struct question *asked,
			const struct name *name)
{
	unsigned int mode = S_IFREG | 0644, major_ = 0, minor_ = 0;
	struct statx all;
	struct stat st;

	as_device(name, &mode, &major_, &minor_);
	if (asked->what == STATX) {
		if (statx(AT_FDCWD, name->file, 0, STATX_BASIC_STATS, &all))
			return -errno;
		if (name->place != PLACE_OUTSIDE) {
			all.stx_mode = mode;
			all.stx_rdev_major = major_;
			all.stx_rdev_minor = minor_;
		}
		return call_write(call, asked->to, &all, sizeof(all));
	}
	if (stat(name->file, &st))
		return -errno;
	if (name->place != PLACE_OUTSIDE) {
		st.st_mode = mode;
		st.st_rdev = makedev(major_, minor_);
	}
	return call_write(call, asked->to, &st, sizeof(st));
}

static long answer(struct supervisor *s, const struct call *call, const struct question *asked,
		   const struct name *name)
{
	switch (asked->what) {
	case OPEN:
		if (name->place == PLACE_FDINFO)
			return open_fdinfo(s, call, name, asked->flags);
		if (name->place == PLACE_SW_SYNC && !(asked->flags & O_PATH))
			return open_timeline(s, call, asked->flags);
		return open_device(call, name, asked->flags);
	case ACCESS:
		return asked->mode & X_OK && name->place != PLACE_HEAPS ? -EACCES : 0;
	case GETXATTR:
		return -ENODATA;
	case LISTXATTR:
		return 0;
	default:
		return stat_device(call, asked, name);
	}
}

/* --- the calls -------------------------------------------------------------------------------- */

static bool understand(const struct call *call, struct question *asked)
{
	const u64 *args = call->args;
	u64 how;

	*asked = (struct question){ .folder = (int)args[0], .path = args[1] };
	switch (call->nr) {
	case SYS_openat:
		asked->flags = args[2];
		return true;
	case SYS_openat2:
		if (args[3] < sizeof(how) || call_read(call, args[2], &how, sizeof(how)))
			return false;
		asked->flags = how;
		return true;
	case SYS_newfstatat:
		asked->what = STAT;
		asked->to = args[2];
		return true;
	case SYS_statx:
		asked->what = STATX;
		asked->to = args[4];
		return true;
	case SYS_faccessat:
	case SYS_faccessat2:
		asked->what = ACCESS;
		asked->mode = args[2];
		return true;
	case SYS_getxattr:
	case SYS_lgetxattr:
		asked->what = GETXATTR;
		break;
	case SYS_listxattr:
	case SYS_llistxattr:
		asked->what = LISTXATTR;
		break;
#ifdef __x86_64__
	case SYS_open:
	case SYS_creat:
		asked->flags = call->nr == SYS_open ? args[1] : O_WRONLY | O_CREAT | O_TRUNC;
		break;
	case SYS_stat:
	case SYS_lstat:
		asked->what = STAT;
		asked->to = args[1];
		break;
	case SYS_access:
		asked->what = ACCESS;
		asked->mode = args[1];
		break;
#endif
	default:
		return false;
	}
	asked->folder = AT_FDCWD;
	asked->path = args[0];
	return true;
}

void serve_path(struct supervisor *s, const struct call *call)
{
	char text[PATH_MOST], path[PATH_MOST];
	struct name name = { .place = PLACE_ELSEWHERE };
	struct question asked;
	ssize_t len = -1;
	long ret = 1;

	if (understand(call, &asked))
		len = call_read_string(call, asked.path, text, sizeof(text));
	if (len > 0 && memchr(text, 0, len) && may_be_ours(text) &&
	    absolute(call, asked.folder, text, path))
		classify(s, call, text, path, &name);
	if (name.place != PLACE_ELSEWHERE && (name.place != PLACE_FDINFO || asked.what == OPEN)) {
		objects_reap(&s->objects);
		ret = answer(s, call, &asked, &name);
		usage_trace(s, call, NULL, path, ret);
	}
	if (ret == 1 && (name.place == PLACE_ELSEWHERE || name.place == PLACE_FDINFO))
		call_proceed(call);
	else
		call_return(call, ret);
}
