/* SPDX-License-Identifier: MIT */
/*
 * guest.c - see guest.h; it is the machine's /init
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/dma-buf.h>
#include <linux/dma-heap.h>
#include <linux/udmabuf.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include "guest.h"

#define DESCRIPTORS 256
#define TOLD 8 /* failed checks of one case; the others are counted */

const char *machine = "none";
bool take_long;
static const char *only; /* cases whose name has this */
static unsigned int failures;
static const char *skipped;
static int importer_fd = -1;
static bool ours[DESCRIPTORS];

/* --- reporting -------------------------------------------------------------------------------- */

void failed(const char *file, int line, const char *what, const char *format, ...)
{
	va_list arguments;

	if (++failures > TOLD)
		return;
	printf("# %s:%d: %s", file, line, what);
	va_start(arguments, format);
	vprintf(format, arguments);
	va_end(arguments);
	printf("\n");
}

bool check_equal_at(const char *file, int line, const char *a, long long x, const char *b,
		    long long y)
{
	if (x == y)
		return true;
	failed(file, line, a, " is %lld, not %s = %lld", x, b, y);
	return false;
}

void skip(const char *format, ...)
{
	static char reason[200];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(reason, sizeof(reason), format, arguments);
	va_end(arguments);
	skipped = reason;
}

void say(const char *format, ...)
{
	va_list arguments;

	printf("# ");
	va_start(arguments, format);
	vprintf(format, arguments);
	va_end(arguments);
	printf("\n");
}

/* --- descriptors ------------------------------------------------------------------------------ */

static int keep(int fd)
{
	if (fd >= 0 && fd < DESCRIPTORS)
		ours[fd] = true;
	return fd < 0 ? -errno : fd;
}

void drop(int fd)
{
	if (fd >= 0 && fd < DESCRIPTORS && ours[fd]) {
		ours[fd] = false;
		close(fd);
	}
}

int heap_buffer(size_t size)
{
	return heap_buffer_as(size, O_RDWR);
}

int heap_buffer_as(size_t size, unsigned int flags)
{
	struct dma_heap_allocation_data data = { .len = size, .fd_flags = flags | O_CLOEXEC };
	int heap = open("/dev/dma_heap/system", O_RDONLY | O_CLOEXEC), ret;

	if (heap < 0)
		return -errno;
	ret = ioctl(heap, DMA_HEAP_IOCTL_ALLOC, &data);
	ret = ret < 0 ? -errno : keep(data.fd);
	close(heap);
	return ret;
}

int udma_buffer(size_t size)
{
	struct udmabuf_create create = { .flags = UDMABUF_FLAGS_CLOEXEC, .size = size };
	int device = open("/dev/udmabuf", O_RDWR | O_CLOEXEC), ret;

	if (device < 0)
		return -errno;
	create.memfd = memfd_create("udmabuf", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (ftruncate(create.memfd, size) || fcntl(create.memfd, F_ADD_SEALS, F_SEAL_SHRINK))
		return -errno;
	ret = keep(ioctl(device, UDMABUF_CREATE, &create));
	close(create.memfd);
	close(device);
	return ret;
}

int own_buffer(size_t size, unsigned int flags)
{
	struct importer_call call = { .op = IMPORT_EXPORT, .size = size, .flags = flags };
	int ret = importer(&call);

	return ret < 0 ? ret : keep(call.fd);
}

int wrap(int fd, unsigned int flags)
{
	struct dmabuf_cache_wrap wrap = { .fd = fd, .flags = flags | DMABUF_CACHE_CLOEXEC };
	int device = open("/dev/dmabuf-cache", O_RDWR | O_CLOEXEC), ret;

	if (device < 0)
		return -errno;
	ret = keep(ioctl(device, DMABUF_CACHE_WRAP, &wrap));
	close(device);
	return ret;
}

int wrapped(int fd, unsigned int flags)
{
	int ret = wrap(fd, flags);

	drop(fd);
	return ret;
}

/* --- importing -------------------------------------------------------------------------------- */

int importer(struct importer_call *call)
{
	if (importer_fd < 0)
		importer_fd = open("/dev/importer", O_RDWR | O_CLOEXEC);
	return ioctl(importer_fd, IMPORTER_CALL, call) < 0 ? -errno : 0;
}

bool fail_at(unsigned int k)
{
	struct importer_call call = { .op = IMPORT_FAIL, .size = k };

	check_equal(importer(&call), 0);
	return call.handle;
}

void forked(void)
{
	if (importer_fd >= 0)
		close(importer_fd);
	importer_fd = -1;
}

int attach(int fd, enum importer_device device, unsigned int flags)
{
	struct importer_call call = {
		.op = IMPORT_ATTACH, .fd = fd, .device = device, .flags = flags
	};
	int ret = importer(&call);

	return ret < 0 ? ret : (int)call.handle;
}

int detach(int handle)
{
	return importer(&(struct importer_call){ .op = IMPORT_DETACH, .handle = handle });
}

int map(int handle, unsigned int dir)
{
	return importer(&(struct importer_call){ .op = IMPORT_MAP, .handle = handle, .dir = dir });
}

int unmap(int handle, unsigned int dir)
{
	return importer(
		&(struct importer_call){ .op = IMPORT_UNMAP, .handle = handle, .dir = dir });
}

int device_write(int handle, size_t offset, const void *bytes, size_t size, unsigned int flags)
{
	return importer(&(struct importer_call){ .op = IMPORT_WRITE,
						 .handle = handle,
						 .offset = offset,
						 .size = size,
						 .bytes = (uintptr_t)bytes,
						 .flags = flags });
}

int device_read(int handle, size_t offset, void *bytes, size_t size, unsigned int flags)
{
	return importer(&(struct importer_call){ .op = IMPORT_READ,
						 .handle = handle,
						 .offset = offset,
						 .size = size,
						 .bytes = (uintptr_t)bytes,
						 .flags = flags });
}

struct exporter_calls calls_of(int fd)
{
	struct exporter_calls calls = { 0 };

	importer(&(struct importer_call){
		.op = IMPORT_CALLS, .fd = fd, .bytes = (uintptr_t)&calls });
	return calls;
}

/* Who looks for idle mappings may be the last to let go of a buffer. */
bool given_back(int fd)
{
	for (unsigned int i = 0; i < 200; i++) {
		struct exporter_calls calls = calls_of(fd);

		if (!calls.attached && !calls.pinned && calls.mapped == calls.unmapped)
			return true;
		sleep_ms(10);
	}
	return false;
}

int trace(struct trace_entry *entries, unsigned int n)
{
	struct importer_call call = { .op = IMPORT_TRACE,
				      .bytes = (uintptr_t)entries,
				      .size = n * sizeof(*entries) };
	int ret = importer(&call);

	return ret < 0 ? ret : (int)call.size;
}

bool has_device(enum importer_device device)
{
	int fd = own_buffer(4096, 0), handle = attach(fd, device, 0);

	if (handle >= 0)
		detach(handle);
	drop(fd);
	return handle >= 0;
}

/* --- the CPU ---------------------------------------------------------------------------------- */

static int sync_cpu(int fd, uint64_t what, bool read, bool write)
{
	struct dma_buf_sync sync = { .flags = what | (read ? DMA_BUF_SYNC_READ : 0) |
					      (write ? DMA_BUF_SYNC_WRITE : 0) };

	return ioctl(fd, DMA_BUF_IOCTL_SYNC, &sync) ? -errno : 0;
}

int cpu_begin(int fd, bool read, bool write)
{
	return sync_cpu(fd, DMA_BUF_SYNC_START, read, write);
}

int cpu_end(int fd, bool read, bool write)
{
	return sync_cpu(fd, DMA_BUF_SYNC_END, read, write);
}

uint8_t *map_cpu(int fd, size_t size, bool write)
{
	return mmap(NULL, size, PROT_READ | (write ? PROT_WRITE : 0), MAP_SHARED, fd, 0);
}

void fill(uint8_t *bytes, size_t size, unsigned int seed)
{
	for (size_t i = 0; i < size; i++)
		bytes[i] = DIFFERENT(seed, i);
}

bool is_filled(const uint8_t *bytes, size_t size, unsigned int seed)
{
	for (size_t i = 0; i < size; i++)
		if (bytes[i] != DIFFERENT(seed, i))
			return false;
	return true;
}

/* --- the machine ------------------------------------------------------------------------------ */

size_t read_file(const char *path, char *text, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n, got = 0;

	while (fd >= 0 && (n = read(fd, text + got, size - 1 - got)) > 0)
		got += n;
	text[got] = '\0';
	if (fd >= 0)
		close(fd);
	return got;
}

static const char *listing(void)
{
	static char text[65536];

	read_file("/sys/kernel/debug/dmabuf-cache/buffers", text, sizeof(text));
	return text;
}

long long counter(const char *name)
{
	char wanted[64];
	const char *at;

	snprintf(wanted, sizeof(wanted), " %s ", name);
	at = strstr(listing(), wanted);
	return at ? atoll(at + strlen(wanted)) : -1;
}

bool listed(const char *text)
{
	return strstr(listing(), text);
}

int write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC), ret;

	if (fd < 0)
		return -errno;
	ret = write(fd, text, strlen(text)) < 0 ? -errno : 0;
	close(fd);
	return ret;
}

int set_parameter(const char *name, const char *value)
{
	char path[100];

	snprintf(path, sizeof(path), "/sys/module/dmabuf_cache/parameters/%s", name);
	return write_file(path, value);
}

long long memory_kib(const char *what)
{
	char text[4096], *at;

	write_file("/proc/sys/vm/drop_caches", "3");
	read_file("/proc/meminfo", text, sizeof(text));
	at = strstr(text, what);
	return at ? atoll(at + strlen(what)) : 0;
}

void sleep_ms(unsigned int ms)
{
	nanosleep(&(struct timespec){ ms / 1000, ms % 1000 * 1000000L }, NULL);
}

int load(const char *module, const char *arguments)
{
	char path[100];
	int fd, ret;

	snprintf(path, sizeof(path), "/modules/%s.ko", module);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	ret = syscall(SYS_finit_module, fd, arguments, 0) ? -errno : 0;
	close(fd);
	return ret;
}

/* Nothing goes by time but where a case says so. */
#define ARGUMENTS "idle_ms=0"

int reload(void)
{
	return load("dmabuf-cache", ARGUMENTS);
}

int unload(const char *module)
{
	return syscall(SYS_delete_module, module, O_NONBLOCK) ? -errno : 0;
}

/* --- the run ---------------------------------------------------------------------------------- */

static unsigned int ran;

static bool has_word(const char *words, const char *word)
{
	size_t len = strlen(word);

	for (const char *at = words; (at = strstr(at, word)); at += len)
		if ((at == words || at[-1] == ' ') && (at[len] == ' ' || !at[len]))
			return true;
	return false;
}

static bool is_for_this(const struct guest_case *c)
{
	return (!only || strstr(c->name, only)) && (!c->machines || has_word(c->machines, machine));
}

/* The next record of the kernel's log, from the first call on; NULL: there is none yet. */
static const char *next_record(void)
{
	static int log = -1;
	static char record[2048];
	ssize_t size;

	if (log < 0) {
		log = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
		lseek(log, 0, SEEK_END);
		return NULL;
	}
	do {
		size = read(log, record, sizeof(record) - 1);
	} while (size < 0 && errno == EPIPE);
	if (size <= 0)
		return NULL;
	record[size] = '\0';
	return strchr(record, ';') ?: record;
}

bool kernel_says(const char *text)
{
	const char *record;
	bool found = false;

	while ((record = next_record()))
		found |= !!strstr(record, text);
	return found;
}

/*
 * DMA_API_DEBUG's report of bytes that two mappings may write, which is no mistake but counted; a
 * warning's own line stands before what it says.
 */
static bool is_overlap(const char *record, unsigned int *overlaps)
{
	bool counts = strstr(record, "cacheline tracking EEXIST");

	*overlaps += counts;
	return counts || strstr(record, "DMA-API: Mapped at:") ||
	       (strstr(record, "WARNING:") && strstr(record, " add_dma_entry+"));
}

static bool is_complaint(const char *record)
{
	static const char *const words[] = { "WARNING:", "BUG",      "Oops", "DMA-API:",
					     "INFO:",    "kmemleak", NULL };

	for (unsigned int i = 0; words[i]; i++)
		if (strstr(record, words[i]))
			return true;
	return false;
}

/* The kernel complains in its log; a case during which it does has failed. */
static unsigned int complaints(unsigned int *overlaps)
{
	const char *record;
	unsigned int n = 0;

	while ((record = next_record())) {
		if (is_overlap(record, overlaps) || !is_complaint(record))
			continue;
		printf("# kernel: %s", record);
		n++;
	}
	return n;
}

/* How often that was, counted by us. */
static unsigned int overlapping(void)
{
	struct importer_call call = { .op = IMPORT_OVERLAPS };

	check_equal(importer(&call), 0);
	return call.size;
}

/* What DMA_API_DEBUG counts; -1: nothing does. */
long long dma_debug(const char *name)
{
	char path[100], text[32];

	snprintf(path, sizeof(path), "/sys/kernel/debug/dma-api/%s", name);
	return read_file(path, text, sizeof(text)) ? atoll(text) : -1;
}

static long long entries_mapped(void)
{
	return dma_debug("nr_total_entries") - dma_debug("num_free_entries");
}

static bool broken_off;

void breaks_off(void)
{
	broken_off = true;
}

/* Nothing is left mapped. */
static void check_mappings(unsigned int overlaps)
{
	static long long left;
	long long now = entries_mapped();

	check_equal(overlaps, overlapping());
	if (!broken_off)
		check_equal(now, left);
	left = now;
}

/* All that DMA_API_DEBUG finds is said, and of an allocation that fails nothing. */
static bool watches_mappings;

static void listen(void)
{
	char off[8];

	write_file("/sys/kernel/debug/failslab/ignore-gfp-wait", "N");
	write_file("/sys/kernel/debug/failslab/verbose", "0");
	read_file("/sys/kernel/debug/dma-api/disabled", off, sizeof(off));
	watches_mappings =
		off[0] == 'N' && !write_file("/sys/kernel/debug/dma-api/all_errors", "1");
	if (watches_mappings)
		overlapping();
	next_record();
}

void run_case(const struct guest_case *c)
{
	unsigned int overlaps = 0;

	if (!is_for_this(c))
		return;
	failures = 0;
	skipped = NULL;
	broken_off = false;
	c->run();
	forked();
	for (int fd = 0; fd < DESCRIPTORS; fd++)
		drop(fd);
	failures += complaints(&overlaps);
	if (watches_mappings)
		check_mappings(overlaps);
	forked();
	if (skipped && !failures)
		printf("ok %u %s # SKIP %s\n", ++ran, c->name, skipped);
	else
		printf("%s %u %s\n", failures ? "not ok" : "ok", ++ran, c->name);
}

static void run_cases(const struct guest_case *list)
{
	for (; list->name; list++)
		run_case(list);
}

static void load_modules(void)
{
	char text[4096], *line, *next;

	read_file("/modules/order", text, sizeof(text));
	for (line = text; *line; line = next) {
		char *arguments;
		int ret;

		next = strchr(line, '\n');
		*next++ = '\0';
		arguments = strchr(line, ' ');
		if (arguments)
			*arguments++ = '\0';
		ret = strcmp(line, "dmabuf-cache") ? load(line, arguments ?: "") : reload();
		if (ret)
			printf("# loading %s: %s\n", line, strerror(-ret));
	}
}

/*
 * An IOMMU's lazy unmaps are flushed 10 ms later at most.  6.12 resets virtio-iommu when the machine
 * goes down and still flushes what then is left: it spins for ever for the device's answer.
 */
static void power_off(void)
{
	sync();
	sleep_ms(200);
	reboot(RB_POWER_OFF);
}

int main(void)
{
	static char command_line[1024];
	struct utsname name;
	char *at;

	mkdir("/dev", 0755);
	mkdir("/proc", 0755);
	mkdir("/sys", 0755);
	mount("none", "/dev", "devtmpfs", 0, NULL);
	mount("none", "/proc", "proc", 0, NULL);
	mount("none", "/sys", "sysfs", 0, NULL);
	mount("none", "/sys/kernel/debug", "debugfs", 0, NULL);
	for (int fd = 0; fd < 3; fd++)
		dup2(open("/dev/console", O_RDWR), fd);
	setvbuf(stdout, NULL, _IOLBF, 0);
	read_file("/proc/cmdline", command_line, sizeof(command_line));
	for (at = strtok(command_line, " \n"); at; at = strtok(NULL, " \n")) {
		if (!strncmp(at, "machine=", strlen("machine=")))
			machine = at + strlen("machine=");
		if (!strcmp(at, "long"))
			take_long = true;
		if (!strncmp(at, "case=", strlen("case=")))
			only = at + strlen("case=");
	}
	uname(&name);

	printf("\nKTAP version 1\n# %s, Linux %s %s\n", machine, name.release, name.machine);
	load_modules();
	listen();
	if (!strncmp(machine, "cost", strlen("cost"))) {
		run_cases(cost_cases);
	} else if (!strcmp(machine, "drivers")) {
		run_cases(driver_cases);
	} else if (!strcmp(machine, "uml-planted")) {
		run_cases(planted_cases);
	} else {
		run_cases(importer_cases);
		run_cases(program_cases);
		run_cases(machine_cases);
		run_conformance();
		run_cases(driver_cases);
		run_cases(watch_cases);
	}
	printf("1..%u\n", ran);
	fflush(stdout);
	power_off();
	return 0;
}
