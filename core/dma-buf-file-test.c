/* SPDX-License-Identifier: MIT */
/*
 * dma-buf-file-test.c - what a program does with a buffer's descriptor, and programs that never
 * bracket
 */
#include <sys/mman.h>
#include <sys/stat.h>

#include <linux/anon_inodes.h>
#include <linux/device.h>
#include <linux/dma-cost.h>
#include <linux/dma-mapping.h>
#include <linux/file.h>
#include <linux/mm.h>
#include <linux/poll.h>
#include <linux/sched.h>
#include <linux/slab.h>

#include "buffer.h"
#include "dma/engine.h"
#include "dma/machine.h"
#include "host/file.h"
#include "host/port.h"
#include "test-access.h"
#include "test-exporter.h"
#include "tests/ktap.h"
#include "tests/threads.h"

#define ORDER 1
#define BYTES (PAGE_SIZE << ORDER)
#define RW (PROT_READ | PROT_WRITE)

static int export_fd(struct test_exporter *exporter, int flags)
{
	struct dma_buf *dmabuf;

	exporter->flags = flags;
	dmabuf = test_export(exporter, ORDER);
	return dma_buf_fd(dmabuf, O_CLOEXEC);
}

static long sync_ioctl(int fd, u64 flags)
{
	struct dma_buf_sync sync = { .flags = flags };

	return host_ioctl(fd, DMA_BUF_IOCTL_SYNC, (unsigned long)&sync);
}

/* What the CPU has open of the first byte. */
static unsigned int cpu_open(struct dma_buf *dmabuf)
{
	struct coherence *c = &to_buffer(dmabuf)->coherence;
	unsigned int mode = 0;

	coherence_lock(c);
	if (coherence_open_at(c, 0, COHERENCE_READ) & COHERENCE_SET_C)
		mode |= COHERENCE_READ;
	if (coherence_open_at(c, 0, COHERENCE_WRITE) & COHERENCE_SET_C)
		mode |= COHERENCE_WRITE;
	coherence_unlock(c);
	return mode;
}

/* --- mmap ------------------------------------------------------------------------------------- */

static void a_mapping_is_the_buffer(struct ktap *t)
{
	for (int policy = DMA_BUF_POLICY_CACHED; policy <= DMA_BUF_POLICY_REMAP; policy++) {
		struct test_exporter exporter = {};
		u8 *at, *second;
		int fd;

		dma_buf_set_policy(policy);
		fd = export_fd(&exporter, O_RDWR);
		at = host_mmap(fd, NULL, BYTES, RW, MAP_SHARED, 0);
		second = host_mmap(fd, NULL, PAGE_SIZE, PROT_READ, MAP_SHARED, PAGE_SIZE);
		KT_ASSERT(t, !IS_ERR(at) && !IS_ERR(second));
		at[PAGE_SIZE + 3] = 7;
		KT_EQ(t, test_bytes(&exporter)[PAGE_SIZE + 3], 7);
		KT_EQ(t, second[3], 7);

		/* A mapping keeps the buffer. */
		KT_EQ(t, host_close(fd), 0);
		KT_EQ(t, host_munmap(second, PAGE_SIZE), 0);
		KT_EQ(t, exporter.releases, 0);
		KT_EQ(t, host_munmap(at, BYTES), 0);
		KT_EQ(t, exporter.releases, 1);
	}
	dma_buf_set_policy(DMA_BUF_POLICY_CACHED);
}

static void nothing_outside_the_buffer(struct ktap *t)
{
	struct test_exporter exporter = {};
	int fd = export_fd(&exporter, O_RDWR);

	KT_EQ(t, PTR_ERR(host_mmap(fd, NULL, BYTES + 1, RW, MAP_SHARED, 0)), -EINVAL);
	KT_EQ(t, PTR_ERR(host_mmap(fd, NULL, PAGE_SIZE, RW, MAP_SHARED, BYTES)), -EINVAL);
	KT_EQ(t, PTR_ERR(host_mmap(fd, NULL, BYTES, RW, MAP_SHARED, PAGE_SIZE)), -EINVAL);
	KT_EQ(t, exporter.mmaps, 0);
	exporter.refuse_mmap = -EPERM;
	KT_EQ(t, PTR_ERR(host_mmap(fd, NULL, BYTES, RW, MAP_SHARED, 0)), -EPERM);
	exporter.ops.mmap = NULL;
	KT_EQ(t, PTR_ERR(host_mmap(fd, NULL, BYTES, RW, MAP_SHARED, 0)), -EINVAL);
	KT_EQ(t, host_close(fd), 0);
	KT_EQ(t, exporter.releases, 1);
}

static void a_read_only_buffer_is_not_written(struct ktap *t)
{
	struct test_exporter exporter = {};
	int fd = export_fd(&exporter, O_RDONLY);
	u8 *at;

	KT_EQ(t, PTR_ERR(host_mmap(fd, NULL, BYTES, RW, MAP_SHARED, 0)), -EACCES);
	at = host_mmap(fd, NULL, BYTES, PROT_READ, MAP_SHARED, 0);
	KT_ASSERT(t, !IS_ERR(at));
	KT_EQ(t, mprotect(at, BYTES, RW), -1);
	KT_EQ(t, host_munmap(at, BYTES), 0);
	KT_EQ(t, host_close(fd), 0);
}

static struct dma_buf *behind;
static unsigned long behind_pgoff;

static int front_mmap(struct file *file, struct vm_area_struct *vma)
{
	return dma_buf_mmap(behind, vma, behind_pgoff);
}

static const struct file_operations front_fops = { .mmap = front_mmap };

static void a_driver_maps_a_buffer_through_its_own_file(struct ktap *t)
{
	struct test_exporter exporter = {};
	struct vm_area_struct vma = { .vm_end = PAGE_SIZE };
	int front = anon_inode_getfd("front", &front_fops, NULL, O_RDWR);
	u8 *at;

	behind = test_export(&exporter, ORDER);
	test_bytes(&exporter)[PAGE_SIZE] = 5;
	behind_pgoff = 1;
	at = host_mmap(front, NULL, PAGE_SIZE, RW, MAP_SHARED, 0);
	KT_ASSERT(t, !IS_ERR(at));
	KT_EQ(t, at[0], 5);
	KT_EQ(t, file_count(behind->file), 2);
	KT_EQ(t, host_munmap(at, PAGE_SIZE), 0);
	KT_EQ(t, file_count(behind->file), 1);

	behind_pgoff = 2;
	KT_EQ(t, PTR_ERR(host_mmap(front, NULL, PAGE_SIZE, RW, MAP_SHARED, 0)), -EINVAL);
	KT_EQ(t, dma_buf_mmap(behind, &vma, ULONG_MAX), -EOVERFLOW);
	ktap_expect_warn(t, "mmap without a buffer");
	KT_EQ(t, dma_buf_mmap(NULL, &vma, 0), -EINVAL);
	ktap_expect_warn(t, "mmap without a buffer");
	KT_EQ(t, dma_buf_mmap(behind, NULL, 0), -EINVAL);
	exporter.ops.mmap = NULL;
	KT_EQ(t, dma_buf_mmap(behind, &vma, 0), -EINVAL);
	KT_EQ(t, file_count(behind->file), 1);
	dma_buf_put(behind);
	KT_EQ(t, host_close(front), 0);
}

static int vma_opens, vma_closes;

static void count_open(struct vm_area_struct *vma)
{
	vma_opens += vma->vm_private_data != NULL;
}

static void count_close(struct vm_area_struct *vma)
{
	vma_closes += vma->vm_private_data != NULL;
}

static const struct vm_operations_struct counting_ops = {
	.open = count_open,
	.close = count_close,
};

static void the_exporters_operations_are_called(struct ktap *t)
{
	struct test_exporter exporter = { .vm_ops = &counting_ops };
	int fd = export_fd(&exporter, O_RDWR);
	struct dma_buf *dmabuf = dma_buf_get(fd);
	u8 *at = host_mmap(fd, NULL, BYTES, RW, MAP_SHARED, 0);

	vma_opens = vma_closes = 0;
	KT_ASSERT(t, !IS_ERR(at));
	/* A hole at its start leaves one piece more open, then one closed. */
	KT_EQ(t, host_munmap(at, PAGE_SIZE), 0);
	KT_EQ(t, vma_opens, 1);
	KT_EQ(t, vma_closes, 1);
	KT_EQ(t, cpu_open(dmabuf), COHERENCE_READ | COHERENCE_WRITE);
	KT_EQ(t, host_munmap(at + PAGE_SIZE, PAGE_SIZE), 0);
	KT_EQ(t, vma_closes, 2);
	KT_EQ(t, cpu_open(dmabuf), 0);
	dma_buf_put(dmabuf);
	KT_EQ(t, host_close(fd), 0);
}

/* An exporter that counts nothing: the mapping lives until its last piece goes. */
static void the_exporters_operations_may_be_none(struct ktap *t)
{
	static const struct vm_operations_struct none;
	struct test_exporter exporter = { .vm_ops = &none };
	int fd = export_fd(&exporter, O_RDWR);
	struct dma_buf *dmabuf = dma_buf_get(fd);
	u8 *at = host_mmap(fd, NULL, BYTES, RW, MAP_SHARED, 0);

	KT_ASSERT(t, !IS_ERR(at));
	KT_EQ(t, host_munmap(at, PAGE_SIZE), 0);
	KT_EQ(t, cpu_open(dmabuf), COHERENCE_READ | COHERENCE_WRITE);
	KT_EQ(t, host_munmap(at + PAGE_SIZE, PAGE_SIZE), 0);
	KT_EQ(t, cpu_open(dmabuf), 0);
	dma_buf_put(dmabuf);
	KT_EQ(t, host_close(fd), 0);
}

/* --- programs that do not bracket ------------------------------------------------------------- */

static void device_writes(struct ktap *t, struct dma_buf_attachment *attach, u8 value)
{
	struct sg_table *sgt = dma_buf_map_attachment_unlocked(attach, DMA_FROM_DEVICE);
	u8 bytes[200];

	KT_ASSERT(t, !IS_ERR(sgt));
	memset(bytes, value, sizeof(bytes));
	KT_EQ(t, dma_engine_write(attach->dev, sgt, 50, bytes, sizeof(bytes)), 0);
	dma_buf_unmap_attachment_unlocked(attach, sgt, DMA_FROM_DEVICE);
}

struct stage {
	struct test_exporter exporter;
	struct machine *machine;
	struct device *dev;
	struct dma_buf *dmabuf;
	struct dma_buf_attachment *attach;
	int fd;
	u8 *at;
};

static void stage_up(struct stage *s, const char *machine, int policy)
{
	const struct machine_type *type = machine_type_find(machine);

	*s = (struct stage){ .exporter.ops = { .may_widen = true, .cpu_access_only_syncs = true } };
	dma_buf_set_policy(policy);
	s->machine = machine_create(type, 0);
	s->dev = machine_add_device(s->machine, "importer", type->coherent);
	s->fd = export_fd(&s->exporter, O_RDWR);
	s->dmabuf = dma_buf_get(s->fd);
	s->attach = dma_buf_attach(s->dmabuf, s->dev);
	s->at = host_mmap(s->fd, NULL, BYTES, RW, MAP_SHARED, 0);
}

static void stage_down(struct ktap *t, struct stage *s)
{
	KT_EQ(t, host_munmap(s->at, BYTES), 0);
	dma_buf_detach(s->dmabuf, s->attach);
	dma_buf_put(s->dmabuf);
	KT_EQ(t, host_close(s->fd), 0);
	KT_EQ(t, s->exporter.releases, 1);
	machine_remove_device(s->dev);
	machine_destroy(s->machine);
	dma_buf_set_policy(DMA_BUF_POLICY_CACHED);
}

static const char *const machines[] = { "pc", "arm", "bounce" };

static void who_never_brackets_has_the_right_bytes(struct ktap *t)
{
	for (unsigned int i = 0; i < 2 * ARRAY_SIZE(machines); i++) {
		struct stage s;

		stage_up(&s, machines[i / 2], i % 2 ? DMA_BUF_POLICY_REMAP : DMA_BUF_POLICY_CACHED);
		KT_ASSERT(t, !IS_ERR(s.attach) && !IS_ERR(s.at));
		for (u8 round = 1; round < 20; round++) {
			device_writes(t, s.attach, round);
			KT_EQ(t, s.at[50], round);
			KT_EQ(t, s.at[249], round);
			s.at[60] = 100 + round;
			s.at[4000] = 200 - round;
			KT_EQ(t, test_device_read(t, s.attach, 60), 100 + round);
			KT_EQ(t, test_device_read(t, s.attach, 4000), 200 - round);
			KT_EQ(t, test_device_read(t, s.attach, 61), round);
		}
		stage_down(t, &s);
	}
}

/*
 * The other side of the same: who has bracketed once is believed, so that what he does outside of
 * brackets is not seen.  Were it seen, caching would gain nothing and the case above prove nothing.
 */
static void who_has_bracketed_is_believed(struct ktap *t)
{
	for (unsigned int i = 1; i < ARRAY_SIZE(machines); i++) {
		struct stage s;

		stage_up(&s, machines[i], DMA_BUF_POLICY_CACHED);
		KT_ASSERT(t, !IS_ERR(s.attach) && !IS_ERR(s.at));
		KT_EQ(t, sync_ioctl(s.fd, DMA_BUF_SYNC_START | DMA_BUF_SYNC_RW), 0);
		s.at[60] = 1;
		KT_EQ(t, sync_ioctl(s.fd, DMA_BUF_SYNC_END | DMA_BUF_SYNC_RW), 0);
		KT_EQ(t, test_device_read(t, s.attach, 60), 1);
		s.at[60] = 2;
		KT_EQ(t, test_device_read(t, s.attach, 60), 1);

		KT_EQ(t, sync_ioctl(s.fd, DMA_BUF_SYNC_START | DMA_BUF_SYNC_WRITE), 0);
		s.at[60] = 3;
		KT_EQ(t, sync_ioctl(s.fd, DMA_BUF_SYNC_END | DMA_BUF_SYNC_WRITE), 0);
		KT_EQ(t, test_device_read(t, s.attach, 60), 3);
		device_writes(t, s.attach, 4);
		KT_EQ(t, sync_ioctl(s.fd, DMA_BUF_SYNC_START | DMA_BUF_SYNC_READ), 0);
		KT_EQ(t, s.at[60], 4);
		KT_EQ(t, sync_ioctl(s.fd, DMA_BUF_SYNC_END | DMA_BUF_SYNC_READ), 0);
		stage_down(t, &s);
	}
}

/* What was written before the first bracket is not lost by it. */
static void the_first_bracket_ends_a_write(struct ktap *t)
{
	for (unsigned int end = 0; end < 2; end++) {
		for (unsigned int i = 0; i < ARRAY_SIZE(machines); i++) {
			struct stage s;

			stage_up(&s, machines[i], DMA_BUF_POLICY_CACHED);
			KT_ASSERT(t, !IS_ERR(s.attach) && !IS_ERR(s.at));
			device_writes(t, s.attach, 1);
			s.at[60] = 2;
			/* END without START is the end of a write, too. */
			KT_EQ(t, sync_ioctl(s.fd, DMA_BUF_SYNC_READ | (end ? DMA_BUF_SYNC_END : 0)),
			      0);
			KT_EQ(t, cpu_open(s.dmabuf), end ? 0 : COHERENCE_READ);
			if (!end)
				KT_EQ(t, sync_ioctl(s.fd, DMA_BUF_SYNC_READ | DMA_BUF_SYNC_END), 0);
			KT_EQ(t, test_device_read(t, s.attach, 60), 2);
			KT_EQ(t, test_device_read(t, s.attach, 61), 1);
			stage_down(t, &s);
		}
	}
}

static void trust_begins_and_ends(struct ktap *t)
{
	const unsigned int both = COHERENCE_READ | COHERENCE_WRITE;
	struct stage s;
	u8 *second;

	stage_up(&s, "arm", DMA_BUF_POLICY_CACHED);
	KT_EQ(t, cpu_open(s.dmabuf), both);
	KT_EQ(t, sync_ioctl(s.fd, DMA_BUF_SYNC_START | DMA_BUF_SYNC_READ), 0);
	KT_EQ(t, cpu_open(s.dmabuf), COHERENCE_READ);
	KT_EQ(t, sync_ioctl(s.fd, DMA_BUF_SYNC_END | DMA_BUF_SYNC_READ), 0);
	KT_EQ(t, cpu_open(s.dmabuf), 0);

	/* A new mapping may be another library's, which does not bracket. */
	second = host_mmap(s.fd, NULL, BYTES, PROT_READ, MAP_PRIVATE, 0);
	KT_EQ(t, cpu_open(s.dmabuf), COHERENCE_READ);
	KT_EQ(t, host_munmap(second, BYTES), 0);
	second = host_mmap(s.fd, NULL, BYTES, RW, MAP_SHARED, 0);
	KT_EQ(t, cpu_open(s.dmabuf), both);
	KT_EQ(t, host_munmap(second, BYTES), 0);
	KT_EQ(t, cpu_open(s.dmabuf), both);

	/* A bracket that fails is none. */
	KT_EQ(t, sync_ioctl(s.fd, DMA_BUF_SYNC_START), -EINVAL);
	port_fail_nth(PORT_FAULT_ALLOC, 1);
	KT_EQ(t, sync_ioctl(s.fd, DMA_BUF_SYNC_START | DMA_BUF_SYNC_RW), -ENOMEM);
	port_fail_nth(PORT_FAULT_ALLOC, 0);
	KT_EQ(t, cpu_open(s.dmabuf), both);
	stage_down(t, &s);
}

static void a_begin_without_end_stays_open(struct ktap *t)
{
	struct stage s;

	stage_up(&s, "arm", DMA_BUF_POLICY_CACHED);
	KT_EQ(t, sync_ioctl(s.fd, DMA_BUF_SYNC_START | DMA_BUF_SYNC_RW), 0);
	for (u8 round = 1; round < 5; round++) {
		device_writes(t, s.attach, round);
		KT_EQ(t, s.at[70], round);
		s.at[70] = 50 + round;
		KT_EQ(t, test_device_read(t, s.attach, 70), 50 + round);
	}
	KT_EQ(t, sync_ioctl(s.fd, DMA_BUF_SYNC_END | DMA_BUF_SYNC_RW), 0);
	stage_down(t, &s);
}

static void every_failure_leaves_nothing(struct ktap *t)
{
	static const enum port_fault kinds[] = { PORT_FAULT_ALLOC, PORT_FAULT_MAP };
	struct test_exporter exporter = {};
	int fd = export_fd(&exporter, O_RDWR);
	struct dma_buf *dmabuf = dma_buf_get(fd);

	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		int nth = 0;
		u8 *at;

		do {
			port_fail_nth(kinds[i], ++nth);
			at = host_mmap(fd, NULL, BYTES, RW, MAP_SHARED, 0);
			KT_CHECK(t, !IS_ERR(at) || PTR_ERR(at) == -ENOMEM);
			KT_EQ(t, cpu_open(dmabuf) != 0, !IS_ERR(at));
		} while (IS_ERR(at));
		port_fail_nth(kinds[i], 0);
		KT_CHECK(t, nth > 2);
		KT_EQ(t, host_munmap(at, BYTES), 0);
	}
	dma_buf_put(dmabuf);
	KT_EQ(t, host_close(fd), 0);
}

/* --- poll ------------------------------------------------------------------------------------- */

struct job {
	struct dma_fence base;
	spinlock_t lock;
};

static const char *job_name(struct dma_fence *fence)
{
	return "job";
}

static const struct dma_fence_ops job_ops = {
	.get_driver_name = job_name,
	.get_timeline_name = job_name,
};

static struct dma_fence *job_add(struct dma_buf *dmabuf, enum dma_resv_usage usage)
{
	struct job *job = kzalloc(sizeof(*job), GFP_KERNEL);

	spin_lock_init(&job->lock);
	dma_fence_init(&job->base, &job_ops, &job->lock, dma_fence_context_alloc(1), 1);
	dma_resv_lock(dmabuf->resv, NULL);
	dma_resv_reserve_fences(dmabuf->resv, 1);
	dma_resv_add_fence(dmabuf->resv, &job->base, usage);
	dma_resv_unlock(dmabuf->resv);
	return &job->base;
}

static void job_end(struct dma_fence *fence)
{
	dma_fence_signal(fence);
	dma_fence_put(fence);
}

static void readiness_follows_the_fences(struct ktap *t)
{
	struct test_exporter exporter = {};
	int fd = export_fd(&exporter, O_RDWR);
	struct dma_buf *dmabuf = dma_buf_get(fd);
	struct dma_fence *reader, *writer;

	KT_EQ(t, host_poll(fd, EPOLLIN | EPOLLOUT, 0), EPOLLIN | EPOLLOUT);
	reader = job_add(dmabuf, DMA_RESV_USAGE_READ);
	KT_EQ(t, host_poll(fd, EPOLLIN | EPOLLOUT, 0), EPOLLIN);
	writer = job_add(dmabuf, DMA_RESV_USAGE_WRITE);
	KT_EQ(t, host_poll(fd, EPOLLIN | EPOLLOUT, 0), 0);
	KT_EQ(t, host_poll(fd, EPOLLERR, 0), 0);
	job_end(writer);
	KT_EQ(t, host_poll(fd, EPOLLIN | EPOLLOUT, 0), EPOLLIN);
	job_end(reader);
	KT_EQ(t, host_poll(fd, EPOLLIN | EPOLLOUT, 0), EPOLLIN | EPOLLOUT);
	/* Bookkeeping is nobody's business. */
	reader = job_add(dmabuf, DMA_RESV_USAGE_BOOKKEEP);
	KT_EQ(t, host_poll(fd, EPOLLIN | EPOLLOUT, 0), EPOLLIN | EPOLLOUT);
	job_end(reader);
	dma_buf_put(dmabuf);
	KT_EQ(t, host_close(fd), 0);
	flush_delayed_fput();
	KT_EQ(t, exporter.releases, 1);
}

struct waiter {
	int fd, result;
	__poll_t events;
};

static int wait_thread(void *data)
{
	struct waiter *waiter = data;

	WRITE_ONCE(waiter->result, host_poll(waiter->fd, waiter->events, -1));
	return 0;
}

static void wait_until_polled(struct dma_buf *dmabuf)
{
	wait_queue_head_t *queue = &to_buffer(dmabuf)->poll;
	bool polled;

	do {
		spin_lock(&queue->lock);
		polled = waitqueue_active(queue);
		spin_unlock(&queue->lock);
		yield();
	} while (!polled);
}

/* Fences one after the other: each that ends wakes a poller who must go on to the next. */
static void pollers_sleep_until_the_last_fence(struct ktap *t)
{
	for (int i = 0; i < (ktap_long ? 5000 : 200); i++) {
		struct test_exporter exporter = {};
		int fd = export_fd(&exporter, O_RDWR);
		struct dma_buf *dmabuf = dma_buf_get(fd);
		struct dma_fence *jobs[4];
		struct waiter in = { .fd = fd, .events = EPOLLIN };
		struct waiter out = { .fd = fd, .events = EPOLLOUT };
		struct task_struct *threads[2];

		for (int j = 0; j < 4; j++)
			jobs[j] =
				job_add(dmabuf, j & 1 ? DMA_RESV_USAGE_WRITE : DMA_RESV_USAGE_READ);
		threads[0] = test_thread_start(wait_thread, &in);
		threads[1] = test_thread_start(wait_thread, &out);
		if (i & 1)
			wait_until_polled(dmabuf);
		job_end(jobs[3]);
		job_end(jobs[0]);
		KT_EQ(t, READ_ONCE(in.result), 0);
		job_end(jobs[1]);
		while (!READ_ONCE(in.result))
			yield();
		KT_EQ(t, READ_ONCE(out.result), 0);
		job_end(jobs[2]);
		while (!READ_ONCE(out.result))
			yield();
		test_thread_end(threads[0]);
		test_thread_end(threads[1]);
		KT_EQ(t, in.result, EPOLLIN);
		KT_EQ(t, out.result, EPOLLOUT);
		dma_buf_put(dmabuf);
		KT_EQ(t, host_close(fd), 0);
		flush_delayed_fput();
		KT_EQ(t, exporter.releases, 1);
	}
}

/* An armed fence keeps the file, and its end, under the fence's lock, releases it elsewhere. */
static void the_last_reference_may_be_the_fences(struct ktap *t)
{
	struct test_exporter exporter = {};
	struct dma_buf *dmabuf;
	struct dma_resv resv;
	struct dma_fence *job;
	int fd;

	dma_resv_init(&resv);
	exporter.resv = &resv;
	fd = export_fd(&exporter, O_RDWR);
	dmabuf = dma_buf_get(fd);
	job = job_add(dmabuf, DMA_RESV_USAGE_WRITE);
	dma_buf_put(dmabuf);
	KT_EQ(t, host_poll(fd, EPOLLIN, 0), 0);
	KT_EQ(t, host_close(fd), 0);
	KT_EQ(t, exporter.releases, 0);
	job_end(job);
	flush_delayed_fput();
	KT_EQ(t, exporter.releases, 1);
	dma_resv_fini(&resv);
}

/* --- ioctls, and what the file says of itself ------------------------------------------------- */

static void wrong_ioctls(struct ktap *t)
{
	struct test_exporter exporter = {};
	int fd = export_fd(&exporter, O_RDWR);

	KT_EQ(t, sync_ioctl(fd, 0), -EINVAL);
	KT_EQ(t, sync_ioctl(fd, DMA_BUF_SYNC_END), -EINVAL);
	KT_EQ(t, sync_ioctl(fd, DMA_BUF_SYNC_RW | 8), -EINVAL);
	KT_EQ(t, sync_ioctl(fd, DMA_BUF_SYNC_RW | 1ull << 63), -EINVAL);
	KT_EQ(t, host_ioctl(fd, DMA_BUF_IOCTL_SYNC, 16), -EFAULT);
	KT_EQ(t, host_ioctl(fd, DMA_BUF_SET_NAME_A, 16), -EFAULT);
	KT_EQ(t, host_ioctl(fd, 0x1234, 0), -ENOTTY);
	KT_EQ(t, exporter.begins, 0);
	KT_EQ(t, exporter.ends, 0);
	KT_EQ(t, host_close(fd), 0);
}

static void names(struct ktap *t)
{
	static const char longest[] = "thirty-one bytes and their end.";
	struct test_exporter exporter = {};
	int fd = export_fd(&exporter, O_RDWR);
	char text[512];

	host_fdinfo(fd, text, sizeof(text));
	KT_CHECK(t, strstr(text, "size:\t8192\ncount:\t1\nexp_name:\ttest\n"));
	KT_CHECK(t, !strstr(text, "\nname:"));
	KT_EQ(t, sizeof(longest), DMA_BUF_NAME_LEN);
	KT_EQ(t, host_ioctl(fd, DMA_BUF_SET_NAME, (unsigned long)longest), 0);
	KT_EQ(t,
	      host_ioctl(fd, DMA_BUF_SET_NAME, (unsigned long)"-thirty-one bytes and their end."),
	      -EINVAL);
	host_fdinfo(fd, text, sizeof(text));
	KT_CHECK(t, strstr(text, "\nname:\tthirty-one bytes and their end.\n"));
	KT_EQ(t, host_ioctl(fd, DMA_BUF_SET_NAME_A, (unsigned long)"a"), 0);
	host_fdinfo(fd, text, sizeof(text));
	KT_CHECK(t, strstr(text, "\nname:\ta\n"));
	KT_EQ(t, host_ioctl(fd, DMA_BUF_SET_NAME_A, (unsigned long)""), 0);
	host_fdinfo(fd, text, sizeof(text));
	KT_CHECK(t, strstr(text, "\nname:\t\n"));
	port_fail_nth(PORT_FAULT_ALLOC, 1);
	KT_EQ(t, host_ioctl(fd, DMA_BUF_SET_NAME_B, (unsigned long)"b"), -ENOMEM);
	port_fail_nth(PORT_FAULT_ALLOC, 0);
	KT_EQ(t, host_close(fd), 0);
}

static void the_size_can_be_asked(struct ktap *t)
{
	struct test_exporter exporter = {};
	int fd = export_fd(&exporter, O_RDWR);
	struct stat st;

	KT_EQ(t, host_lseek(fd, 0, SEEK_END), BYTES);
	KT_EQ(t, host_lseek(fd, 0, SEEK_SET), 0);
	KT_EQ(t, host_lseek(fd, 1, SEEK_SET), -EINVAL);
	KT_EQ(t, host_lseek(fd, -1, SEEK_END), -EINVAL);
	KT_EQ(t, host_lseek(fd, 0, SEEK_CUR), -EINVAL);
	KT_EQ(t, host_fstat(fd, &st), 0);
	KT_EQ(t, st.st_size, BYTES);
	KT_EQ(t, host_close(fd), 0);
}

KTAP_MAIN(KTAP_CASE(a_mapping_is_the_buffer), KTAP_CASE(nothing_outside_the_buffer),
	  KTAP_CASE(a_read_only_buffer_is_not_written),
	  KTAP_CASE(a_driver_maps_a_buffer_through_its_own_file),
	  KTAP_CASE(the_exporters_operations_are_called),
	  KTAP_CASE(who_never_brackets_has_the_right_bytes),
	  KTAP_CASE(who_has_bracketed_is_believed), KTAP_CASE(the_first_bracket_ends_a_write),
	  KTAP_CASE(trust_begins_and_ends), KTAP_CASE(a_begin_without_end_stays_open),
	  KTAP_CASE(every_failure_leaves_nothing), KTAP_CASE(readiness_follows_the_fences),
	  KTAP_CASE(pollers_sleep_until_the_last_fence),
	  KTAP_CASE(the_last_reference_may_be_the_fences), KTAP_CASE(wrong_ioctls),
	  KTAP_CASE(names), KTAP_CASE(the_size_can_be_asked),
	  KTAP_CASE(the_exporters_operations_may_be_none))
