#!/usr/bin/env python3
"""Real images, read in place where ../shared has them: what export writes is held against other readers of the same
bytes, the account of the bytes, and what is known about each image."""
import hashlib
import io
import os
import pathlib
import re
import stat
import subprocess
import sys
import tarfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from runner import *  # noqa: E402, F403

BACKDOORED, STOCK = "tplink-wr841nv14-backdoored.bin", "tplink-wr841nv14-eu-stock.bin"
ENCRYPTED = ("hilink",)


def firmware():
    return shared() / "firmware"


def images():
    return sorted(p for p in firmware().iterdir() if p.suffix in (".bin", ".img", ".tar"))


def node_of(member, content):
    kind = {tarfile.DIRTYPE: "d", tarfile.SYMTYPE: "l", tarfile.CHRTYPE: "c", tarfile.BLKTYPE: "b",
            tarfile.FIFOTYPE: "p"}.get(member.type, "-")
    device = (member.devmajor, member.devminor) if kind in "cb" else None
    target = member.linkname if kind == "l" else None
    mode = 0o777 if kind == "l" else member.mode & 0o7777
    return kind, mode, member.uid, member.gid, int(member.mtime), device, target, content


def exported(image, way):
    """Every entry below `way` by path, as our export has it; hard links carry the content they stand for."""
    done = assay("export", image, way, "-o", "out.tar", "--no-store")
    check(done.status in (0, 4), f"{image.name}: export exit {done.status}: {done.err}")
    nodes = {}
    with tarfile.open("out.tar", errors="surrogateescape") as tar:
        for member in tar:
            name = member.name.rstrip("/").removeprefix("./") or "."
            if member.islnk():
                nodes[name] = nodes[member.linkname.removeprefix("./")]
                continue
            content = hashlib.sha256(tar.extractfile(member).read()).hexdigest() if member.isreg() else None
            nodes[name] = node_of(member, content)
    os.remove("out.tar")
    return nodes


def extracted(folder):
    nodes = {}
    for base, folders, files in os.walk(folder):
        for path in [base] * (base == folder) + [os.path.join(base, n) for n in folders + files]:
            at = os.lstat(path)
            kind = {stat.S_IFDIR: "d", stat.S_IFLNK: "l", stat.S_IFCHR: "c", stat.S_IFBLK: "b", stat.S_IFIFO: "p",
                    stat.S_IFREG: "-", stat.S_IFSOCK: "s"}[stat.S_IFMT(at.st_mode)]
            device = (os.major(at.st_rdev), os.minor(at.st_rdev)) if kind in "cb" else None
            target = os.readlink(path) if kind == "l" else None
            content = hashlib.sha256(pathlib.Path(path).read_bytes()).hexdigest() if kind == "-" else None
            nodes[os.path.relpath(path, folder)] = (kind, 0o777 if kind == "l" else at.st_mode & 0o7777, at.st_uid,
                                                    at.st_gid, int(at.st_mtime), device, target, content)
    return nodes


def way_of(path):
    """Paths in reports start with the image's name, ways given to the program need not."""
    return path.split("/", 1)[1] if "/" in path else ""


def squashfs_offsets(image):
    """Way of each SquashFS that lies in the image as it is, with its offset in the image."""
    artifacts, offsets, inner = report(image, "--no-store")["artifacts"], {}, []
    for artifact in artifacts:
        artifact["way"] = way_of(artifact["path"])
    by_way = {a["way"]: a for a in artifacts}
    for artifact in artifacts:
        if artifact.get("format") != "squashfs":
            continue
        at, walk = 0, artifact
        while walk is not None and walk["way"] != "":
            if walk.get("codec") or walk.get("offset") is None:
                walk = None
                break
            at += walk["offset"]
            walk = by_way.get(parent_way(walk, by_way))
        if walk is not None:
            offsets[artifact["way"]] = at
        else:
            inner.append(artifact["way"])
    return offsets, inner


def parent_way(artifact, by_way):
    way = artifact["way"]
    while "/" in way:
        way = way.rsplit("/", 1)[0]
        if way in by_way:
            return way
    return ""


def test_squashfs_against_unsquashfs():
    need("unsquashfs")
    if os.getuid() != 0:
        raise Skip("devices and owners are only extracted as root")
    compared, files = [], 0
    for image in images():
        offsets, inner = squashfs_offsets(image)
        for way, offset in offsets.items():
            done = subprocess.run(["unsquashfs", "-no-progress", "-o", str(offset), "-d", "theirs", str(image)],
                                  stdout=subprocess.PIPE, stderr=subprocess.PIPE)
            if done.returncode != 0 or not os.path.isdir("theirs"):
                print(f"{image.name} {way}: unsquashfs cannot read it: {done.stderr.decode().splitlines()[-1:]}")
                shell("rm -rf theirs")
                continue
            ours = exported(image, (way + "/" if way else "") + "squashfs")
            theirs = extracted("theirs").items()
            theirs = {name: node for name, node in theirs if node[0] != "s"}  # no tar archive holds one
            shell("rm -rf theirs")
            ours.setdefault(".", theirs["."])  # a file system's own root is listed where it is stored
            check_same(sorted(theirs), sorted(ours), f"{image.name} {way}: the names")
            for name in theirs:
                if ours[name][0] in "lcbp" and ours[name][4] == 0:  # SquashFS 1 and 2 store no time for these
                    theirs[name] = (*theirs[name][:4], 0, *theirs[name][5:])
                check_same(theirs[name], ours[name], f"{image.name} {way}/{name}")
            compared.append(image.name), print(f"{image.name} {way}: {len(theirs)} entries agree")
            files += len(theirs)
        for way in inner:
            print(f"{image.name} {way}: inside something encoded; not compared")
    check(len(compared) >= 3 and files > 500, f"too little was compared: {compared}")


def test_tar_against_tar():
    image = firmware() / "ont-v2801f-201104.tar"
    ours = exported(image, "tar")
    with tarfile.open(image) as tar:
        theirs = {m.name.removeprefix("./").rstrip("/"): node_of(m, hashlib.sha256(tar.extractfile(m).read()).hexdigest()
                                                                 if m.isreg() else None) for m in tar}
    check_same(sorted(theirs), sorted(ours), "the names")
    for name in theirs:
        check_same(theirs[name], ours[name], name)


def test_bytes_are_accounted_for():
    short = []
    for image in images():
        counted = report(image, "--no-store")["coverage"]["bytes"]
        kinds = ("header", "content", "padding", "unknown", "encrypted")
        check(sum(counted[k] for k in kinds) == counted["total"] == image.stat().st_size, f"{image.name}: {counted}")
        share = 1 - (counted["unknown"] + counted["encrypted"]) / counted["total"]
        print(f"{image.name}: {share:.2%}")
        if share < 0.98 and not image.name.startswith(ENCRYPTED):
            short.append(f"{image.name} {share:.2%}")
    check(not short, f"below 98 %: {short}")


def rules(found, rule):
    return [f for f in found["findings"] if f["rule"] == rule]


def starts_shell(found, label):
    for finding in rules(found, "service.listens_and_starts_shell"):
        ways = [e["artifact"] for e in finding["evidence"]]
        script = [w for w in ways if re.search(r"/(rcS|init\.d|inittab|rc\.|rc/)", w) or "etc/" in w]
        if script and any(w not in script for w in ways):
            return finding
    raise AssertionError(f"{label}: no finding with the start script's line and the program: "
                         f"{rules(found, 'service.listens_and_starts_shell')}")


def test_the_backdoor_is_found_and_only_there():
    found = report(firmware() / BACKDOORED, "--no-store")
    stock = report(firmware() / STOCK, "--no-store")
    finding = starts_shell(found, "backdoored")
    print(finding["claim"], *(f"  {e['artifact']}: {e['shows']}" for e in finding["evidence"]), sep="\n")
    check(not rules(stock, "service.listens_and_starts_shell"), "the stock image has the finding too")
    emulation = rules(found, "leftover.emulation")
    check(len(emulation) == 1, f"leftover.emulation: {[e['claim'] for e in emulation]}")
    check(not rules(stock, "leftover.emulation"), "the stock image has traces of emulation too")


def renamed_program(tar_bytes, path):
    """The same tree with the program and every path below /etc and /usr/bin called otherwise, consistently."""
    base = path.rsplit("/", 1)[-1]
    other = "qx" + hashlib.sha256(base.encode()).hexdigest()[:len(base)]
    out = io.BytesIO()
    with tarfile.open(fileobj=io.BytesIO(tar_bytes)) as tar, \
            tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT) as to:
        for member in tar:
            content = tar.extractfile(member).read() if member.isreg() else b""
            member.pax_headers = {}
            for attribute in ("name", "linkname"):
                setattr(member, attribute, re.sub(rf"(^|/){re.escape(base)}$", rf"\g<1>{other}", getattr(member, attribute)))
            if content[:2] == b"#!" or "/etc/" in "/" + member.name and b"\0" not in content:
                content = re.sub(rb"(?<![\w.-])" + re.escape(base.encode()) + rb"(?![\w.-])", other.encode(), content)
            member.size = len(content)
            to.addfile(member, io.BytesIO(content) if member.isreg() else None)
    return out.getvalue(), other


def test_the_backdoor_is_found_under_any_name():
    found = report(firmware() / BACKDOORED, "--no-store")
    finding = starts_shell(found, "backdoored")
    programs = [way_of(e["artifact"]) for e in finding["evidence"]]
    volume = programs[0].split("squashfs/")[0] + "squashfs"
    done = assay("export", firmware() / BACKDOORED, volume, "-o", "-", "--no-store")
    check(done.status in (0, 4), done.err)
    pathlib.Path("same.tar").write_bytes(done.raw)
    starts_shell(report("same.tar", "--no-store"), "the exported tree")
    program = next(way_of(a["path"]) for a in found["artifacts"]
                   if way_of(a["path"]) in programs and a.get("format") == "elf")
    renamed, name = renamed_program(done.raw, program)
    pathlib.Path("renamed.tar").write_bytes(renamed)
    again = starts_shell(report("renamed.tar", "--no-store"), "the renamed tree")
    check(any(e["artifact"].endswith("/" + name) for e in again["evidence"]), f"{name}: {again['evidence']}")
    print(again["claim"])


sys.exit(main())
