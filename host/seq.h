/* SPDX-License-Identifier: MIT */
/*
 * seq.h - run something that writes a struct seq_file, and get its whole text
 */
#ifndef HOST_SEQ_H
#define HOST_SEQ_H

#include <linux/types.h>

struct seq_file;

/**
 * host_seq_text - what @show writes, as a string
 * @data: becomes seq_file.private
 *
 * Calls @show again with a larger buffer until all of it fits: it must say the same each time but
 * for what changes meanwhile.
 * Context: may sleep.
 * Returns a string that the caller gives to kvfree(), its length in *@len (0 on failure), or
 * ERR_PTR(-ENOMEM).
 */
char *host_seq_text(void (*show)(struct seq_file *m, void *data), void *data, size_t *len);

#endif
