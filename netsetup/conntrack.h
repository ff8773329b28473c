// SPDX-License-Identifier: Apache-2.0
// conntrack.h - flows that the kernel remembers from before a port changed hands.
//
// Address translation is decided for the first packet of a flow. A UDP client that
// goes on sending from one port never starts a new flow, so it would never reach
// the container that has the port now, or go on reaching for one that is gone.
#pragma once

#include "member.h"

// Makes the kernel forget the flows to the member's published UDP ports. Without
// connection tracking there is nothing to forget; a flow that stays times out.
void forget_udp_flows(const Member& member);
