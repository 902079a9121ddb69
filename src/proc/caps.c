/* SPDX-License-Identifier: MIT */
/* Copyright the co-hostd authors */
#include "proc/caps.h"

#include <linux/capability.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

/*
 * The kernel stores them in 32-bit words; the ones we use are all in the first.
 */
#define WORDS _LINUX_CAPABILITY_U32S_3

static const unsigned long ours[] = {CAP_SETUID, CAP_SETGID, CAP_KILL};

#define N_OURS (sizeof ours / sizeof *ours)

static uint32_t mask(void)
{
	uint32_t all = 0;

	for (size_t i = 0; i < N_OURS; i++)
		all |= (uint32_t)1 << ours[i];
	return all;
}

static bool set(uint32_t what)
{
	struct __user_cap_header_struct head = {
	    .version = _LINUX_CAPABILITY_VERSION_3};
	const struct __user_cap_data_struct data[WORDS] = {
	    {.effective = what, .permitted = what, .inheritable = what}};

	return syscall(SYS_capset, &head, data) == 0;
}

bool caps_are_there(void)
{
	struct __user_cap_header_struct head = {
	    .version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct data[WORDS] = {{0}};

	return syscall(SYS_capget, &head, data) == 0 &&
	       (data[0].effective & mask()) == mask();
}

bool caps_keep(void)
{
	return prctl(PR_SET_KEEPCAPS, 1L, 0L, 0L, 0L) == 0;
}

bool caps_hand_on(void)
{
	bool is_ok = set(mask());

	for (size_t i = 0; is_ok && i < N_OURS; i++)
		is_ok = prctl(PR_CAP_AMBIENT, (long)PR_CAP_AMBIENT_RAISE,
			    ours[i], 0L, 0L) == 0;
	return is_ok;
}

void caps_hold_back(void)
{
	for (size_t i = 0; i < N_OURS; i++)
		(void)prctl(PR_CAP_AMBIENT, (long)PR_CAP_AMBIENT_LOWER, ours[i],
		    0L, 0L);
}

bool caps_drop(void)
{
	(void)prctl(PR_CAP_AMBIENT, (long)PR_CAP_AMBIENT_CLEAR_ALL, 0L, 0L, 0L);
	return set(0);
}
