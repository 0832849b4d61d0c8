/* SPDX-License-Identifier: MIT */
/* grant_table.h - Xen's pages lent to another guest, as far as gntdev-dmabuf.c sees them */
#ifndef _XEN_GRANT_TABLE_H
#define _XEN_GRANT_TABLE_H

#include <linux/mm.h>
#include <linux/types.h>
#include <xen/xen.h>

typedef u32 grant_ref_t;

#define INVALID_GRANT_REF ((grant_ref_t)-1)
#define GNTMAP_device_map (1 << 0)
#define GNTMAP_host_map (1 << 1)

int gnttab_alloc_grant_references(u16 count, grant_ref_t *head);
int gnttab_claim_grant_reference(grant_ref_t *head);
void gnttab_free_grant_references(grant_ref_t head);
void gnttab_grant_foreign_access_ref(grant_ref_t ref, u16 domid, unsigned long frame, int readonly);
void gnttab_end_foreign_access(grant_ref_t ref, struct page *page);

#endif
