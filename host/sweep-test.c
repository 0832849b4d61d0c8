/* SPDX-License-Identifier: MIT */
/*
 * sweep-test.c - the first use of everything that is made at first use, failing at each point
 *
 * Descriptors, the arena, threads and mappings.  Each run has a process of its own.
 */
#include <sys/mman.h>

#include <linux/anon_inodes.h>
#include <linux/completion.h>
#include <linux/err.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/jiffies.h>
#include <linux/kthread.h>
#include <linux/mm.h>
#include <linux/poll.h>
#include <linux/rcupdate.h>
#include <linux/slab.h>
#include <linux/timer.h>
#include <linux/vmalloc.h>
#include <linux/workqueue.h>

#include "host/file.h"
#include "tests/ktap.h"
#include "tests/sweep.h"

#define PAGES 4

static int pages(unsigned int variant)
{
	struct page *page = alloc_pages(GFP_KERNEL | __GFP_ZERO, variant);
	u8 *bytes;

	if (!page)
		return -ENOMEM;
	bytes = page_address(page);
	bytes[0] = bytes[(PAGE_SIZE << variant) - 1] = 7;
	__free_pages(page, variant);
	return 0;
}

static int put_pages(struct page **page, unsigned int have, int ret)
{
	while (have)
		__free_page(page[--have]);
	return ret;
}

/* Every second page, so that each is a mapping of its own. */
static int scattered_vmap(unsigned int variant)
{
	struct page *page[2 * PAGES], *scattered[PAGES];
	u8 *at;
	int ret = 0;

	for (unsigned int i = 0; i < 2 * PAGES; i++) {
		page[i] = alloc_page(GFP_KERNEL);
		if (!page[i])
			return put_pages(page, i, -ENOMEM);
		scattered[i / 2] = page[i];
	}
	at = vmap(scattered, PAGES, VM_MAP, PAGE_KERNEL);
	if (!at)
		return put_pages(page, 2 * PAGES, -ENOMEM);
	for (unsigned int i = 0; i < PAGES; i++) {
		at[i * PAGE_SIZE] = i + 1;
		if (*(u8 *)page_address(scattered[i]) != i + 1)
			ret = SWEEP_WRONG_BYTES;
	}
	vunmap(at);
	return put_pages(page, 2 * PAGES, ret);
}

static int virtual_memory(unsigned int variant)
{
	u8 *bytes = vzalloc(PAGES * PAGE_SIZE);
	int ret;

	if (!bytes)
		return -ENOMEM;
	ret = bytes[PAGES * PAGE_SIZE - 1] ? SWEEP_WRONG_BYTES : 0;
	vfree(bytes);
	return ret;
}

/* --- files ------------------------------------------------------------------------------------ */

static DECLARE_WAIT_QUEUE_HEAD(readers);

/* Whole pages by frame, or one by one. */
static int store_mmap(struct file *file, struct vm_area_struct *vma)
{
	struct page **page = file->private_data;

	if (vma->vm_pgoff)
		return remap_pfn_range(vma, vma->vm_start, page_to_pfn(page[0]), PAGE_SIZE,
				       vma->vm_page_prot);
	return vm_map_pages_zero(vma, page, PAGES);
}

static __poll_t store_poll(struct file *file, poll_table *table)
{
	poll_wait(file, &readers, table);
	return 0;
}

static const struct file_operations store_ops = {
	.mmap = store_mmap,
	.poll = store_poll,
};

static int descriptor(unsigned int variant)
{
	int fd = anon_inode_getfd("store", &store_ops, NULL, O_RDWR), copy;

	if (fd < 0)
		return fd;
	copy = host_dup(fd, O_CLOEXEC);
	if (copy >= 0)
		host_close(copy);
	host_close(fd);
	return copy < 0 ? copy : 0;
}

static int poll_a_while(unsigned int variant)
{
	int fd = anon_inode_getfd("store", &store_ops, NULL, O_RDWR), ret;

	if (fd < 0)
		return fd;
	ret = host_poll(fd, EPOLLIN, 1);
	host_close(fd);
	return ret;
}

static int map_store(int fd, struct page **page, unsigned int variant)
{
	bool write = variant & 1;
	size_t bytes = variant & 2 ? PAGE_SIZE : PAGES * PAGE_SIZE;
	u8 *at = host_mmap(fd, NULL, bytes, write ? PROT_READ | PROT_WRITE : PROT_READ, MAP_SHARED,
			   variant & 2 ? PAGE_SIZE : 0);
	int ret = 0;

	if (IS_ERR(at))
		return PTR_ERR(at);
	*(u8 *)page_address(page[0]) = 9;
	if (at[0] != 9)
		ret = SWEEP_WRONG_BYTES;
	/* A hole first, so that the mapping is cut in two. */
	if (bytes > PAGE_SIZE && host_munmap(at + PAGE_SIZE, PAGE_SIZE)) {
		port_fail_nth(PORT_FAULT_ALLOC, 0);
		port_fail_nth(PORT_FAULT_MAP, 0);
		ret = -ENOMEM;
	}
	if (host_munmap(at, bytes)) {
		port_fail_nth(PORT_FAULT_ALLOC, 0);
		port_fail_nth(PORT_FAULT_MAP, 0);
		ret = host_munmap(at, bytes) ? SWEEP_WRONG_BYTES : -ENOMEM;
	}
	return ret;
}

/* @variant: 1 for writing, 2 by frames */
static int mapping(unsigned int variant)
{
	struct page *page[PAGES];
	int fd, ret;

	for (unsigned int i = 0; i < PAGES; i++) {
		page[i] = alloc_page(GFP_KERNEL);
		if (!page[i])
			return put_pages(page, i, -ENOMEM);
	}
	fd = anon_inode_getfd("store", &store_ops, page, variant & 1 ? O_RDWR : O_RDONLY);
	if (fd < 0)
		return put_pages(page, PAGES, fd);
	ret = map_store(fd, page, variant);
	host_close(fd);
	return put_pages(page, PAGES, ret);
}

/* --- threads ---------------------------------------------------------------------------------- */

static bool done; /* written by another thread, read once it has said so */

static int thread_runs(void *data)
{
	WRITE_ONCE(done, true);
	return 0;
}

static int thread(unsigned int variant)
{
	struct task_struct *task = kthread_create(thread_runs, NULL, "swept");

	if (IS_ERR(task))
		return PTR_ERR(task);
	get_task_struct(task);
	wake_up_process(task);
	kthread_stop_put(task);
	return 0;
}

static void work_runs(struct work_struct *work)
{
	WRITE_ONCE(done, true);
}

static int work_item(unsigned int variant)
{
	static DECLARE_WORK(work, work_runs);

	WRITE_ONCE(done, false);
	schedule_work(&work);
	flush_work(&work);
	return READ_ONCE(done) ? 0 : SWEEP_WRONG_BYTES;
}

static void rcu_runs(struct rcu_head *head)
{
	WRITE_ONCE(done, true);
}

static int rcu_callback(unsigned int variant)
{
	static struct rcu_head head;

	WRITE_ONCE(done, false);
	call_rcu(&head, rcu_runs);
	rcu_barrier();
	return READ_ONCE(done) ? 0 : SWEEP_WRONG_BYTES;
}

static const struct sweep_scenario scenarios[] = {
	{ "pages", pages, 2, .cold = true },
	{ "vmap of scattered pages", scattered_vmap, .cold = true },
	{ "vmalloc", virtual_memory, .cold = true },
	{ "descriptor and dup", descriptor, .cold = true },
	{ "poll", poll_a_while, .cold = true },
	{ "mmap, a hole, munmap", mapping, 4, .cold = true },
	{ "thread", thread, .cold = true },
	{ "work item", work_item, .cold = true },
	{ "RCU callback", rcu_callback, .cold = true },
};

static void first_uses_fail_anywhere(struct ktap *t)
{
	for (size_t i = 0; i < ARRAY_SIZE(scenarios); i++)
		sweep_check(t, &scenarios[i]);
}

int main(int argc, char **argv)
{
	static const struct ktap_case cases[] = { KTAP_CASE(first_uses_fail_anywhere) };

	if (argc == 2 && !strcmp(argv[1], "--table"))
		return sweep_table(scenarios, ARRAY_SIZE(scenarios), "host, first use");
	return ktap_main(argc, argv, cases, ARRAY_SIZE(cases));
}
