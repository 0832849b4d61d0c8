/* SPDX-License-Identifier: MIT */
/*
 * host-atomics.h - in front of every source of host/ and dma/ in the explorer: tells of each atomic access
 *
 * The access itself is made as it stands, then told with its order: nobody runs between the two.
 *
 * Deliberately not here: plain accesses.  What a host lock guards is not looked at for races.
 */
#ifndef SCHEDULES_HOST_ATOMICS_H
#define SCHEDULES_HOST_ATOMICS_H

#include <stdbool.h>

void host_loaded(const volatile void *addr, unsigned int bytes, int order);
void host_stored(const volatile void *addr, unsigned int bytes, int order);
void host_changed(const volatile void *addr, unsigned int bytes, int order);
void host_fenced(int order);

#define __atomic_load_n(ptr, order)                                      \
	({                                                               \
		__auto_type loaded_ptr_ = (ptr);                         \
		host_loaded(loaded_ptr_, sizeof(*loaded_ptr_), (order)); \
		__atomic_load_n(loaded_ptr_, (order));                   \
	})
#define __atomic_store_n(ptr, value, order)                              \
	({                                                               \
		__auto_type stored_ptr_ = (ptr);                         \
		__atomic_store_n(stored_ptr_, (value), (order));         \
		host_stored(stored_ptr_, sizeof(*stored_ptr_), (order)); \
	})
#define HOST_CHANGE(call, ptr, value, order)                                     \
	({                                                                       \
		__auto_type changed_ptr_ = (ptr);                                \
		__auto_type changed_old_ = call(changed_ptr_, (value), (order)); \
		host_changed(changed_ptr_, sizeof(*changed_ptr_), (order));      \
		changed_old_;                                                    \
	})
#define __atomic_exchange_n(ptr, value, order) HOST_CHANGE(__atomic_exchange_n, ptr, value, order)
#define __atomic_fetch_add(ptr, value, order) HOST_CHANGE(__atomic_fetch_add, ptr, value, order)
#define __atomic_fetch_sub(ptr, value, order) HOST_CHANGE(__atomic_fetch_sub, ptr, value, order)
#define __atomic_fetch_and(ptr, value, order) HOST_CHANGE(__atomic_fetch_and, ptr, value, order)
#define __atomic_fetch_or(ptr, value, order) HOST_CHANGE(__atomic_fetch_or, ptr, value, order)
#define __atomic_fetch_xor(ptr, value, order) HOST_CHANGE(__atomic_fetch_xor, ptr, value, order)
#define __atomic_add_fetch(ptr, value, order) HOST_CHANGE(__atomic_add_fetch, ptr, value, order)
#define __atomic_sub_fetch(ptr, value, order) HOST_CHANGE(__atomic_sub_fetch, ptr, value, order)
#define __atomic_compare_exchange_n(ptr, expected, value, weak, good, bad)                     \
	({                                                                                     \
		__auto_type changed_ptr_ = (ptr);                                              \
		bool changed_ = __atomic_compare_exchange_n(changed_ptr_, (expected), (value), \
							    (weak), (good), (bad));            \
		if (changed_)                                                                  \
			host_changed(changed_ptr_, sizeof(*changed_ptr_), (good));             \
		else                                                                           \
			host_loaded(changed_ptr_, sizeof(*changed_ptr_), (bad));               \
		changed_;                                                                      \
	})
#define __atomic_thread_fence(order) host_fenced(order)

#endif
