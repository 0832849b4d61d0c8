/* SPDX-License-Identifier: MIT */
/*
 * hostile.c - a program that does to the devices of `dmabuf run` whatever it likes, for a while
 *
 *     hostile SECONDS SEED PROCESSES
 *
 * Each process has two threads that make random calls on shared memory and shared descriptors: known
 * and unknown requests, good and bad pointers, arguments that the other thread changes meanwhile,
 * numbers that are closed and given out again; they die by SIGKILL in between, some as they wait, and
 * are replaced.  It ends with 0 when after all that the devices still answer as they should.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/dma-buf.h>
#include <linux/dma-heap.h>
#include <linux/udmabuf.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
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
#define FIRST_MEMFD 7

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
	uint64_t *shared; /* one page, of all processes: what is there changes meanwhile */
	uint64_t own[16];
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

/* The lower ones are given out again sooner, and so are somebody's more often. */
static int some_fd(struct state *s)
{
	return draw(s) % (draw(s) % 4 ? 14 : NUMBERS) + 3;
}

/* Where it was when the process began what takes @request, as long as nothing else is put there. */
static int first_fd(struct state *s, unsigned int request)
{
	switch (request >> 8 & 0xff) {
	case 'H':
		return 3;
	case 'u':
		return 5;
	case 'W':
		return 6;
	default:
		return some_fd(s);
	}
}

/* An argument that may be accepted, mostly. */
static void prepare(struct state *s, uint64_t *at, unsigned int request)
{
	uint32_t *words = (uint32_t *)at;

	for (int i = 0; i < 16; i++)
		words[i] = number(s);
	if (draw(s) % 4 == 0)
		return;
	switch (request & 0xffff) {
	case 0x4800: /* ALLOC */
		at[0] = draw(s) % 64 * 4096;
		at[1] = (uint64_t)O_RDWR << 32;
		at[2] = 0;
		break;
	case 0x7542: /* UDMABUF_CREATE */
		words[0] = draw(s) % 2 ? FIRST_MEMFD : some_fd(s);
		words[1] = draw(s) % 2;
		at[1] = draw(s) % 8 * 4096;
		at[2] = draw(s) % 8 * 4096 + 4096;
		break;
	case 0x7543: /* UDMABUF_CREATE_LIST */
		words[0] = draw(s) % 2;
		words[1] = draw(s) % 4;
		for (int i = 0; i < 3; i++) {
			words[2 + 6 * i] = draw(s) % 4 ? FIRST_MEMFD + i % 2 : some_fd(s);
			at[2 + 3 * i] = draw(s) % 16 * 4096;
			at[3 + 3 * i] = 4096;
		}
		break;
	case 0x6200: /* SYNC */
		at[0] = draw(s) % 8;
		break;
	case 0x6202 ... 0x6203: /* EXPORT_SYNC_FILE, IMPORT_SYNC_FILE */
		words[0] = draw(s) % 4;
		words[1] = some_fd(s);
		break;
	case 0x3e03: /* MERGE */
		words[8] = some_fd(s);
		words[10] = words[11] = 0;
		break;
	case 0x3e04: /* FILE_INFO */
		words[9] = words[11] = 0;
		words[10] = draw(s) % 8;
		at[6] = (uintptr_t)(s->shared + draw(s) % 512);
		break;
	case 0x5701: /* INC */
		words[0] = draw(s) % 3;
		break;
	}
}

static void sealed_memory(void)
{
	int fd = memfd_create("dmabuf", MFD_ALLOW_SEALING);

	if (ftruncate(fd, 65536) || fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK))
		close(fd);
}

static void one_call(struct state *s)
{
	struct epoll_event event = { .events = draw(s), .data.u64 = draw(s) };
	unsigned int request = requests[draw(s) % COUNT(requests)];
	size_t length = draw(s) % 8 * 4096 + 1;
	int fd = some_fd(s);
	bool own;
	void *at;

	switch (draw(s) % 16) {
	default:
		if (draw(s) % 2)
			fd = first_fd(s, request);
		own = draw(s) % 2;
		prepare(s, own ? s->own : s->shared, request);
		syscall(SYS_ioctl, fd, request, own ? s->own : pointer(s));
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
		at = mmap(NULL, length, draw(s) % 8, MAP_SHARED, fd, draw(s) % 4 * 4096);
		if (at != MAP_FAILED && draw(s) % 8)
			munmap(at, length);
		break;
	case 13:
		syscall(SYS_epoll_ctl, some_fd(s), draw(s) % 5, fd, &event);
		break;
	case 14:
		dup2(fd, some_fd(s));
		break;
	case 15:
		switch (draw(s) % 3) {
		case 0:
			sealed_memory();
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
	sealed_memory();
	sealed_memory();
	/* A SYNC may wait for ever, and so would this. */
	ualarm(300000, 0);
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
