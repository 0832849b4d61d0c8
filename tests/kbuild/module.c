/* SPDX-License-Identifier: MIT */
/* module.c - what modpost asks of every module; this one is linked, never loaded */
#include <linux/module.h>

MODULE_LICENSE("Dual MIT/GPL");
MODULE_DESCRIPTION("compile check of libdmabuf's mapping slot and coherence directory");
