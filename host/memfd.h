/* SPDX-License-Identifier: MIT */
/*
 * memfd.h - a program's memfds below <linux/memfd.h>: whose pages are the program's memory
 *
 * A block of memory's frames is lent to a stretch of the memfd: the memfd is mapped there, shared, in
 * the place of memory's own.  So a page of it has a struct page, a frame number and a linear address
 * like any other, and what the program stores through its mapping of the memfd is there at once.
 *
 * Invariants
 *   MF1  A page of a memfd has one struct page while anybody has it pinned, whoever pinned it first
 *        and through which descriptor.
 *   MF2  A block is lent while one of its pages is pinned.  Then its frames are memory's again; if the
 *        system refuses, at a later pin, unpin or host_memfd_fini().
 *   MF3  The library keeps a descriptor of its own while a block is lent: the program may close its
 *        descriptors and unmap.
 */
#ifndef HOST_MEMFD_H
#define HOST_MEMFD_H

#include <linux/types.h>

struct file;
struct page;

/**
 * host_memfd_file - a file for what @fd is, if that is a memfd or another file on tmpfs; NULL if not
 *
 * Context: may sleep.  Ownership: a reference of the caller's; it has a copy of @fd.
 */
struct file *host_memfd_file(unsigned int fd);

/**
 * host_memfd_source - where the system has @page, which is pinned: for a further mapping of it
 * @offset: set to that of @page in the result
 * Context: any.  Returns the memfd; opened only to read, if @read_only, or -errno.
 */
int host_memfd_source(const struct page *page, bool read_only, off_t *offset);

/** host_memfd_put - the last reference of @page is gone. For put_page() only. Context: any */
void host_memfd_put(struct page *page);

/** host_memfd_fini - before memory goes. @leave: a child after fork; then all of it is forgotten */
void host_memfd_fini(bool leave);

#endif
