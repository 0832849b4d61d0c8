/* SPDX-License-Identifier: MIT */
/* Files in the program's addresses: which bytes, what is refused, who is opened and closed. */
#include <setjmp.h>
#include <signal.h>
#include <sys/mman.h>
#include <linux/anon_inodes.h>
#include <linux/err.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/gfp.h>
#include <linux/mm.h>
#include <linux/vmalloc.h>
#include "host/file.h"
#include "host/port.h"
#include "tests/ktap.h"

#define PAGES 4ul
#define BYTES (PAGES * PAGE_SIZE)

enum how { REMAP, INSERT, MAP_ALL, FAULT_PFN, FAULT_PAGE, NOTHING };

/* A file of four pages, out of order in memory. */
struct store {
	enum how how;
	int answer; /* of ->mmap() */
	vm_fault_t fault_answer, mkwrite_answer;
	int split_answer;

	struct page *page[PAGES];
	int opens, closes, faults, releases;
	unsigned long vm_flags, vm_pgoff; /* as ->mmap() saw them */
	unsigned long closed;             /* pages of the file, as ->close() saw them: bits */
};

static void store_open(struct vm_area_struct *vma)
{
	((struct store *)vma->vm_private_data)->opens++;
}

static void store_close(struct vm_area_struct *vma)
{
	struct store *s = vma->vm_private_data;

	s->closes++;
	for (unsigned long i = 0; i < vma_pages(vma); i++)
		s->closed |= 1ul << (vma->vm_pgoff + i);
}

static int store_may_split(struct vm_area_struct *vma, unsigned long addr)
{
	return ((struct store *)vma->vm_private_data)->split_answer;
}

static vm_fault_t store_fault(struct vm_fault *vmf)
{
	struct store *s = vmf->vma->vm_private_data;

	s->faults++;
	if (vmf->pgoff >= PAGES)
		return VM_FAULT_SIGBUS;
	if (s->fault_answer && vmf->pgoff == 1)
		return s->fault_answer;
	if (s->how == FAULT_PFN)
		return vmf_insert_pfn(vmf->vma, vmf->address, page_to_pfn(s->page[vmf->pgoff]));
	vmf->page = s->page[vmf->pgoff];
	get_page(vmf->page);
	return 0;
}

static vm_fault_t store_mkwrite(struct vm_fault *vmf)
{
	return ((struct store *)vmf->vma->vm_private_data)->mkwrite_answer;
}

static const struct vm_operations_struct mapped_ops = {
	.open = store_open,
	.close = store_close,
	.may_split = store_may_split,
};
static const struct vm_operations_struct fault_ops = {
	.open = store_open,
	.close = store_close,
	.fault = store_fault,
	.page_mkwrite = store_mkwrite,
	.pfn_mkwrite = store_mkwrite,
};

static int store_mmap(struct file *file, struct vm_area_struct *vma)
{
	struct store *s = file->private_data;
	unsigned long addr = vma->vm_start;
	int ret = s->answer;

	s->vm_flags = vma->vm_flags;
	s->vm_pgoff = vma->vm_pgoff;
	vma->vm_private_data = s;
	vma->vm_ops = s->how == FAULT_PFN || s->how == FAULT_PAGE ? &fault_ops : &mapped_ops;
	if (s->how == FAULT_PFN)
		vm_flags_set(vma, VM_PFNMAP);
	if (s->how == MAP_ALL && !ret)
		return vm_map_pages(vma, s->page, PAGES);
	for (unsigned long i = vma->vm_pgoff; i < PAGES && addr < vma->vm_end && !ret; i++) {
		if (s->how == REMAP)
			ret = remap_pfn_range(vma, addr, page_to_pfn(s->page[i]), PAGE_SIZE,
					      vma->vm_page_prot);
		else if (s->how == INSERT)
			ret = vm_insert_page(vma, addr, s->page[i]);
		addr += PAGE_SIZE;
	}
	return ret;
}

static int store_release(struct inode *inode, struct file *file)
{
	((struct store *)file->private_data)->releases++;
	return 0;
}

static const struct file_operations store_fops = {
	.mmap = store_mmap,
	.release = store_release,
};
static const struct file_operations bare_fops;

static u8 *byte_of(struct store *s, unsigned long i)
{
	return page_address(s->page[i]);
}

static int store_up(struct store *s, enum how how, int flags)
{
	*s = (struct store){ .how = how };
	for (unsigned long i = 0; i < PAGES; i++) {
		s->page[i] = alloc_page(GFP_KERNEL | __GFP_ZERO);
		*byte_of(s, i) = i + 1;
	}
	swap(s->page[0], s->page[2]);
	*byte_of(s, 0) = 1;
	*byte_of(s, 2) = 3;
	return anon_inode_getfd("store", &store_fops, s, flags);
}

static void store_down(struct ktap *t, struct store *s, int fd)
{
	KT_EQ(t, host_close(fd), 0);
	KT_EQ(t, s->releases, 1);
	for (unsigned long i = 0; i < PAGES; i++) {
		KT_EQ(t, page_count(s->page[i]), 1);
		put_page(s->page[i]);
	}
}

/* --- touching what may not be touched --------------------------------------------------------- */

static sigjmp_buf touched;

static void on_signal(int sig)
{
	siglongjmp(touched, sig);
}

/* 0, or the signal that a load (or a store of what is there) gives. */
static int touch(volatile u8 *addr, bool store)
{
	struct sigaction action = { .sa_handler = on_signal }, bus, segv;
	int sig;

	sigaction(SIGBUS, &action, &bus);
	sigaction(SIGSEGV, &action, &segv);
	sig = sigsetjmp(touched, 1);
	if (!sig) {
		if (store)
			*addr = 77;
		else
			(void)*addr;
	}
	sigaction(SIGBUS, &bus, NULL);
	sigaction(SIGSEGV, &segv, NULL);
	return sig;
}

/* --- which bytes ------------------------------------------------------------------------------ */

static void a_mapping_is_the_memory(struct ktap *t)
{
	for (int how = REMAP; how <= FAULT_PAGE; how++) {
		struct store s;
		int fd = store_up(&s, how, O_RDWR);
		u8 *at = host_mmap(fd, NULL, BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, 0);

		KT_ASSERT(t, !IS_ERR(at));
		for (unsigned long i = 0; i < PAGES; i++) {
			KT_EQ(t, at[i * PAGE_SIZE], i + 1);
			at[i * PAGE_SIZE + 5] = 50 + i;
			KT_EQ(t, byte_of(&s, i)[5], 50 + i);
		}
		KT_EQ(t, s.faults, how >= FAULT_PFN ? PAGES : 0);
		KT_EQ(t, s.opens, 0);
		KT_EQ(t, host_munmap(at, BYTES), 0);
		KT_EQ(t, s.closes, 1);
		store_down(t, &s, fd);
	}
}

static void an_offset_is_the_files(struct ktap *t)
{
	for (int how = REMAP; how <= FAULT_PAGE; how++) {
		struct store s;
		int fd = store_up(&s, how, O_RDWR);
		u8 *at = host_mmap(fd, NULL, PAGE_SIZE + 1, PROT_READ, MAP_SHARED, PAGE_SIZE);

		KT_ASSERT(t, !IS_ERR(at));
		KT_EQ(t, s.vm_pgoff, 1);
		KT_EQ(t, at[0], 2);
		KT_EQ(t, at[PAGE_SIZE], 3);
		KT_EQ(t, host_munmap(at, 2 * PAGE_SIZE), 0);
		store_down(t, &s, fd);
	}
}

static void private_stores_stay_private(struct ktap *t)
{
	struct store s;
	int fd = store_up(&s, REMAP, O_RDONLY);
	u8 *at = host_mmap(fd, NULL, PAGE_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE, 0);

	KT_ASSERT(t, !IS_ERR(at));
	at[0] = 9;
	KT_EQ(t, at[0], 9);
	KT_EQ(t, byte_of(&s, 0)[0], 1);
	KT_EQ(t, host_munmap(at, PAGE_SIZE), 0);
	store_down(t, &s, fd);
}

static void pages_nobody_put_in_give_sigbus(struct ktap *t)
{
	struct store s;
	int fd = store_up(&s, NOTHING, O_RDWR);
	u8 *at = host_mmap(fd, NULL, PAGE_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, 0);

	KT_ASSERT(t, !IS_ERR(at));
	KT_EQ(t, touch(at, false), SIGBUS);
	KT_EQ(t, touch(at, true), SIGBUS);
	KT_EQ(t, host_munmap(at, PAGE_SIZE), 0);
	store_down(t, &s, fd);

	/* And where ->fault() says so, but not beside it. */
	fd = store_up(&s, FAULT_PFN, O_RDWR);
	s.fault_answer = VM_FAULT_SIGBUS;
	at = host_mmap(fd, NULL, BYTES, PROT_READ, MAP_SHARED, 0);
	KT_ASSERT(t, !IS_ERR(at));
	KT_EQ(t, touch(at, false), 0);
	KT_EQ(t, touch(at + PAGE_SIZE, false), SIGBUS);
	KT_EQ(t, touch(at + 2 * PAGE_SIZE, false), 0);
	KT_EQ(t, host_munmap(at, BYTES), 0);
	store_down(t, &s, fd);
}

static void a_driver_without_memory_fails_the_mmap(struct ktap *t)
{
	struct store s;
	int fd = store_up(&s, FAULT_PAGE, O_RDWR);

	s.fault_answer = VM_FAULT_OOM;
	KT_EQ(t, PTR_ERR(host_mmap(fd, NULL, BYTES, PROT_READ, MAP_SHARED, 0)), -ENOMEM);
	KT_EQ(t, s.closes, 1);
	store_down(t, &s, fd);
}

static void pages_the_driver_refuses_to_write_are_read_only(struct ktap *t)
{
	for (int how = FAULT_PFN; how <= FAULT_PAGE; how++) {
		struct store s;
		int fd = store_up(&s, how, O_RDWR);
		u8 *at;

		s.mkwrite_answer = VM_FAULT_SIGBUS;
		at = host_mmap(fd, NULL, BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, 0);
		KT_ASSERT(t, !IS_ERR(at));
		KT_EQ(t, touch(at, false), 0);
		KT_EQ(t, touch(at, true), SIGSEGV);
		KT_EQ(t, host_munmap(at, BYTES), 0);
		store_down(t, &s, fd);
	}
}

/* --- permission ------------------------------------------------------------------------------- */

static void reading_is_not_writing(struct ktap *t)
{
	struct store s;
	int fd = store_up(&s, REMAP, O_RDWR);
	u8 *at = host_mmap(fd, NULL, PAGE_SIZE, PROT_READ, MAP_SHARED, 0);

	KT_ASSERT(t, !IS_ERR(at));
	KT_EQ(t, touch(at, false), 0);
	KT_EQ(t, touch(at, true), SIGSEGV);
	/* It was opened for writing, so the program may change its mind. */
	KT_EQ(t, mprotect(at, PAGE_SIZE, PROT_READ | PROT_WRITE), 0);
	KT_EQ(t, touch(at, true), 0);
	KT_EQ(t, byte_of(&s, 0)[0], 77);
	KT_EQ(t, host_munmap(at, PAGE_SIZE), 0);
	store_down(t, &s, fd);
}

static void a_read_only_file_is_written_by_no_road(struct ktap *t)
{
	for (int how = REMAP; how <= FAULT_PAGE; how++) {
		struct store s;
		int fd = store_up(&s, how, O_RDONLY);
		u8 *at;

		KT_EQ(t, PTR_ERR(host_mmap(fd, NULL, PAGE_SIZE, PROT_WRITE, MAP_SHARED, 0)),
		      -EACCES);
		KT_EQ(t, s.vm_flags, 0);
		at = host_mmap(fd, NULL, PAGE_SIZE, PROT_READ, MAP_SHARED, 0);
		KT_ASSERT(t, !IS_ERR(at));
		KT_EQ(t, s.vm_flags & (VM_MAYWRITE | VM_SHARED | VM_MAYSHARE), VM_MAYSHARE);
		KT_EQ(t, at[0], 1);
		KT_EQ(t, mprotect(at, PAGE_SIZE, PROT_READ | PROT_WRITE), -1);
		KT_EQ(t, touch(at, true), SIGSEGV);
		KT_EQ(t, host_munmap(at, PAGE_SIZE), 0);
		store_down(t, &s, fd);
	}
}

static void what_is_only_written_is_not_mapped(struct ktap *t)
{
	struct store s;
	int fd = store_up(&s, REMAP, O_WRONLY);

	KT_EQ(t, PTR_ERR(host_mmap(fd, NULL, PAGE_SIZE, PROT_WRITE, MAP_SHARED, 0)), -EACCES);
	KT_EQ(t, PTR_ERR(host_mmap(fd, NULL, PAGE_SIZE, PROT_READ, MAP_PRIVATE, 0)), -EACCES);
	store_down(t, &s, fd);
}

/* --- what is refused -------------------------------------------------------------------------- */

static void wrong_arguments(struct ktap *t)
{
	struct store s;
	int fd = store_up(&s, REMAP, O_RDWR), bare;
	u8 *at;

	KT_EQ(t, PTR_ERR(host_mmap(fd, NULL, 0, PROT_READ, MAP_SHARED, 0)), -EINVAL);
	KT_EQ(t, PTR_ERR(host_mmap(fd, NULL, PAGE_SIZE, PROT_READ, MAP_SHARED, 1)), -EINVAL);
	KT_EQ(t, PTR_ERR(host_mmap(fd, NULL, PAGE_SIZE, PROT_READ, 0, 0)), -EINVAL);
	KT_EQ(t, PTR_ERR(host_mmap(fd, NULL, PAGE_SIZE, PROT_READ, MAP_SHARED | MAP_ANONYMOUS, 0)),
	      -EINVAL);
	KT_EQ(t, PTR_ERR(host_mmap(fd, (void *)5, PAGE_SIZE, PROT_READ, MAP_SHARED | MAP_FIXED, 0)),
	      -EINVAL);
	KT_EQ(t, PTR_ERR(host_mmap(fd, NULL, SIZE_MAX, PROT_READ, MAP_SHARED, 0)), -ENOMEM);
	KT_EQ(t, PTR_ERR(host_mmap(fd, NULL, SIZE_MAX / 4, PROT_READ, MAP_SHARED, 0)), -ENOMEM);
	KT_EQ(t, PTR_ERR(host_mmap(-1, NULL, PAGE_SIZE, PROT_READ, MAP_SHARED, 0)), -EBADF);
	bare = anon_inode_getfd("bare", &bare_fops, NULL, O_RDWR);
	KT_EQ(t, PTR_ERR(host_mmap(bare, NULL, PAGE_SIZE, PROT_READ, MAP_SHARED, 0)), -ENODEV);
	KT_EQ(t, host_close(bare), 0);

	s.answer = -EPERM;
	KT_EQ(t, PTR_ERR(host_mmap(fd, NULL, PAGE_SIZE, PROT_READ, MAP_SHARED, 0)), -EPERM);
	KT_EQ(t, s.closes, 0);
	s.answer = 0;

	at = host_mmap(fd, NULL, PAGE_SIZE, PROT_READ, MAP_SHARED, 0);
	KT_EQ(t, host_munmap(at + 1, PAGE_SIZE), -EINVAL);
	KT_EQ(t, host_munmap(at, 0), -EINVAL);
	KT_EQ(t, host_munmap(at, SIZE_MAX - PAGE_SIZE), -EINVAL);
	KT_EQ(t, s.closes, 0);
	KT_EQ(t, host_munmap(at, PAGE_SIZE), 0);
	store_down(t, &s, fd);
}

static int wrong_calls_result[8];

static int wrong_calls(struct file *file, struct vm_area_struct *vma)
{
	struct store *s = file->private_data;
	unsigned long pfn = page_to_pfn(s->page[0]), end = vma->vm_end, start = vma->vm_start;
	int *r = wrong_calls_result;

	*r++ = remap_pfn_range(vma, start + 1, pfn, PAGE_SIZE, vma->vm_page_prot);
	*r++ = remap_pfn_range(vma, end, pfn, PAGE_SIZE, vma->vm_page_prot);
	*r++ = remap_pfn_range(vma, start, pfn, BYTES + 1, vma->vm_page_prot);
	*r++ = remap_pfn_range(vma, start, 1, PAGE_SIZE, vma->vm_page_prot);
	*r++ = vm_insert_page(vma, end, s->page[0]);
	*r++ = vm_insert_page(vma, start, s->page[0]) ?: vm_insert_page(vma, start, s->page[1]);
	*r++ = vm_map_pages(vma, s->page, PAGES - 1);
	*r++ = vmf_insert_pfn(vma, end, pfn);
	return 0;
}

static const struct file_operations wrong_fops = { .mmap = wrong_calls };

static void wrong_calls_of_drivers(struct ktap *t)
{
	static const int want[] = { -EINVAL, -EINVAL, -EINVAL, -EINVAL,
				    -EFAULT, -EBUSY,  -ENXIO,  VM_FAULT_SIGBUS };
	struct store s;
	int fd = store_up(&s, REMAP, O_RDWR), wrong;
	u8 *at;

	wrong = anon_inode_getfd("wrong", &wrong_fops, &s, O_RDWR);
	at = host_mmap(wrong, NULL, BYTES, PROT_READ, MAP_SHARED, 0);
	KT_ASSERT(t, !IS_ERR(at));
	for (size_t i = 0; i < ARRAY_SIZE(want); i++)
		KT_EQ(t, wrong_calls_result[i], want[i]);
	KT_EQ(t, page_count(s.page[0]), 2);
	KT_EQ(t, host_munmap(at, BYTES), 0);
	KT_EQ(t, host_close(wrong), 0);
	store_down(t, &s, fd);
}

/* --- life ------------------------------------------------------------------------------------- */

static void a_mapping_keeps_its_file(struct ktap *t)
{
	struct store s;
	int fd = store_up(&s, INSERT, O_RDWR);
	u8 *at = host_mmap(fd, NULL, BYTES, PROT_READ, MAP_SHARED, 0);

	KT_ASSERT(t, !IS_ERR(at));
	KT_EQ(t, host_close(fd), 0);
	KT_EQ(t, s.releases, 0);
	KT_EQ(t, page_count(s.page[0]), 2);
	KT_EQ(t, host_munmap(at, BYTES), 0);
	KT_EQ(t, s.releases, 1);
	for (unsigned long i = 0; i < PAGES; i++) {
		KT_EQ(t, page_count(s.page[i]), 1);
		put_page(s.page[i]);
	}
}

static void a_hole_splits(struct ktap *t)
{
	struct store s;
	int fd = store_up(&s, INSERT, O_RDWR);
	u8 *at = host_mmap(fd, NULL, BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, 0);

	KT_ASSERT(t, !IS_ERR(at));
	s.split_answer = -EINVAL;
	KT_EQ(t, host_munmap(at + PAGE_SIZE, PAGE_SIZE), -EINVAL);
	KT_EQ(t, at[PAGE_SIZE], 2);
	s.split_answer = 0;
	KT_EQ(t, host_munmap(at + PAGE_SIZE, PAGE_SIZE), 0);
	KT_EQ(t, s.opens, 2);
	KT_EQ(t, s.closes, 1);
	KT_EQ(t, s.closed, 0x2);
	KT_EQ(t, page_count(s.page[0]), 2);
	KT_EQ(t, page_count(s.page[1]), 1);
	KT_EQ(t, touch(at + PAGE_SIZE, false), SIGSEGV);
	KT_EQ(t, at[0], 1);
	KT_EQ(t, at[2 * PAGE_SIZE], 3);
	/* One call over all that is left, hole and all. */
	KT_EQ(t, host_munmap(at, BYTES), 0);
	KT_EQ(t, s.closes, 3);
	KT_EQ(t, s.closed, 0xf);
	store_down(t, &s, fd);
}

static void a_fixed_mapping_takes_the_place(struct ktap *t)
{
	struct store s;
	int fd = store_up(&s, REMAP, O_RDWR);
	u8 *at = host_mmap(fd, NULL, BYTES, PROT_READ, MAP_SHARED, 0), *fixed;

	KT_ASSERT(t, !IS_ERR(at));
	KT_EQ(t,
	      PTR_ERR(host_mmap(fd, at, PAGE_SIZE, PROT_READ, MAP_SHARED | MAP_FIXED_NOREPLACE, 0)),
	      -EEXIST);
	KT_EQ(t, s.closes, 0);
	fixed = host_mmap(fd, at + PAGE_SIZE, PAGE_SIZE, PROT_READ, MAP_SHARED | MAP_FIXED, 0);
	KT_CHECK(t, fixed == at + PAGE_SIZE);
	KT_EQ(t, s.closes, 1);
	KT_EQ(t, at[0], 1);
	KT_EQ(t, at[PAGE_SIZE], 1);
	KT_EQ(t, at[2 * PAGE_SIZE], 3);
	KT_EQ(t, host_munmap(at, BYTES), 0);
	KT_EQ(t, s.closes, s.opens + 2);
	store_down(t, &s, fd);
}

static void what_the_program_unmapped_itself_is_noticed(struct ktap *t)
{
	struct store s, other;
	int fd = store_up(&s, REMAP, O_RDWR), fd2 = store_up(&other, REMAP, O_RDWR);
	u8 *at = host_mmap(fd, NULL, BYTES, PROT_READ, MAP_SHARED, 0), *again;

	KT_ASSERT(t, !IS_ERR(at));
	munmap(at, BYTES);
	KT_EQ(t, s.closes, 0);
	again = host_mmap(fd2, at, BYTES, PROT_READ, MAP_SHARED, 0);
	KT_CHECK(t, again == at);
	KT_EQ(t, s.closes, 1);
	KT_EQ(t, other.closes, 0);
	KT_EQ(t, host_munmap(again, BYTES), 0);
	store_down(t, &s, fd);
	store_down(t, &other, fd2);
}

static struct file *target;

static int redirect(struct file *file, struct vm_area_struct *vma)
{
	vma_set_file(vma, target);
	return target->f_op->mmap(target, vma);
}

static const struct file_operations redirect_fops = { .mmap = redirect };

static void a_driver_hands_on_to_another_file(struct ktap *t)
{
	struct store s;
	int fd = store_up(&s, REMAP, O_RDWR);
	int front = anon_inode_getfd("front", &redirect_fops, NULL, O_RDWR);
	u8 *at;

	target = fget(fd);
	at = host_mmap(front, NULL, PAGE_SIZE, PROT_READ, MAP_SHARED, 0);
	KT_ASSERT(t, !IS_ERR(at));
	KT_EQ(t, file_count(target), 3);
	KT_EQ(t, host_close(front), 0);
	KT_EQ(t, host_munmap(at, PAGE_SIZE), 0);
	KT_EQ(t, file_count(target), 2);
	fput(target);
	store_down(t, &s, fd);
}

/* --- failure on demand ------------------------------------------------------------------------ */

static void every_failure_of(struct ktap *t, enum port_fault kind)
{
	for (int how = REMAP; how <= FAULT_PAGE; how++) {
		struct store s;
		int fd = store_up(&s, how, O_RDWR), failures = 0;
		u8 *at;

		do {
			port_fail_nth(kind, ++failures);
			at = host_mmap(fd, NULL, BYTES, PROT_READ, MAP_SHARED, 0);
			KT_CHECK(t, !IS_ERR(at) || PTR_ERR(at) == -ENOMEM);
		} while (IS_ERR(at));
		KT_CHECK(t, failures > (kind == PORT_FAULT_MAP && how != REMAP ? PAGES : 1));
		port_fail_nth(kind, 0);

		for (int ret = -1, nth = 1; ret; nth++) {
			port_fail_nth(kind, nth);
			ret = host_munmap(at + PAGE_SIZE, PAGE_SIZE);
			KT_CHECK(t, !ret || ret == -ENOMEM);
			KT_EQ(t, touch(at + PAGE_SIZE, false), ret ? 0 : SIGSEGV);
		}
		port_fail_nth(kind, 0);
		KT_EQ(t, host_munmap(at, BYTES), 0);
		store_down(t, &s, fd);
	}
}

/* A file that is memory of vmalloc_user(). */
struct area_file {
	u8 *start;
	unsigned long skip; /* bytes behind start that ->mmap() claims it begins at */
};

static int area_mmap(struct file *file, struct vm_area_struct *vma)
{
	struct area_file *a = file->private_data;

	return remap_vmalloc_range(vma, a->start + a->skip, vma->vm_pgoff);
}

static const struct file_operations area_fops = { .mmap = area_mmap };

static void memory_of_vmalloc_user(struct ktap *t)
{
	struct area_file a = { .start = vmalloc_user(BYTES) };
	int fd = anon_inode_getfd("area", &area_fops, &a, O_RDWR);
	u8 *at;

	KT_ASSERT(t, a.start && fd >= 0);
	KT_EQ(t, a.start[BYTES - 1], 0);
	KT_EQ(t, PTR_ERR(host_mmap(fd, NULL, BYTES + PAGE_SIZE, PROT_READ, MAP_SHARED, 0)),
	      -EINVAL);
	KT_EQ(t, PTR_ERR(host_mmap(fd, NULL, BYTES, PROT_READ, MAP_SHARED, PAGE_SIZE)), -EINVAL);
	KT_EQ(t, PTR_ERR(host_mmap(fd, NULL, PAGE_SIZE, PROT_READ, MAP_SHARED, BYTES)), -EINVAL);
	a.skip = PAGE_SIZE;
	KT_EQ(t, PTR_ERR(host_mmap(fd, NULL, PAGE_SIZE, PROT_READ, MAP_SHARED, 0)), -EINVAL);
	a.skip = 0;
	at = host_mmap(fd, NULL, 2 * PAGE_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, PAGE_SIZE);
	KT_ASSERT(t, !IS_ERR(at));
	a.start[PAGE_SIZE + 3] = 5;
	KT_EQ(t, at[3], 5);
	at[PAGE_SIZE] = 6;
	KT_EQ(t, a.start[2 * PAGE_SIZE], 6);
	/* The mapping has the pages, too. */
	vfree(a.start);
	KT_EQ(t, at[PAGE_SIZE], 6);
	KT_EQ(t, host_munmap(at, 2 * PAGE_SIZE), 0);
	host_close(fd);
}

static void every_failure_leaves_nothing(struct ktap *t)
{
	every_failure_of(t, PORT_FAULT_ALLOC);
	every_failure_of(t, PORT_FAULT_MAP);
}

KTAP_MAIN(KTAP_CASE(a_mapping_is_the_memory), KTAP_CASE(an_offset_is_the_files),
	  KTAP_CASE(private_stores_stay_private), KTAP_CASE(pages_nobody_put_in_give_sigbus),
	  KTAP_CASE(a_driver_without_memory_fails_the_mmap),
	  KTAP_CASE(pages_the_driver_refuses_to_write_are_read_only),
	  KTAP_CASE(reading_is_not_writing), KTAP_CASE(a_read_only_file_is_written_by_no_road),
	  KTAP_CASE(what_is_only_written_is_not_mapped), KTAP_CASE(wrong_arguments),
	  KTAP_CASE(wrong_calls_of_drivers), KTAP_CASE(a_mapping_keeps_its_file),
	  KTAP_CASE(a_hole_splits), KTAP_CASE(a_fixed_mapping_takes_the_place),
	  KTAP_CASE(what_the_program_unmapped_itself_is_noticed),
	  KTAP_CASE(a_driver_hands_on_to_another_file), KTAP_CASE(memory_of_vmalloc_user),
	  KTAP_CASE(every_failure_leaves_nothing))
