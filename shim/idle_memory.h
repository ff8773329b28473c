// SPDX-License-Identifier: Apache-2.0
// idle_memory.h - a process that waits for hours keeps only what waiting needs.
//
// Free heap, used-up stack and the pages of our own code and constants go back
// to the kernel; code comes again from the page cache when it is needed.
#pragma once

#include <sys/epoll.h>

#include <span>

// epoll_wait, with as few pages in memory as can be while it sleeps.
int wait_in_little_memory(int epoll, std::span<epoll_event> events, int timeout) noexcept;
