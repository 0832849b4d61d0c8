/* SPDX-License-Identifier: MIT */
/*
 * hostile.c - a program that does to the devices of `dmabuf run` whatever it likes, for a while
 *
 *     hostile SECONDS SEED PROCESSES
 *
 * Each process has two threads that make random calls on shared memory and shared descriptors: known
 * and unknown requests, good and bad pointers, arguments that the other thread changes meanwhile,
 * numbers that are closed and given out again; some die by SIGKILL in between and are replaced.  It
 * ends with 0 when after all that the devices still answer as they should.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/dma-buf.h>
#include <linux/dma-heap.h>
#include <linux/udmabuf.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define NUMBERS 64 /* descriptors that it plays with */

static const unsigned int requests[] = {
	DMA_HEAP_IOCTL_ALLOC, 0xc0084800, 0xc0404800, 0xffff4800, UDMABUF_CREATE,
	UDMABUF_CREATE_LIST,  0x40086200, 0x40086201, 0x40046201, 0xc0086202,
	0x40086203,           0xc0303e03, 0xc0383e04, 0x40103e05, 0xc0285700,
	0x40045701,           0xc0105702, 0x40086207, 0x00005700, 0xc0004800,
};

static const char *const paths[] = {
	"/dev/dma_heap/system",
	"/dev/dma_heap/reserved",
	"/dev/udmabuf",
	"/dev/sw_sync",
	"/sys/kernel/debug/sync/sw_sync",
	"/dev/dma_heap",
	"/dev/dma_heap/../null",
	"/dev/dma_heap/none",
	"/proc/self/fdinfo/9",
	"/proc/1/fdinfo/3",
	"/dev/../dev/./udmabuf/",
	"dma_heap/system",
	"/proc/self/fd/12",
	"/proc/self/fdinfo/99999999999999",
	"",
};

struct state {
	uint64_t random;
	uint64_t *shared; /* one page, the argument of most calls */
};

static uint64_t draw(struct state *s)
{
	s->random ^= s->random << 13;
	s->random ^= s->random >> 7;
	s->random ^= s->random << 17;
	return s->random;
}

static uint64_t number(struct state *s)
{
	static const uint64_t edges[] = { 0, 1, 4096, 8192, 65536, ~0ULL, 1ULL << 63, 1ULL << 40 };

	switch (draw(s) % 4) {
	case 0:
		return edges[draw(s) % COUNT(edges)];
	case 1:
		return draw(s) % NUMBERS;
	case 2:
		return draw(s) % 16 * 4096;
	default:
		return draw(s);
	}
}

static void *pointer(struct state *s)
{
	switch (draw(s) % 16) {
	case 0:
		return NULL;
	case 1:
		return (void *)draw(s);
	case 2: /* the page ends before the argument does */
		return (char *)s->shared + 4096 - draw(s) % 40;
	default:
		return s->shared + (draw(s) % 4 ? 0 : draw(s) % 8);
	}
}

/* An argument that may be accepted. */
static void prepare(struct state *s)
{
	uint32_t *words = (uint32_t *)s->shared;

	for (int i = 0; i < 16; i++)
		words[i] = number(s);
	switch (draw(s) % 8) {
	case 0 ... 2: /* of a heap */
		s->shared[0] = draw(s) % 64 * 4096;
		s->shared[1] = (uint64_t)O_RDWR << 32;
		s->shared[2] = 0;
		break;
	case 3: /* of a udmabuf */
		words[0] = draw(s) % NUMBERS + 3;
		s->shared[1] = 0;
		s->shared[2] = 8192;
		break;
	case 4: /* flags, and a sync_file */
		words[0] = draw(s) % 8;
		words[1] = draw(s) % NUMBERS + 3;
		break;
	}
}

static void one_call(struct state *s)
{
	struct epoll_event event = { .events = draw(s), .data.u64 = draw(s) };
	int fd = draw(s) % NUMBERS + 3;
	void *at;

	switch (draw(s) % 16) {
	default:
		prepare(s);
		syscall(SYS_ioctl, fd, requests[draw(s) % COUNT(requests)], pointer(s));
		break;
	case 9:
		syscall(SYS_ioctl, fd, (unsigned int)draw(s), pointer(s));
		break;
	case 10:
		syscall(SYS_openat, AT_FDCWD, paths[draw(s) % COUNT(paths)],
			draw(s) & (O_RDWR | O_NONBLOCK | O_DIRECTORY | O_CLOEXEC), 0);
		syscall(SYS_openat, AT_FDCWD, pointer(s), O_RDWR, 0);
		break;
	case 11:
		close(fd);
		break;
	case 12:
		at = mmap(NULL, draw(s) % 8 * 4096 + 1, draw(s) % 8, MAP_SHARED, fd,
			  draw(s) % 4 * 4096);
		if (at != MAP_FAILED)
			munmap(at, 8 * 4096);
		break;
	case 13:
		syscall(SYS_epoll_ctl, draw(s) % NUMBERS + 3, draw(s) % 5, fd, &event);
		break;
	case 14:
		dup2(fd, draw(s) % NUMBERS + 3);
		break;
	case 15:
		switch (draw(s) % 3) {
		case 0:
			fd = memfd_create("dmabuf", MFD_ALLOW_SEALING);
			if (ftruncate(fd, 65536) || fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK))
				close(fd);
			break;
		case 1:
			epoll_create1(0);
			break;
		default:
			syscall(SYS_newfstatat, AT_FDCWD, paths[draw(s) % COUNT(paths)], pointer(s),
				0);
		}
	}
}

static void *scribble(void *arg)
{
	struct state own = *(struct state *)arg;

	own.random ^= 0x9e3779b97f4a7c15;
	for (;;)
		one_call(&own);
	return NULL;
}

static void process(uint64_t seed, uint64_t *shared)
{
	struct state s = { .random = seed | 1, .shared = shared };
	struct rlimit limit = { NUMBERS + 8, NUMBERS + 8 };
	pthread_t other;

	setrlimit(RLIMIT_NOFILE, &limit);
	for (size_t i = 0; i < 4; i++)
		syscall(SYS_openat, AT_FDCWD, paths[i], O_RDWR, 0);
	/* A SYNC may wait for ever, and so would this. */
	alarm(2);
	if (pthread_create(&other, NULL, scribble, &s))
		_exit(1);
	for (unsigned int calls = draw(&s) % 3000 + 1; calls; calls--)
		one_call(&s);
	kill(getpid(), SIGKILL);
}

static int still_right(void)
{
	struct dma_heap_allocation_data data = { .len = 8192, .fd_flags = O_RDWR };
	struct dma_buf_sync sync = { DMA_BUF_SYNC_RW };
	int heap = open("/dev/dma_heap/system", O_RDWR);
	char *at;

	/* What the dead had is given back while we ask. */
	for (int i = 0; i < 1000 && ioctl(heap, DMA_HEAP_IOCTL_ALLOC, &data); i++)
		usleep(10000);
	if (!data.fd)
		return 1;
	at = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_SHARED, data.fd, 0);
	if (at == MAP_FAILED)
		return 2;
	if (at[0] || at[8191])
		return 3;
	if (ioctl(data.fd, DMA_BUF_IOCTL_SYNC, &sync))
		return 4;
	return ioctl(data.fd, DMA_BUF_IOCTL_SYNC, NULL) != -1 || errno != EFAULT ? 5 : 0;
}

int main(int argc, char **argv)
{
	const time_t end = time(NULL) + (argc > 1 ? atoi(argv[1]) : 1);
	uint64_t seed = argc > 2 ? strtoull(argv[2], NULL, 0) : 1;
	int processes = argc > 3 ? atoi(argv[3]) : 2, running = 0, ret;
	unsigned int begun = 0;
	/* The page behind it is not there. */
	uint64_t *shared =
		mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	munmap((char *)shared + 4096, 4096);
	while (time(NULL) < end || running) {
		if (running < processes && time(NULL) < end) {
			begun++;
			seed = seed * 6364136223846793005 + 1442695040888963407;
			if (!fork())
				process(seed, shared);
			running++;
			continue;
		}
		wait(NULL);
		running--;
	}
	ret = still_right();
	printf("%u processes, the end was %s (%d)\n", begun, ret ? "wrong" : "right", ret);
	return ret;
}
