// The tables from which things start by themselves; each reader states facts through the walker and follows scripts.
#pragma once
#include "system/shell_walk.h"

namespace assay::system {

// Everything of every volume, in the order of the boot; `on_mount` sees each mount command with constant operands.
void read_startup(Tree& tree, Facts& out, StartWalker::OnMount on_mount);

// The parts of it, one volume each.
void read_inetd(Tree& tree, int volume, StartWalker& walker);    // inetd.conf, xinetd
void read_cron(Tree& tree, int volume, StartWalker& walker);     // crontabs, cron.d, cron.daily …
void read_devices(Tree& tree, int volume, StartWalker& walker);  // mdev.conf, udev rules, hotplug.d
void read_systemd(Tree& tree, int volume, StartWalker& walker);  // units that are wanted, timers, sockets

void read_android_init(const Tree& tree, StartWalker& walker);  // init.rc, of all volumes together

// The files and links directly in a folder, sorted by name.
std::vector<const Artifact*> entries_of(const Tree& tree, int volume, std::string_view folder);

}  // namespace assay::system
