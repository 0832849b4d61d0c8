/* SPDX-License-Identifier: MIT */
/*
 * guest.h - cases that run as the only program of a virtual machine, and report by KTAP
 *
 * A case is a function that returns; a check that fails says what and where, and the case goes on.
 * All descriptors a case opened are closed after it.
 */
#ifndef KMOD_QEMU_GUEST_H
#define KMOD_QEMU_GUEST_H

#include <linux/types.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "dmabuf-cache.h"
#include "importer.h"

#define TO_DEVICE 1u
#define FROM_DEVICE 2u
#define BOTH 0u

struct guest_case {
	const char *name;
	void (*run)(void);
	const char *machines; /* words; NULL: all of them */
};

/* Each file of cases ends its own list with an empty name. */
extern const struct guest_case importer_cases[], program_cases[], machine_cases[], driver_cases[],
	cost_cases[], planted_cases[], watch_cases[];

/** run_case - one of them, if it is for this machine; says how it ended */
void run_case(const struct guest_case *c);

/** run_conformance - the cases of /dev/conformance, where that is */
void run_conformance(void);

extern const char *machine; /* what the command line calls it */
extern bool take_long;      /* and whether there is time for larger numbers */

/* --- what a case says -------------------------------------------------------------------------- */

#define check(condition, ...) \
	((condition) ? true : (failed(__FILE__, __LINE__, #condition, " " __VA_ARGS__), false))
#define check_equal(a, b) check_equal_at(__FILE__, __LINE__, #a, (long long)(a), #b, (long long)(b))

/* What somebody else is about to do: within some seconds, for the machine may be a slow one. */
#define soon(condition)                                                               \
	({                                                                            \
		for (unsigned int tries_ = 0; tries_ < 500 && !(condition); tries_++) \
			sleep_ms(10);                                                 \
		check(condition);                                                     \
	})

void failed(const char *file, int line, const char *what, const char *format, ...)
	__attribute__((format(printf, 4, 5)));
bool check_equal_at(const char *file, int line, const char *a, long long x, const char *b,
		    long long y);
void breaks_off(void); /* the case ends before it has unmapped what it has mapped */
void skip(const char *format, ...) __attribute__((format(printf, 1, 2)));
void say(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* --- what it does ------------------------------------------------------------------------------- */

/* A descriptor, or -errno.  Each is closed when the case ends, or by drop(). */
int heap_buffer(size_t size);
int heap_buffer_as(size_t size, unsigned int flags); /* open()'s access mode */
int udma_buffer(size_t size);
int own_buffer(size_t size, unsigned int flags);
int wrap(int fd, unsigned int flags); /* /dev/dmabuf-cache; does not close @fd */
void drop(int fd);

/* The same, but the wrap is all that is left. */
int wrapped(int fd, unsigned int flags);

/* 0 or more, or -errno. */
int importer(struct importer_call *call);
int attach(int fd, enum importer_device device, unsigned int flags); /* a handle */
int detach(int handle);
int map(int handle, unsigned int dir);
int unmap(int handle, unsigned int dir);
int device_write(int handle, size_t offset, const void *bytes, size_t size, unsigned int flags);
int device_read(int handle, size_t offset, void *bytes, size_t size, unsigned int flags);
struct exporter_calls calls_of(int fd); /* of own_buffer() */
bool given_back(int fd);                /* has its exporter everything back, or soon? */
int trace(struct trace_entry *entries, unsigned int n);
bool fail_at(unsigned int k); /* see IMPORT_FAIL; whether that of the call before has failed */
void forked(void);            /* the next call is of an importer of its own */
bool has_device(enum importer_device device);

int cpu_begin(int fd, bool read, bool write);
int cpu_end(int fd, bool read, bool write);
uint8_t *map_cpu(int fd, size_t size, bool write); /* MAP_FAILED */

/* A number of debugfs' line for the buffer with @fd's reservation: the one line there is. */
long long counter(const char *name);
bool listed(const char *text);
int set_parameter(const char *name, const char *value); /* of the module's */
int write_file(const char *path, const char *text);
size_t read_file(const char *path, char *text, size_t size); /* of text that ends, its length */
long long dma_debug(const char *name); /* a file of /sys/kernel/debug/dma-api's with one number */
bool kernel_says(const char *text);    /* since the last look; what else it said is not looked at */
long long memory_kib(const char *what); /* of /proc/meminfo, what can be had again left out */
void sleep_ms(unsigned int ms);

#define DIFFERENT(seed, i) ((uint8_t)((i)*31 + (i) / 256 * 7 + (seed)))
void fill(uint8_t *bytes, size_t size, unsigned int seed);
bool is_filled(const uint8_t *bytes, size_t size, unsigned int seed);

int load(const char *module, const char *arguments);
int reload(void); /* ours, as it was */
int unload(const char *module);

#endif
