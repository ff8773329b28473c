// SPDX-License-Identifier: Apache-2.0
// cni.h - the CNI plugin protocol (versions 0.1.0 to 1.1.0), as plugin type `netsetup`:
// bridge, host-local, portmap and firewall in one process.
#pragma once

// With CNI_COMMAND set, the program is a plugin; the exit status.
bool called_as_cni_plugin();
int run_cni_plugin();
