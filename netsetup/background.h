// SPDX-License-Identifier: Apache-2.0
// background.h - a teardown whose caller does not wait for the kernel's grace periods.
//
// Ports, names, lease and record are gone on return. What costs the kernel 20 ms
// and more, and the caller nothing to miss (the pair of interfaces, which dies
// with the namespace anyway, and a bridge without members), is left to a child
// process. Should that be killed, `gc` finds the rest.
#pragma once

#include <string>

#include "store.h"

Result<void> detach_in_background(const Store& store, const std::string& id,
                                  const std::string& network, const std::string& interface);
