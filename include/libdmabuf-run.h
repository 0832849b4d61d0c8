/* SPDX-License-Identifier: MIT */
/*
 * libdmabuf-run.h - for test harnesses: one child process with dma-heaps, udmabuf and sw_sync
 *
 * What `dmabuf run` does, without the command: docs/run.md.  The devices live in a process of their
 * own, the supervisor, which is this process's child; the program is the supervisor's.
 *
 * Compiles alone as C11 and as C++17.
 */
#ifndef LIBDMABUF_RUN_H
#define LIBDMABUF_RUN_H

#include <sys/types.h>

#ifdef __cplusplus
extern "C" {
#endif

struct libdmabuf_run;

/**
 * libdmabuf_run_start - start @argv[0] with devices
 * @options: what `dmabuf run --help` has, as words, NULL behind the last; or NULL
 * @argv: NULL behind the last; found by PATH
 *
 * The program has this process's environment, working directory and open descriptors.  Any thread
 * may call; SIGCHLD must not be ignored.
 * Ownership: *@run is given to libdmabuf_run_wait() or libdmabuf_run_kill(); NULL on failure.
 * Returns 0; -EINVAL a wrong option or no program; -EAGAIN, -ENOMEM.  What fails later, as a program
 * that is not found, libdmabuf_run_wait() tells.
 */
int libdmabuf_run_start(const char *const *options, char *const *argv, struct libdmabuf_run **run);

/** libdmabuf_run_pid - of the supervisor: a signal that it is sent goes to the program */
pid_t libdmabuf_run_pid(const struct libdmabuf_run *run);

/**
 * libdmabuf_run_wait - until the program and all that it started have ended; @run is void then
 * @status: as waitpid() gives it: the program's, or of an exit with 1 (--strict found something), 2
 * (no devices), 126, 127
 *
 * Returns 0; -ECHILD somebody else has waited for the supervisor.
 */
int libdmabuf_run_wait(struct libdmabuf_run *run, int *status);

/**
 * libdmabuf_run_kill - end the program at once, and wait for what it started; @run is void then.
 * NULL: nothing
 */
void libdmabuf_run_kill(struct libdmabuf_run *run);

#ifdef __cplusplus
}
#endif

#endif
