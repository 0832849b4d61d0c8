/* SPDX-License-Identifier: MIT */
/*
 * memfd.c - see memfd.h
 *
 * Invariants
 *   MI1  A store is on the list while one of its blocks is lent.  Its blocks do not overlap and all
 *        have the same order, that of the memfd's size when the first was lent, so a small one takes
 *        few addresses.
 *   MI2  block->used is the pages that went from 0 references to 1 and not back yet; a page does so
 *        under lock in the one direction, and tells of the other under lock.
 *   MI3  A block with no page used is on the list of idle ones, and only there; it is tried again
 *        before the next is lent.
 *
 * The system is asked under the lock to map and to close, which waits for nobody.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/falloc.h>
#include <linux/magic.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>
#include <linux/anon_inodes.h>
#include <linux/bug.h>
#include <linux/err.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/list.h>
#include <linux/memfd.h>
#include <linux/mm.h>
#include <linux/shmem_fs.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include "host/memfd.h"
#include "host/memory.h"
#include "host/port.h"

/* What a struct file of this kind has as private_data. */
struct opened {
	int fd; /* its own */
	dev_t dev;
	ino_t ino;
};

/* A memfd with pinned pages. */
struct store {
	struct list_head node; /* in stores */
	struct list_head blocks;
	int fd;           /* its own, to read and write */
	int read_only_fd; /* made when first asked for, else -1 */
	dev_t dev;
	ino_t ino;
	unsigned int order;
	unsigned int lent; /* blocks, idle ones too */
};

/* Some of its pages, in place of memory's. */
struct block {
	struct list_head node; /* in store->blocks or idle */
	struct store *store;
	struct page *page;   /* the first of 1 << store->order */
	unsigned long index; /* of that page in the memfd, pages; a multiple of their number */
	unsigned long used;
};

static DEFINE_SPINLOCK(lock);

/* Under lock, and so is all they hold. */
static LIST_HEAD(stores);
static LIST_HEAD(idle);

/* --- files ------------------------------------------------------------------------------------ */

static int memfd_release(struct inode *inode, struct file *file)
{
	struct opened *opened = file->private_data;

	close(opened->fd);
	kfree(opened);
	return 0;
}

static const struct file_operations memfd_fops = { .release = memfd_release };

bool shmem_file(const struct file *file)
{
	return file->f_op == &memfd_fops;
}

struct file *host_memfd_file(unsigned int fd)
{
	struct opened *opened;
	struct statfs system;
	struct file *file;
	struct stat st;
	int flags;

	if (fstatfs(fd, &system) || system.f_type != TMPFS_MAGIC)
		return NULL;
	opened = kzalloc(sizeof(*opened), GFP_KERNEL);
	if (!opened)
		return NULL;
	/* Another may have taken the number since: all answers are about the copy. */
	opened->fd = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	flags = fcntl(opened->fd, F_GETFL);
	if (flags < 0 || fstat(opened->fd, &st) || fstatfs(opened->fd, &system) ||
	    system.f_type != TMPFS_MAGIC || !S_ISREG(st.st_mode))
		goto close_fd;
	/* Empty for ever: a placeholder (linux/file.h), reserved or closed. */
	if (!st.st_size && fcntl(opened->fd, F_GET_SEALS) & F_SEAL_GROW)
		goto close_fd;
	opened->dev = st.st_dev;
	opened->ino = st.st_ino;
	file = anon_inode_getfile("memfd", &memfd_fops, opened, flags);
	if (IS_ERR(file))
		goto close_fd;
	i_size_write(file_inode(file), st.st_size);
	return file;

close_fd:
	if (opened->fd >= 0)
		close(opened->fd);
	kfree(opened);
	return NULL;
}

long memfd_fcntl(struct file *file, unsigned int cmd, unsigned int arg)
{
	const struct opened *opened = file->private_data;
	int ret;

	if (!shmem_file(file) || (cmd != F_GET_SEALS && cmd != F_ADD_SEALS))
		return -EINVAL;
	ret = fcntl(opened->fd, cmd, arg);
	return ret < 0 ? -errno : ret;
}

/* --- blocks ----------------------------------------------------------------------------------- */

/* All of this section runs under lock. */

static void store_end(struct store *store)
{
	list_del(&store->node);
	close(store->fd);
	if (store->read_only_fd >= 0)
		close(store->read_only_fd);
	kfree(store);
}

/* Give idle blocks back, as far as the system lets us. */
static void reap(void)
{
	struct block *block, *next;

	list_for_each_entry_safe(block, next, &idle, node) {
		if (host_memory_take_back(block->page, block->store->order))
			return;
		list_del(&block->node);
		if (!--block->store->lent)
			store_end(block->store);
		kfree(block);
	}
}

static struct store *store_find(const struct opened *opened)
{
	struct store *store;

	list_for_each_entry(store, &stores, node)
		if (store->dev == opened->dev && store->ino == opened->ino)
			return store;
	return NULL;
}

static struct store *store_make(const struct opened *opened, loff_t bytes)
{
	struct store *store = kzalloc(sizeof(*store), GFP_ATOMIC);
	int error;

	if (!store)
		return ERR_PTR(-ENOMEM);
	error = port_failure(PORT_FAULT_FD);
	store->fd = error ? -1 : fcntl(opened->fd, F_DUPFD_CLOEXEC, 0);
	if (store->fd < 0) {
		error = error ?: errno;
		kfree(store);
		return ERR_PTR(-error);
	}
	INIT_LIST_HEAD(&store->blocks);
	store->read_only_fd = -1;
	store->dev = opened->dev;
	store->ino = opened->ino;
	store->order = min(get_order(bytes), MAX_PAGE_ORDER);
	list_add(&store->node, &stores);
	return store;
}

static struct block *block_find(struct store *store, unsigned long index)
{
	struct block *block;

	index = ALIGN_DOWN(index, 1UL << store->order);
	list_for_each_entry(block, &store->blocks, node)
		if (block->index == index)
			return block;
	return NULL;
}

static struct block *block_make(struct store *store, unsigned long index)
{
	struct block *block = kzalloc(sizeof(*block), GFP_ATOMIC);
	struct page *page;

	if (!block)
		return ERR_PTR(-ENOMEM);
	block->store = store;
	block->index = ALIGN_DOWN(index, 1UL << store->order);
	page = host_memory_lend(store->order, store->fd, (off_t)block->index << PAGE_SHIFT);
	if (IS_ERR(page)) {
		kfree(block);
		return ERR_CAST(page);
	}
	block->page = page;
	for (unsigned long i = 0; i < 1UL << store->order; i++) {
		page[i].mapping = block;
		page[i].index = block->index + i;
		page[i].private = 0;
	}
	store->lent++;
	list_add(&block->node, &store->blocks);
	return block;
}

/* No page of it is used any more, or none ever was. */
static void block_rest(struct block *block)
{
	list_move_tail(&block->node, &idle);
	reap();
}

static void page_pin(struct block *block, struct page *page)
{
	if (atomic_inc_not_zero(&page->_refcount))
		return;
	block->used++;
	if (host_page_alloc_hook)
		host_page_alloc_hook(page, 0);
	atomic_set(&page->_refcount, 1);
}

static void page_unpinned(struct page *page)
{
	struct block *block = page->mapping;

	if (!--block->used)
		block_rest(block);
}

static struct block *block_get(const struct opened *opened, loff_t bytes, unsigned long index)
{
	struct store *store = store_find(opened);
	struct block *block;

	if (!store)
		store = store_make(opened, bytes);
	if (IS_ERR(store))
		return ERR_CAST(store);
	block = block_find(store, index);
	if (!block)
		block = block_make(store, index);
	if (IS_ERR(block) && !store->lent)
		store_end(store);
	return block;
}

/* --- pins ------------------------------------------------------------------------------------- */

static int pin_pages(const struct opened *opened, loff_t bytes, unsigned long first,
		     struct folio **folios, unsigned int count)
{
	struct block *block = NULL;
	int ret = 0;

	spin_lock(&lock);
	reap();
	for (unsigned int i = 0; i < count; i++) {
		unsigned long index = first + i;

		if (!block || index - block->index >= 1UL << block->store->order)
			block = block_get(opened, bytes, index);
		if (IS_ERR(block)) {
			ret = PTR_ERR(block);
			while (i--)
				if (atomic_dec_and_test(&folios[i]->page._refcount))
					page_unpinned(&folios[i]->page);
			break;
		}
		folios[i] = page_folio(block->page + (index - block->index));
		page_pin(block, &folios[i]->page);
	}
	spin_unlock(&lock);
	return ret;
}

long memfd_pin_folios(struct file *memfd, loff_t start, loff_t end, struct folio **folios,
		      unsigned int max_folios, pgoff_t *offset)
{
	const struct opened *opened;
	unsigned long first = start >> PAGE_SHIFT, count;
	struct stat st;
	int ret;

	might_sleep();
	if (start < 0 || start > end || !max_folios || !memfd || !shmem_file(memfd))
		return -EINVAL;
	opened = memfd->private_data;
	if (fstat(opened->fd, &st))
		return -errno;
	if (end >= st.st_size)
		return -EINVAL;
	if ((memfd->f_mode & (FMODE_READ | FMODE_WRITE)) != (FMODE_READ | FMODE_WRITE))
		return -EACCES;
	count = min_t(unsigned long, (end >> PAGE_SHIFT) - first + 1, max_folios);
	/* Memory for holes, or a later touch would be what finds that there is none. */
	if (port_fallocate(opened->fd, FALLOC_FL_KEEP_SIZE, (off_t)first << PAGE_SHIFT,
			   min_t(off_t, (off_t)count << PAGE_SHIFT,
				 st.st_size - ((off_t)first << PAGE_SHIFT))))
		return -errno;
	ret = pin_pages(opened, st.st_size, first, folios, count);
	if (ret)
		return ret;
	*offset = offset_in_page(start);
	return count;
}

void unpin_folio(struct folio *folio)
{
	folio_put(folio);
}

void unpin_folios(struct folio **folios, unsigned long nfolios)
{
	while (nfolios--)
		unpin_folio(*folios++);
}

void host_memfd_put(struct page *page)
{
	spin_lock(&lock);
	page_unpinned(page);
	spin_unlock(&lock);
}

int host_memfd_source(const struct page *page, bool read_only, off_t *offset)
{
	struct store *store = ((struct block *)page->mapping)->store;
	char path[64];
	int fd;

	*offset = (off_t)page->index << PAGE_SHIFT;
	if (!read_only)
		return store->fd;
	spin_lock(&lock);
	fd = store->read_only_fd;
	if (fd < 0) {
		snprintf(path, sizeof(path), "/proc/self/fd/%d", store->fd);
		fd = port_open(path, O_RDONLY | O_CLOEXEC);
		store->read_only_fd = fd < 0 ? -1 : fd;
		fd = fd < 0 ? -errno : fd;
	}
	spin_unlock(&lock);
	return fd;
}

void host_memfd_fini(bool leave)
{
	struct store *store, *next;

	if (leave)
		spin_lock_init(&lock);
	spin_lock(&lock);
	if (leave) {
		/* Blocks are not freed: their pages are in memory that goes. */
		list_for_each_entry_safe(store, next, &stores, node)
			store_end(store);
		INIT_LIST_HEAD(&idle);
	}
	reap();
	spin_unlock(&lock);
}
