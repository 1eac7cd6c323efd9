"""A small image for the tests of the reports: a cpio archive (newc) built here, with names that mean harm."""
import pathlib
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "code"))
import programs  # noqa: E402

ATTACK = "<img src=x onerror=document.documentElement.dataset.owned=1>"
FUNCTIONS = {"_start": (0, 0x28), "_ZN4Gate4openEi": (0x30, 0x20), "</script>" + ATTACK: (0x60, 0x48)}
HOSTILE_NAMES = [
    ("</script>" + ATTACK).encode(),
    ('"><svg onload=document.documentElement.dataset.owned=1>').encode(),
    b"<!--<script>", b"]]>&lt;b&gt;&amp;", b"a\\x41b", b"back`tick${1}'quote",
    "\u202egnp.exe".encode(), "line\u2028and\u2029paragraph".encode(), b"not\xff\xfeutf8", b"control\x01\x1b[31m",
    b"new\nline",
    "zero\u200bwidth".encode(),
]


def entry(name, mode, content=b"", inode=0, device=(0, 0)):
    name = name.encode() if isinstance(name, str) else name
    fields = (inode, mode, 0, 0, 1, 1_600_000_000, len(content), 0, 0, *device, len(name) + 1, 0)
    head = b"070701" + b"".join(b"%08X" % f for f in fields) + name + b"\0"
    return head + b"\0" * (-len(head) % 4) + content + b"\0" * (-len(content) % 4)


def image():
    passwd = f"root::0:0:root:/:/bin/sh\n</script>{ATTACK}::0:0:\u202ex:/:/bin/sh\nbad\xff::0:0::/:/bin/sh\n"
    files = [
        ("etc", 0o040755, b""), ("bin", 0o040755, b""),
        ("etc/passwd", 0o100644, passwd.encode()),
        ("etc/inittab", 0o100644, f"::sysinit:/etc/rcS\n::respawn:/bin/sh # {ATTACK}\n".encode()),
        ("etc/rcS", 0o100755, b"#!/bin/sh\ntelnetd -l /bin/sh &\n" + f"echo '</script>{ATTACK}'\n".encode()),
        ("bin/busybox", 0o104755, b"\x7fELF" + bytes(range(64)) * 40),
        ("bin/gate", 0o100755, programs.good(FUNCTIONS)),
        ("bin/sh", 0o120777, b"busybox"), ("bin/telnetd", 0o120777, ("</script>" + ATTACK).encode()),
        ("etc/\xe9".encode("latin-1"), 0o120777, b"target\xff\xfe"),
    ]
    files += [(name, 0o100666, b"hostile " + name) for name in HOSTILE_NAMES]
    out = b"".join(entry(n, m, c, i + 1) for i, (n, m, c) in enumerate(files))
    out += entry("dev-console", 0o020622, inode=90, device=(5, 1))
    return out + entry("TRAILER!!!", 0)


def inspect(assay, folder, name, content, *more):
    """Runs assay inspect; the paths of the reports by kind."""
    folder = pathlib.Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(content)
    out = {kind: folder / f"report.{kind}" for kind in ("html", "json", "sarif", "cyclonedx", "openvex")}
    flags = [word for kind, path in out.items() for word in (f"--{kind}", str(path))]
    done = subprocess.run([assay, "inspect", name, "--no-store", "--as-of", "2026-01-01", *flags, *more], cwd=folder,
                          stdin=subprocess.DEVNULL, capture_output=True, timeout=300)
    if done.returncode not in (0, 1, 4):
        raise SystemExit(f"assay inspect ended with {done.returncode}: {done.stderr.decode(errors='replace')}")
    return out
