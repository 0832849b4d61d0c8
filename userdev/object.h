/* SPDX-License-Identifier: MIT */
/*
 * object.h - what a program's descriptors stand for
 *
 * A program holds real descriptors of the system's: a device's is a file in a folder of the run's, a
 * buffer's is a memfd, a timeline's and a sync_file's the reading end of a pipe.  So dup(), fork(),
 * exec() and SCM_RIGHTS need nobody's help; memory is ordinary shared memory; and poll(), select()
 * and epoll of a sync_file are the system's own, for a byte is in its pipe once its fence has
 * signaled.  Behind each stands a file of the core's, found by the descriptor's device and inode.
 *
 * Invariants
 *   OB1  An object is in the table from before its descriptor is given to a program until the last
 *        copy of it, and the last mapping, is gone: of a pipe the other end tells that, of a memfd a
 *        watch.  Until then we hold its inode, so the number means nothing else.
 *   OB2  Of a buffer's memfd that a program opened once more, through /proc, a watch cannot count the
 *        descriptions: after each close the system is asked whether only we have it open, and again
 *        when objects_reap() is called.  Where the system gives no lease on a memfd, or there was no
 *        descriptor left for asking, it is kept until the run ends.  Linux refuses such an open.
 *   OB3  The pipe of a sync_file has a byte from the signal of its fence on, never before.
 *   OB4  An object owns one reference of its file.
 */
#ifndef USERDEV_OBJECT_H
#define USERDEV_OBJECT_H

#include <linux/dma-fence.h>
#include <linux/list.h>
#include <linux/types.h>
#include <sys/stat.h>

struct call;
struct dma_buf;
struct file;

enum object_kind { OBJECT_HEAP, OBJECT_UDMABUF, OBJECT_BUFFER, OBJECT_TIMELINE, OBJECT_SYNC_FILE };

struct object {
	/* constant from creation on */
	enum object_kind kind;
	unsigned long key;
	struct file *file; /* the core's; NULL: a device */
	unsigned int heap; /* a heap's device: which */
	int fd;            /* a buffer's memfd; a pipe's writing end; of a device -1 */
	int watch;         /* of a memfd */
	unsigned int id;   /* 1, 2, ... in the order of creation */
	pid_t creator;

	struct list_head node;      /* in objects.all */
	struct hlist_node of_key;   /* in objects.by_key */
	struct hlist_node of_watch; /* in objects.by_watch, while .watch >= 0 */

	/* sync_files */
	struct dma_fence *fence;
	struct dma_fence_cb signaled;

	/* buffers */
	bool reopened;
	int counted; /* once it is: the one description of ours that the system counts */
	struct list_head doubtful; /* in objects.doubtful: reopened, and closed since */
	bool fd_is_memory; /* it is the exporter's; else a udmabuf, whose memory is elsewhere */
	bool is_pending;   /* has an unsignaled fence */
	struct list_head pending; /* in supervisor.pending */
	u64 ino;                  /* of its memfd */
	struct list_head users;   /* usage.c */
	char name[32];            /* that SET_NAME gave */
};

/* Their numbers are given out one after the other, so they spread by themselves. */
#define OBJECTS_ROWS 4096u

struct objects {
	struct hlist_head by_key[OBJECTS_ROWS], by_watch[OBJECTS_ROWS];
	struct list_head all;
	struct list_head doubtful;   /* as long as it is not empty, reap once a second */
	dev_t memfds, pipes, folder; /* the three devices there are */
	int ends;                    /* epoll: something may have ended */
	int inotify;
	unsigned int last_id;
	bool signaled; /* a fence has, since somebody cleared it */

	/* told before a buffer's object goes; NULL: nobody */
	void (*on_end)(struct objects *objects, struct object *object);
};

/**
 * objects_init - no objects yet; from here on the working directory is /proc/self/fd
 * @folder: a path on the filesystem where devices' files are
 * Returns 0 or -errno.  objects_fini - forget all; the last to use the core.
 */
int objects_init(struct objects *objects, const char *folder);
void objects_fini(struct objects *objects);

/** objects_reap - forget the objects whose last copy a program has closed */
void objects_reap(struct objects *objects);

/** objects_find - what @st, of a program's descriptor, stands for, or NULL */
struct object *objects_find(struct objects *objects, const struct stat *st);

/**
 * object_add_device - the file @path is a device
 * @heap: which one a heap is
 * Returns 0 or -errno.
 */
int object_add_device(struct objects *objects, enum object_kind kind, const char *path,
		      unsigned int heap);

/**
 * object_add - a new object and a descriptor of ours that is for the program
 * @file: a dma-buf's, a timeline's, a sync_file's; the object takes it over, also on failure
 * @given: set to the descriptor; the caller closes it, after it gave it away or failed to.  Then, and
 * not before, may the object be found to be gone
 *
 * Returns the object or ERR_PTR: -ENOMEM, -EMFILE, -ENOSPC (no watch left).
 */
struct object *object_add(struct objects *objects, enum object_kind kind, struct file *file,
			  pid_t creator, int flags, int *given);

/** object_buffer - the dma-buf of a buffer's object */
struct dma_buf *object_buffer(const struct object *object);

#endif
