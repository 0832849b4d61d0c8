/* SPDX-License-Identifier: MIT */
/*
 * limits-test.c - the system's own limits, reached: descriptors, addresses, mappings, file size,
 * and signals that never stop
 *
 * Nothing is made to fail here; the system refuses.  Each case has a process of its own, ends in the
 * errno that the header promises, and then the library works.
 *
 * Not here: a full tmpfs and too many threads, which take another user's rights to bring about
 * (host/sweep-test.c makes those fail), and sanitizers, which need the same addresses.
 */
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include <linux/anon_inodes.h>
#include <linux/dma-buf.h>
#include <linux/err.h>
#include <linux/iosys-map.h>
#include <linux/mm.h>
#include <linux/poll.h>
#include <linux/rcupdate.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/vmalloc.h>

#include "dma/engine.h"
#include "dma/machine.h"
#include "drivers/exporters/system-heap.h"
#include "host/file.h"
#include "tests/ktap.h"

#define SCATTERED 256 /* pages, none beside another */
#define ROOM 100000

/* What a child says of itself: the line that was not as it must be, 0 for none. */
#define MUST(cond)                       \
	do {                             \
		if (!(cond))             \
			return __LINE__; \
	} while (0)

/* In a child; a status has 8 bits, a line number more. */
static void in_child(struct ktap *t, int (*fn)(void))
{
	int status = 0, line = 0, ends[2];
	pid_t child;

	KT_ASSERT(t, !pipe(ends));
	fflush(NULL);
	child = fork();
	if (!child) {
		alarm(60);
		line = fn();
		_exit(write(ends[1], &line, sizeof(line)) != sizeof(line));
	}
	close(ends[1]);
	KT_EQ(t, waitpid(child, &status, 0), child);
	KT_EQ(t, status, 0);
	KT_EQ(t, read(ends[0], &line, sizeof(line)), sizeof(line));
	ktap_check(t, !line, __FILE__, line, "not as it must be");
	close(ends[0]);
}

static int limit(int what, rlim_t value)
{
	struct rlimit limit;

	if (getrlimit(what, &limit))
		return -1;
	limit.rlim_cur = value;
	return setrlimit(what, &limit);
}

static rlim_t addresses_used(void)
{
	unsigned long pages = 0;
	FILE *file = fopen("/proc/self/statm", "r");

	if (!file || fscanf(file, "%lu", &pages) != 1)
		pages = 0;
	if (file)
		fclose(file);
	return (rlim_t)pages << PAGE_SHIFT;
}

/* --- does the library work? ------------------------------------------------------------------- */

static int device_and_cpu_agree(struct device *dev, struct dma_buf *dmabuf)
{
	struct dma_buf_attachment *attach = dma_buf_attach(dmabuf, dev);
	struct sg_table *table;
	struct iosys_map map;
	u8 byte = 7;

	MUST(!IS_ERR(attach));
	table = dma_buf_map_attachment_unlocked(attach, DMA_FROM_DEVICE);
	MUST(!IS_ERR(table));
	MUST(!dma_engine_write(dev, table, 5000, &byte, 1));
	dma_buf_unmap_attachment_unlocked(attach, table, DMA_FROM_DEVICE);
	MUST(!dma_buf_vmap_unlocked(dmabuf, &map));
	MUST(!dma_buf_begin_cpu_access(dmabuf, DMA_FROM_DEVICE));
	MUST(((u8 *)map.vaddr)[5000] == 7);
	MUST(!dma_buf_end_cpu_access(dmabuf, DMA_FROM_DEVICE));
	dma_buf_vunmap_unlocked(dmabuf, &map);
	dma_buf_detach(dmabuf, attach);
	return 0;
}

static int program_maps(struct dma_buf *dmabuf)
{
	int fd = dma_buf_fd(dmabuf, O_CLOEXEC);
	u8 *at;

	MUST(fd >= 0);
	at = host_mmap(fd, NULL, 2 * PAGE_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, 0);
	MUST(!IS_ERR(at));
	MUST(at[5000] == 7);
	MUST(host_poll(fd, EPOLLIN, 0) == EPOLLIN);
	MUST(!host_munmap(at, 2 * PAGE_SIZE));
	MUST(!host_close(fd));
	return 0;
}

static int works(void)
{
	struct machine *machine = machine_create(machine_type_find("arm-direct"), 0);
	struct device *dev = machine_add_device(machine, "device", false);
	struct dma_buf *dmabuf = system_heap_allocate(2 * PAGE_SIZE);
	int line;

	MUST(!IS_ERR(dev) && !IS_ERR(dmabuf));
	line = device_and_cpu_agree(dev, dmabuf);
	if (!line)
		line = program_maps(dmabuf);
	machine_remove_device(dev);
	machine_destroy(machine);
	rcu_barrier();
	return line;
}

/* --- descriptors ------------------------------------------------------------------------------ */

static int use_all_descriptors(void)
{
	static int fds[ROOM];
	struct dma_buf *dmabuf;
	int count = 0;

	MUST(!limit(RLIMIT_NOFILE, 64));
	for (;;) {
		dmabuf = system_heap_allocate(PAGE_SIZE);
		MUST(!IS_ERR(dmabuf));
		fds[count] = dma_buf_fd(dmabuf, O_CLOEXEC);
		if (fds[count] < 0)
			break;
		MUST(++count < 64);
	}
	MUST(fds[count] == -EMFILE && count > 10);
	dma_buf_put(dmabuf);
	MUST(host_dup(fds[0], 0) == -EMFILE);
	while (count)
		MUST(!host_close(fds[--count]));
	return works();
}

/* Not even one for the memory. */
static int begin_without_descriptors(void)
{
	int fd = dup(0);

	MUST(fd >= 0);
	close(fd);
	MUST(!limit(RLIMIT_NOFILE, fd));
	MUST(PTR_ERR(system_heap_allocate(PAGE_SIZE)) == -ENOMEM);
	MUST(!limit(RLIMIT_NOFILE, 64));
	return works();
}

/* --- addresses -------------------------------------------------------------------------------- */

static int begin_without_addresses(void)
{
	MUST(!limit(RLIMIT_AS, addresses_used() + (64 << 20)));
	MUST(PTR_ERR(system_heap_allocate(PAGE_SIZE)) == -ENOMEM);
	MUST(!limit(RLIMIT_AS, RLIM_INFINITY));
	return works();
}

static int use_all_addresses(void)
{
	struct page *page = alloc_pages(GFP_KERNEL, 8);
	struct page *pages[256];
	void **at = vzalloc(ROOM * sizeof(*at));
	int count = 0, line;

	MUST(page && at);
	for (int i = 0; i < 256; i++)
		pages[i] = page + i;
	MUST(!(line = works()));
	MUST(!limit(RLIMIT_AS, addresses_used() + (64 << 20)));
	while ((at[count] = vmap(pages, 256, VM_MAP, PAGE_KERNEL)))
		MUST(++count < ROOM);
	MUST(count > 10);
	while (count)
		vunmap(at[--count]);
	/* Once more, in the limit that still holds. */
	at[0] = vmap(pages, 256, VM_MAP, PAGE_KERNEL);
	MUST(at[0]);
	vunmap(at[0]);
	MUST(!limit(RLIMIT_AS, RLIM_INFINITY));
	vfree(at);
	__free_pages(page, 8);
	return works();
}

/* --- mappings --------------------------------------------------------------------------------- */

static struct page *scattered[SCATTERED];

static int scattered_mmap(struct file *file, struct vm_area_struct *vma)
{
	return vm_map_pages(vma, scattered, SCATTERED);
}

static const struct file_operations scattered_ops = { .mmap = scattered_mmap };

static int scatter(void)
{
	for (int i = 0; i < SCATTERED; i++) {
		MUST(alloc_page(GFP_KERNEL));
		scattered[i] = alloc_page(GFP_KERNEL);
		MUST(scattered[i]);
		*(u8 *)page_address(scattered[i]) = i;
	}
	return 0;
}

static int use_all_mappings_by_vmap(void)
{
	void **at = vzalloc(ROOM * sizeof(*at));
	int count = 0, line = scatter();

	MUST(at && !line);
	while ((at[count] = vmap(scattered, SCATTERED, VM_MAP, PAGE_KERNEL)))
		MUST(++count < ROOM);
	MUST(count > 10);
	while (count) {
		count--;
		for (int i = 0; i < SCATTERED; i++)
			MUST(((u8 *)at[count])[i * PAGE_SIZE] == i);
		vunmap(at[count]);
	}
	vfree(at);
	return works();
}

static int use_all_mappings_by_mmap(void)
{
	size_t bytes = SCATTERED * PAGE_SIZE;
	u8 **at = vzalloc(ROOM * sizeof(*at));
	int count = 0, line = scatter(), fd;

	MUST(at && !line);
	fd = anon_inode_getfd("scattered", &scattered_ops, NULL, O_RDWR);
	MUST(fd >= 0);
	for (;;) {
		at[count] = host_mmap(fd, NULL, bytes, PROT_READ, MAP_SHARED, 0);
		if (IS_ERR(at[count]))
			break;
		MUST(++count < ROOM);
	}
	MUST(PTR_ERR(at[count]) == -ENOMEM && count > 10);
	while (count) {
		count--;
		for (int i = 0; i < SCATTERED; i++)
			MUST(at[count][i * PAGE_SIZE] == i);
		MUST(!host_munmap(at[count], bytes));
	}
	MUST(!host_close(fd));
	vfree(at);
	return works();
}

/* --- files and signals ------------------------------------------------------------------------ */

/* Memory is a file of 4 GiB: the system refuses its size, and sends SIGXFSZ, which nobody sees. */
static int begin_with_small_files(void)
{
	MUST(!limit(RLIMIT_FSIZE, 1 << 20));
	MUST(PTR_ERR(system_heap_allocate(PAGE_SIZE)) == -ENOMEM);
	MUST(!limit(RLIMIT_FSIZE, RLIM_INFINITY));
	return works();
}

static volatile sig_atomic_t signals;

static void count_signal(int nr)
{
	signals++;
}

static int work_in_a_storm(void)
{
	struct sigaction action = { .sa_handler = count_signal }; /* no SA_RESTART */
	struct itimerval often = { { 0, 100 }, { 0, 100 } }, never = {};
	wait_queue_head_t nobody;
	int line = 0;

	init_waitqueue_head(&nobody);
	sigaction(SIGALRM, &action, NULL);
	setitimer(ITIMER_REAL, &often, NULL);
	for (int i = 0; !line && (i < 100 || signals < 100) && i < ROOM; i++) {
		line = works();
		/* A sleep that is cut short sleeps on. */
		if (!line && wait_event_timeout(nobody, false, 2))
			line = __LINE__;
		if (!line && wait_event_interruptible_timeout(nobody, false, 2))
			line = __LINE__;
	}
	setitimer(ITIMER_REAL, &never, NULL);
	MUST(signals >= 100);
	return line;
}

static void descriptors_run_out(struct ktap *t)
{
	in_child(t, use_all_descriptors);
	in_child(t, begin_without_descriptors);
}

static void addresses_run_out(struct ktap *t)
{
	in_child(t, use_all_addresses);
	in_child(t, begin_without_addresses);
}

static void mappings_run_out(struct ktap *t)
{
	in_child(t, use_all_mappings_by_vmap);
	in_child(t, use_all_mappings_by_mmap);
}

static void files_must_be_small(struct ktap *t)
{
	in_child(t, begin_with_small_files);
}

static void signals_never_stop(struct ktap *t)
{
	in_child(t, work_in_a_storm);
}

KTAP_MAIN(KTAP_CASE(descriptors_run_out), KTAP_CASE(addresses_run_out), KTAP_CASE(mappings_run_out),
	  KTAP_CASE(files_must_be_small), KTAP_CASE(signals_never_stop))
