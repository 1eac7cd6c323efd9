#!/usr/bin/env python3
"""Declarations: drafted from real images and fed back; MUD files held against the YANG modules by yanglint.

Run as `declare_test.py test_NAME ASSAY`."""
import json
import pathlib
import shutil
import subprocess
import sys
import tempfile

SHARED = pathlib.Path(__file__).resolve().parents[2].parent / "shared"
IMAGES = ["openwrt-wr703n-factory.bin", "dlink-dir300-b5.bin"]
DECLARATION = """declaration: 1
vendor: V
product: P
mud_url: https://mud.example/p.json
support: {until: 2030-01-01}
communications:
  - {name: update.example, protocol: tcp, port: 443}
  - {name: 192.0.2.7, protocol: udp, port: 123}
  - {name: "2001:db8::7", protocol: tcp}
  - {name: a.example, port: 53}
  - {name: b.example, protocol: icmp}
  - {name: c.example, protocol: sctp}
"""


def skip(why):
    print("skipped: " + why)
    sys.exit(77)


def run(*arguments, status=(0,)):
    done = subprocess.run([str(a) for a in arguments], capture_output=True, text=True)
    assert done.returncode in status, (arguments, done)
    return done


def undeclared(report):
    return [f["claim"] for f in json.loads(report)["findings"]
            if f["rule"].endswith("undeclared") or f["rule"] == "account.predefined"]


def test_draft_of_a_real_image_makes_nothing_undeclared(assay):
    if not (SHARED / "firmware").is_dir():
        skip("no " + str(SHARED / "firmware"))
    with tempfile.TemporaryDirectory() as folder:
        for name in IMAGES:
            image, draft = SHARED / "firmware" / name, folder + "/d.yaml"
            store = ("--store", folder + "/store")
            run(assay, "declare", image, *store, "-o", draft, status=(0, 4))
            again = run(assay, "declare", image, "--no-store", "--workers", "1", "-o", "-", status=(0, 4)).stdout
            assert again == pathlib.Path(draft).read_text(), "the draft depends on the store or the workers"
            assert "valid" in run(assay, "declare", "--declaration", draft).stdout
            full = run(assay, "inspect", image, *store, "--declaration", draft, "--json", "-", status=(0, 1, 4)).stdout
            assert undeclared(full) == [], (name, undeclared(full))
            text = "".join(l for l in pathlib.Path(draft).read_text().splitlines(True) if not l.startswith("  - "))
            pathlib.Path(draft).write_text(text.replace("services:\n", "services: []\n").replace(
                "software:\n", "software: []\n").replace("communications:\n", "communications: []\n").replace(
                "accounts:\n", "accounts: []\n").replace("functions:\n", "functions: []\n"))
            empty = run(assay, "inspect", image, *store, "--declaration", draft, "--json", "-", status=(0, 1, 4)).stdout
            assert len(undeclared(empty)) > 5, "without its entries everything is undeclared again"


def yanglint(file):
    mud = SHARED / "schemas/mud"
    # The module's own revisions: the types that RFC 8520 was written with.
    modules = [mud / name for name in ("ietf-yang-types@2013-07-15.yang", "ietf-inet-types@2013-07-15.yang",
                                       "ietf-ethertypes@2019-03-04.yang", "ietf-packet-fields@2019-03-04.yang",
                                       "ietf-interfaces@2018-02-20.yang", "ietf-access-control-list@2019-03-04.yang",
                                       "ietf-acldns@2019-01-28.yang", "ietf-mud@2019-01-28.yang")]
    features = ("match-on-eth,match-on-ipv4,match-on-ipv6,match-on-tcp,match-on-udp,match-on-icmp,eth,ipv4,ipv6")
    done = subprocess.run(["yanglint", "-p", str(mud), "-F", "ietf-access-control-list:" + features, "-t", "config",
                           *map(str, modules), str(file)], capture_output=True, text=True)
    return done.returncode == 0, done.stdout + done.stderr


def test_mud_passes_yanglint_and_reads_back(assay):
    if not shutil.which("yanglint"):
        skip("no yanglint")
    if not (SHARED / "schemas/mud").is_dir():
        skip("no " + str(SHARED / "schemas/mud"))
    with tempfile.TemporaryDirectory() as folder:
        room = pathlib.Path(folder)
        (room / "d.yaml").write_text(DECLARATION)
        run(assay, "declare", "--declaration", room / "d.yaml", "--export-mud", room / "m.json", "--as-of", "2026-11-01")
        good, said = yanglint(room / "m.json")
        assert good, said
        text = (room / "m.json").read_text()
        for old, new in [('"eq"', '"equals"'), ("192.0.2.7/32", "192.0.2.777/32"), ('"is-supported": true', '"is-supported": 3'),
                         ('"mud-version"', '"mud-versions"')]:
            assert old in text
            (room / "bad.json").write_text(text.replace(old, new))
            assert not yanglint(room / "bad.json")[0], "yanglint takes anything: " + new
        (room / "bare.yaml").write_text("declaration: 1\n")
        run(assay, "declare", "--declaration", room / "bare.yaml", "--mud", room / "m.json", "-o", room / "back.yaml")
        back = (room / "back.yaml").read_text()
        for line in ["{name: update.example, port: 443, protocol: tcp}", "{name: 192.0.2.7, port: 123, protocol: udp}",
                     "mud_url: \"https://mud.example/p.json\"", "{name: a.example, port: 53, protocol: udp}"]:
            assert line in back, (line, back)


def test_what_cannot_be_taken_over_is_said(assay):
    with tempfile.TemporaryDirectory() as folder:
        room = pathlib.Path(folder)
        (room / "d.yaml").write_text(DECLARATION + "  - {name: \"*.cdn.example\"}\n")
        said = run(assay, "declare", "--declaration", room / "d.yaml", "--export-mud", room / "m.json", status=(4,))
        assert "*.cdn.example" in said.stderr, said
        (room / "d.yaml").write_text("declaration: 1\nservises: []\n")
        said = run(assay, "declare", "--declaration", room / "d.yaml", status=(2,))
        assert "line 2" in said.stderr and 'did you mean "services"?' in said.stderr, said
        (room / "d.yaml").write_text("declaration: 1\nclass: cpe-ruter\n")
        said = run(assay, "declare", "--declaration", room / "d.yaml", status=(2,))
        assert 'did you mean "cpe-router"?' in said.stderr, said
        run(assay, "declare", status=(2,))
        run(assay, "declare", "--declaration", room / "no.yaml", status=(3,))
        (room / "m.json").write_text("{")
        run(assay, "declare", "--declaration", room / "d.yaml", "--mud", room / "m.json", status=(2,))


if __name__ == "__main__":
    globals()[sys.argv[1]](sys.argv[2])
