/* SPDX-License-Identifier: MIT */
/* A program's memfds as pages: the same bytes under every address, and the memory's again afterwards. */
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>
#include <linux/err.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/hugetlb.h>
#include <linux/anon_inodes.h>
#include <linux/memfd.h>
#include <linux/mm.h>
#include <linux/shmem_fs.h>
#include <linux/vmalloc.h>
#include "host/file.h"
#include "host/memory.h"
#include "host/port.h"
#include "tests/ktap.h"
#include "tests/sweep.h"
#include "tests/threads.h"

#define PAGES 8
#define BYTES (PAGES * PAGE_SIZE)

static u64 used(void)
{
	struct host_memory_stats stats;

	host_memory_stats(&stats);
	return stats.pages_used;
}

static int make_memfd(size_t bytes)
{
	int fd = memfd_create("program", MFD_ALLOW_SEALING | MFD_CLOEXEC);

	if (fd >= 0 && ftruncate(fd, bytes)) {
		close(fd);
		return -1;
	}
	return fd;
}

static u8 *map_memfd(int fd, size_t bytes)
{
	return mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
}

/* All pages of [@first, @first + @count) of @fd. Returns what memfd_pin_folios() did, or -EBADF. */
static long pin(int fd, unsigned long first, unsigned int count, struct folio **folios)
{
	struct file *file = fget(fd);
	pgoff_t offset = 1;
	long ret;

	if (!file)
		return -EBADF;
	ret = memfd_pin_folios(file, first << PAGE_SHIFT, ((first + count) << PAGE_SHIFT) - 1,
			       folios, count, &offset);
	fput(file);
	return ret > 0 && offset ? -EINVAL : ret;
}

/* --- bytes ------------------------------------------------------------------------------------ */

static void same_bytes_under_every_address(struct ktap *t)
{
	struct folio *folios[PAGES];
	struct page *pages[PAGES];
	int fd = make_memfd(BYTES);
	u8 *program = map_memfd(fd, BYTES), *vaddr, *linear;
	u64 before = used();

	program[0] = 1; /* before it is pinned */
	KT_EQ(t, pin(fd, 0, PAGES, folios), PAGES);
	for (unsigned int i = 0; i < PAGES; i++) {
		linear = folio_address(folios[i]);
		KT_EQ(t, folio_size(folios[i]), PAGE_SIZE);
		KT_CHECK(t, pfn_valid(folio_pfn(folios[i])));
		KT_CHECK(t, virt_to_page(linear) == folio_page(folios[i], 0));
		KT_EQ(t, linear[0], i == 0);
		program[i * PAGE_SIZE + 5] = i + 1;
		KT_EQ(t, linear[5], i + 1);
		linear[6] = i + 2;
		KT_EQ(t, program[i * PAGE_SIZE + 6], i + 2);
		pages[PAGES - 1 - i] = folio_page(folios[i], 0);
	}
	vaddr = vmap(pages, PAGES, VM_MAP, PAGE_KERNEL);
	KT_ASSERT(t, vaddr);
	for (unsigned int i = 0; i < PAGES; i++) {
		KT_EQ(t, vaddr[(PAGES - 1 - i) * PAGE_SIZE + 5], i + 1);
		vaddr[(PAGES - 1 - i) * PAGE_SIZE + 7] = i + 3;
		KT_EQ(t, program[i * PAGE_SIZE + 7], i + 3);
	}
	vunmap(vaddr);
	unpin_folios(folios, PAGES);
	KT_EQ(t, used(), before);
	KT_EQ(t, program[7], 3);
	munmap(program, BYTES);
	close(fd);
}

static void a_mixed_vmap_takes_each_page_from_its_file(struct ktap *t)
{
	struct page *own = alloc_page(GFP_KERNEL | __GFP_ZERO), *pages[3];
	struct folio *folios[2];
	int fd = make_memfd(BYTES);
	u8 *program = map_memfd(fd, BYTES), *vaddr;

	KT_EQ(t, pin(fd, 2, 2, folios), 2);
	pages[0] = folio_page(folios[0], 0);
	pages[1] = own;
	pages[2] = folio_page(folios[1], 0);
	vaddr = vmap(pages, 3, VM_MAP, PAGE_KERNEL);
	KT_ASSERT(t, vaddr);
	for (unsigned int i = 0; i < 3; i++)
		vaddr[i * PAGE_SIZE] = i + 1;
	KT_EQ(t, program[2 * PAGE_SIZE], 1);
	KT_EQ(t, *(u8 *)page_address(own), 2);
	KT_EQ(t, program[3 * PAGE_SIZE], 3);
	vunmap(vaddr);
	vaddr = vmap(pages, 3, VM_MAP, PAGE_KERNEL_RO);
	KT_ASSERT(t, vaddr);
	KT_EQ(t, vaddr[2 * PAGE_SIZE], 3);
	KT_CHECK(t, mprotect(vaddr, 3 * PAGE_SIZE, PROT_READ | PROT_WRITE));
	vunmap(vaddr);
	unpin_folios(folios, 2);
	__free_page(own);
	munmap(program, BYTES);
	close(fd);
}

static int file_mmap(struct file *file, struct vm_area_struct *vma)
{
	struct folio **folios = file->private_data;
	struct page *pages[PAGES];

	for (unsigned int i = 0; i < PAGES; i++)
		pages[i] = folio_page(folios[i], 0);
	return vm_map_pages(vma, pages, PAGES);
}

static const struct file_operations mapping_fops = { .mmap = file_mmap };

/* The mapping's references keep the pages when nobody has them pinned. */
static void a_programs_mapping_of_a_buffer(struct ktap *t)
{
	struct folio *folios[PAGES];
	int memfd = make_memfd(BYTES), fd;
	u8 *program = map_memfd(memfd, BYTES), *at;
	u64 before = used();

	KT_EQ(t, pin(memfd, 0, PAGES, folios), PAGES);
	fd = anon_inode_getfd("buffer", &mapping_fops, folios, O_RDWR);
	at = host_mmap(fd, NULL, BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, 0);
	KT_ASSERT(t, !IS_ERR(at));
	unpin_folios(folios, PAGES);
	for (unsigned int i = 0; i < PAGES; i++) {
		at[i * PAGE_SIZE] = i + 1;
		KT_EQ(t, program[i * PAGE_SIZE], i + 1);
	}
	KT_EQ(t, used(), before + PAGES);
	KT_EQ(t, host_munmap(at, BYTES), 0);
	KT_EQ(t, used(), before);
	host_close(fd);
	munmap(program, BYTES);
	close(memfd);
}

static void the_program_may_close_and_unmap(struct ktap *t)
{
	struct folio *folio;
	int fd = make_memfd(BYTES);
	u8 *program = map_memfd(fd, BYTES);

	program[PAGE_SIZE] = 42;
	KT_EQ(t, pin(fd, 1, 1, &folio), 1);
	munmap(program, BYTES);
	close(fd);
	KT_EQ(t, *(u8 *)folio_address(folio), 42);
	unpin_folio(folio);
}

/* --- names ------------------------------------------------------------------------------------ */

static void one_page_has_one_name(struct ktap *t)
{
	struct folio *first[PAGES], *again[PAGES];
	int fd = make_memfd(BYTES), copy = dup(fd), other = make_memfd(BYTES);
	struct folio *foreign;

	KT_EQ(t, pin(fd, 0, PAGES, first), PAGES);
	KT_EQ(t, pin(copy, 2, 3, again), 3);
	for (unsigned int i = 0; i < 3; i++)
		KT_CHECK(t, again[i] == first[2 + i]);
	KT_EQ(t, pin(other, 2, 1, &foreign), 1);
	KT_CHECK(t, foreign != first[2]);
	unpin_folios(first, PAGES);
	*(u8 *)folio_address(again[1]) = 9;
	unpin_folios(again, 3);
	unpin_folio(foreign);
	close(fd);
	close(copy);
	close(other);
}

/* More than one block, and one that was not there when the first was lent. */
static void a_file_that_grows(struct ktap *t)
{
	struct folio *folios[3 * PAGES], *first;
	int fd = make_memfd(BYTES);
	u64 before = used();
	u8 *program;

	KT_EQ(t, pin(fd, 0, 1, &first), 1);
	KT_EQ(t, ftruncate(fd, 3 * BYTES), 0);
	KT_EQ(t, pin(fd, 0, 3 * PAGES, folios), 3 * PAGES);
	KT_CHECK(t, folios[0] == first);
	program = map_memfd(fd, 3 * BYTES);
	for (unsigned int i = 0; i < 3 * PAGES; i++) {
		*(u8 *)folio_address(folios[i]) = i;
		KT_EQ(t, program[i * PAGE_SIZE], i);
	}
	unpin_folios(folios, 3 * PAGES);
	KT_EQ(t, used(), before + PAGES);
	unpin_folio(first);
	KT_EQ(t, used(), before);
	munmap(program, 3 * BYTES);
	close(fd);
}

static void part_of_a_page_is_the_page(struct ktap *t)
{
	int fd = make_memfd(BYTES);
	struct file *file = fget(fd);
	struct folio *folios[PAGES];
	pgoff_t offset = 0;

	KT_ASSERT(t, file);
	KT_EQ(t, memfd_pin_folios(file, PAGE_SIZE + 5, 2 * PAGE_SIZE, folios, PAGES, &offset), 2);
	KT_EQ(t, offset, 5);
	unpin_folios(folios, 2);
	KT_EQ(t, memfd_pin_folios(file, 0, BYTES - 1, folios, 3, &offset), 3);
	unpin_folios(folios, 3);
	fput(file);
	close(fd);
}

/* --- what is refused -------------------------------------------------------------------------- */

static void what_is_no_memfd(struct ktap *t)
{
	struct folio *folios[PAGES];
	int fd = make_memfd(BYTES), null = open("/dev/null", O_RDWR), reserved;
	struct file *file = fget(fd);
	pgoff_t offset;

	KT_ASSERT(t, file);
	KT_CHECK(t, shmem_file(file) && !is_file_hugepages(file));
	KT_EQ(t, i_size_read(file_inode(file)), BYTES);
	KT_EQ(t, memfd_pin_folios(file, -1, 5, folios, 1, &offset), -EINVAL);
	KT_EQ(t, memfd_pin_folios(file, 5, 4, folios, 1, &offset), -EINVAL);
	KT_EQ(t, memfd_pin_folios(file, 0, BYTES, folios, 1, &offset), -EINVAL);
	KT_EQ(t, memfd_pin_folios(file, 0, 5, folios, 0, &offset), -EINVAL);
	KT_EQ(t, memfd_pin_folios(NULL, 0, 5, folios, 1, &offset), -EINVAL);
	KT_EQ(t, memfd_fcntl(file, F_GETFL, 0), -EINVAL);
	KT_EQ(t, host_ioctl(fd, 0, 0), -EBADF);
	fput(file);

	file = anon_inode_getfile("other", &mapping_fops, NULL, O_RDWR);
	KT_CHECK(t, !shmem_file(file));
	KT_EQ(t, memfd_pin_folios(file, 0, 5, folios, 1, &offset), -EINVAL);
	KT_EQ(t, memfd_fcntl(file, F_GET_SEALS, 0), -EINVAL);
	fput(file);

	KT_CHECK(t, !fget(null) && !fget(-1u));
	reserved = get_unused_fd_flags(0);
	KT_CHECK(t, !fget(reserved));
	put_unused_fd(reserved);
	close(null);
	close(fd);
}

static void seals_and_modes(struct ktap *t)
{
	int fd = make_memfd(BYTES), reader;
	struct file *file = fget(fd);
	struct folio *folio;
	char path[64];

	KT_ASSERT(t, file);
	KT_EQ(t, memfd_fcntl(file, F_GET_SEALS, 0), 0);
	KT_EQ(t, memfd_fcntl(file, F_ADD_SEALS, F_SEAL_SHRINK), 0);
	KT_EQ(t, fcntl(fd, F_GET_SEALS), F_SEAL_SHRINK);
	KT_EQ(t, fcntl(fd, F_ADD_SEALS, F_SEAL_GROW), 0);
	KT_EQ(t, memfd_fcntl(file, F_GET_SEALS, 0), F_SEAL_SHRINK | F_SEAL_GROW);
	fput(file);

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	reader = open(path, O_RDONLY);
	KT_EQ(t, pin(reader, 0, 1, &folio), -EACCES);

	KT_EQ(t, pin(fd, 0, 1, &folio), 1);
	KT_EQ(t, fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE), -1); /* it is mapped */
	unpin_folio(folio);
	KT_EQ(t, fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE), 0);
	KT_EQ(t, pin(fd, 0, 1, &folio), -EPERM);
	close(reader);
	close(fd);
}

/* --- the end ---------------------------------------------------------------------------------- */

/* The system does not map memory back: the frames wait, and go with the next unpin. */
static void frames_that_the_system_keeps(struct ktap *t)
{
	struct rlimit normal, nothing;
	struct folio *folio, *other;
	int fd = make_memfd(BYTES), second = make_memfd(BYTES);
	u64 before = used();
	u8 *program = map_memfd(fd, BYTES);

	KT_EQ(t, pin(fd, 0, 1, &folio), 1);
	getrlimit(RLIMIT_AS, &normal);
	nothing = (struct rlimit){ .rlim_cur = 4096, .rlim_max = normal.rlim_max };
	setrlimit(RLIMIT_AS, &nothing);
	unpin_folio(folio);
	setrlimit(RLIMIT_AS, &normal);
	if (used() == before) {
		ktap_skip(t, "the system maps over a mapping whatever RLIMIT_AS says");
	} else {
		KT_EQ(t, pin(second, 0, 1, &other), 1);
		KT_EQ(t, used(), before + PAGES);
		KT_EQ(t, pin(fd, 0, 1, &folio), 1);
		*(u8 *)folio_address(folio) = 3;
		KT_EQ(t, program[0], 3);
		unpin_folio(folio);
		unpin_folio(other);
	}
	KT_EQ(t, used(), before);
	munmap(program, BYTES);
	close(fd);
	close(second);
}

/* Frames that were lent hold the memory's bytes afterwards, not the memfd's. */
static void a_block_serves_again(struct ktap *t)
{
	for (unsigned int i = 0; i < 64; i++) {
		struct folio *folios[PAGES];
		int fd = make_memfd(BYTES);
		u8 *program = map_memfd(fd, BYTES);
		struct page *page;

		KT_EQ(t, pin(fd, 0, PAGES, folios), PAGES);
		memset(folio_address(folios[0]), 7, BYTES);
		unpin_folios(folios, PAGES);
		page = alloc_pages(GFP_KERNEL | __GFP_ZERO, 3);
		KT_CHECK(t, *(u8 *)page_address(page) == 0);
		memset(page_address(page), 9, BYTES);
		KT_EQ(t, program[BYTES - 1], 7);
		__free_pages(page, 3);
		munmap(program, BYTES);
		close(fd);
	}
}

/* Blocks come and go under others that pin and unpin. */
static int pin_often(void *data)
{
	int fd = *(int *)data, wrong = 0;

	for (unsigned int i = 0; i < (ktap_long ? 20000 : 1000); i++) {
		struct folio *folios[3];

		wrong += pin(fd, i % (PAGES - 2), 3, folios) != 3;
		for (unsigned int k = 0; k < 3; k++)
			wrong += folios[k]->page.index != i % (PAGES - 2) + k;
		unpin_folios(folios, 3);
	}
	return wrong;
}

static void threads_pin_the_same_pages(struct ktap *t)
{
	struct task_struct *thread[3];
	int fd = make_memfd(BYTES);
	u64 before = used();

	for (unsigned int i = 0; i < ARRAY_SIZE(thread); i++)
		thread[i] = test_thread_start(pin_often, &fd);
	KT_EQ(t, pin_often(&fd), 0);
	for (unsigned int i = 0; i < ARRAY_SIZE(thread); i++) {
		int wrong = test_thread_end(thread[i]);

		KT_CHECK(t, !wrong || wrong == -EINTR);
	}
	KT_EQ(t, used(), before);
	close(fd);
}

static int pin_and_look(unsigned int variant)
{
	int fd = make_memfd(BYTES), ret;
	struct folio *folios[PAGES];
	struct page *pages[PAGES];
	u8 *vaddr;

	if (fd < 0)
		return -EMFILE;
	ret = pin(fd, 0, PAGES, folios);
	if (ret == -EBADF)
		ret = -ENOMEM; /* no memory for the file */
	if (ret < 0)
		goto close_fd;
	for (unsigned int i = 0; i < PAGES; i++)
		pages[i] = folio_page(folios[i], 0);
	vaddr = vmap(pages, PAGES, VM_MAP, variant ? PAGE_KERNEL_RO : PAGE_KERNEL);
	*(u8 *)folio_address(folios[1]) = 5;
	ret = !vaddr ? -ENOMEM : vaddr[PAGE_SIZE] == 5 ? 0 : SWEEP_WRONG_BYTES;
	vunmap(vaddr);
	unpin_folios(folios, PAGES);
close_fd:
	close(fd);
	return ret;
}

static void fails_at_each_point(struct ktap *t)
{
	static const struct sweep_scenario scenario = { "memfd", pin_and_look, 2, false };

	sweep_check(t, &scenario);
}

KTAP_MAIN(KTAP_CASE(same_bytes_under_every_address),
	  KTAP_CASE(a_mixed_vmap_takes_each_page_from_its_file),
	  KTAP_CASE(a_programs_mapping_of_a_buffer), KTAP_CASE(the_program_may_close_and_unmap),
	  KTAP_CASE(one_page_has_one_name), KTAP_CASE(a_file_that_grows),
	  KTAP_CASE(part_of_a_page_is_the_page), KTAP_CASE(what_is_no_memfd),
	  KTAP_CASE(seals_and_modes), KTAP_CASE(frames_that_the_system_keeps),
	  KTAP_CASE(a_block_serves_again), KTAP_CASE(threads_pin_the_same_pages),
	  KTAP_CASE(fails_at_each_point))
