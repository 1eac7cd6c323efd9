"""What the scripted tests share: running the program under limits in a folder of its own, and small assertions.

A script is run as `SCRIPT FUNCTION PROGRAM`; exit 77 is a visible skip.
"""
import inspect
import json
import os
import pathlib
import resource
import shutil
import subprocess
import sys
import tempfile
import time

SKIPPED = 77
PROGRAM = ""
SANITIZED = False
MEMORY = 6 << 30  # of private memory in any one process; the machine must outlive a failing test


class Skip(Exception):
    pass


def need(*tools):
    for tool in tools:
        if not shutil.which(tool, path=os.environ["PATH"] + ":/usr/sbin:/sbin"):
            raise Skip(f"no {tool} here")


def shared():
    for up in ("..", "../.."):
        folder = pathlib.Path(__file__).resolve().parents[1] / up / "shared"
        if folder.is_dir():
            return folder.resolve()
    raise Skip("no ../shared here")


class Done:
    def __init__(self, status, out, err, seconds):
        self.status, self.raw, self.seconds = status, out, seconds
        self.out, self.err = out.decode(errors="backslashreplace"), err.decode(errors="backslashreplace")

    def json(self):
        return json.loads(self.raw)


def environment(**more):
    return {"PATH": "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin", "HOME": os.getcwd(), "LC_ALL": "C.UTF-8",
            "TZ": "UTC", "SOURCE_DATE_EPOCH": "1700000000", **more}


def limit():
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if not SANITIZED:
        resource.setrlimit(resource.RLIMIT_DATA, (MEMORY, MEMORY))


def assay(*arguments, stdin=b"", timeout=120, before=None, wrap=(), **more):
    def prepare():
        limit()
        if before:
            before()
    begun = time.monotonic()
    done = subprocess.run([*wrap, PROGRAM, *map(str, arguments)], input=stdin, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, timeout=timeout * (5 if SANITIZED else 1), preexec_fn=prepare,
                          env=environment(**more))
    return Done(done.returncode, done.stdout, done.stderr, time.monotonic() - begun)


def report(image, *arguments, status=None, **more):
    """The JSON report of one image as of a fixed day; a status beyond 0, 1 and 4 fails."""
    done = assay("inspect", image, "--as-of", "2024-01-01", "--json", "-", *arguments, **more)
    check(done.status in (0, 1, 4) if status is None else done.status == status,
          f"exit {done.status} (wanted {status}): {done.err}")
    return done.json()


def shell(script):
    done = subprocess.run(["bash", "-ec", script], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=environment())
    check(done.returncode == 0, f"{script}\n{done.stdout.decode(errors='replace')}")
    return done.stdout.decode(errors="replace")


def check(good, what):
    if not good:
        raise AssertionError(what)


def check_same(one, other, what):
    """Compares two texts or values; the first lines that differ are named."""
    if one == other:
        return
    if isinstance(one, bytes) and isinstance(other, bytes):
        one, other = (x.decode(errors="backslashreplace").splitlines() for x in (one, other))
    if isinstance(one, list):
        differ = [f"  - {a}\n  + {b}" for a, b in zip(one, other) if a != b][:5]
        raise AssertionError(f"{what}: {len(one)} and {len(other)} items\n" + "\n".join(differ))
    raise AssertionError(f"{what}: {one!r}\n{other!r}")


def peak_memory():
    """The largest resident size of any child so far, in bytes."""
    return resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss << 10


def main():
    global PROGRAM, SANITIZED
    script = sys.modules["__main__"]
    if len(sys.argv) != 3:
        print("usage: SCRIPT FUNCTION PROGRAM; functions:", *(n for n, f in inspect.getmembers(script)
                                                              if n.startswith("test_")), sep="\n  ")
        return 2
    PROGRAM = str(pathlib.Path(sys.argv[2]).resolve())
    SANITIZED = b"__asan_init" in pathlib.Path(PROGRAM).read_bytes()
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        try:
            getattr(script, sys.argv[1])()
        except Skip as reason:
            print("skipped:", reason)
            return SKIPPED
        except AssertionError as wrong:
            print("failed:", wrong)
            return 1
        finally:
            os.chdir("/")
    return 0
