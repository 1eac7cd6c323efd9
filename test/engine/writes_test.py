#!/usr/bin/env python3
"""What the program asks of the kernel, by strace: it writes the store and the named outputs, starts no program and
talks to no network."""
import pathlib
import re
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from runner import *  # noqa: E402, F403

MAKE = r"""
mkdir -p root/etc/init.d; ln -s ../../../../tmp/evil root/etc/evil
printf '#!/bin/sh\ntouch /tmp/assay-was-here\n' >root/etc/init.d/rcS; chmod 755 root/etc/init.d/rcS
printf '::sysinit:/etc/init.d/rcS\n' >root/etc/inittab
tar -C root -cf in.tar . --transform 's|^\./etc/inittab|./../../assay-climbs|' --absolute-names
tar -C root -rf in.tar ./etc/inittab
"""
WRITING = re.compile(r'(?:open|openat|creat|rename|renameat2?|unlink|unlinkat|mkdir|mkdirat|link|linkat|symlink|symlinkat|'
                     r'mknod|mknodat|chmod|fchmodat|chown|truncate|utimensat)\((.*)')


def test_writes_nothing_else_and_starts_nothing():
    need("strace", "tar")
    if SANITIZED:
        raise Skip("sanitizers cannot be traced")
    shell(MAKE)
    probe = assay("--version", wrap=("strace", "-f", "-e", "trace=file", "-o", "trace"))
    if probe.status != 0:
        raise Skip("strace may not trace here")
    runs = (["inspect", "in.tar", "--json", "out.json", "--html", "out.html", "--store", "store"],
            ["export", "in.tar", "-o", "out.tar", "--store", "store"], ["ls", "in.tar", "--no-store"],
            ["cat", "in.tar", "/etc/init.d/rcS", "--no-store"])
    allowed = re.compile(r'^"(store(/results\.db(-wal|-shm|-journal)?)?|out\.(json|html|tar)(\.part)?|/dev/null)"')
    for arguments in runs:
        done = assay(*arguments, wrap=("strace", "-f", "-e", "trace=file,network,process", "-o", "trace"))
        check(done.status in (0, 1, 4), f"{arguments}: exit {done.status}: {done.err}")
        lines = pathlib.Path("trace").read_text(errors="replace").splitlines()
        calls = [line.split(None, 1)[1] for line in lines]
        check(len(calls) > 20, "nothing was traced")
        started = [call for call in calls if call.startswith("execve")]
        check(len(started) == 1, f"starts programs: {started}")
        network = [call for call in calls if re.match(r"socket\((?!AF_UNIX)|connect\(|bind\(|listen\(", call)]
        check(not network, f"talks to the network: {network}")
        for call in calls:
            match = WRITING.match(call)
            if not match or re.search(r"= -1 E(PERM|NOENT|ACCES|EXIST)", call):
                continue
            if call.startswith("open") and not re.search(r"O_(WRONLY|RDWR|CREAT|TRUNC|APPEND)", call):
                continue
            path = match.group(1).removeprefix("AT_FDCWD, ")
            check(allowed.match(path.replace(str(pathlib.Path.cwd()) + "/", "")), f"{arguments} writes: {call}")


sys.exit(main())
