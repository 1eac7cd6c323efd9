#!/usr/bin/env python3
"""Evidence beside the image: saved and judged again, from other tools and by hand, waived by two approvers; several
images of one submission. Run as `evidence_test.py test_NAME ASSAY`."""
import base64
import hashlib
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile

from certify_test import Room
from recompute_test import forge

POLICY = """apiVersion: assay/v1
kind: CertificationPolicy
metadata: {name: lab, version: 1}
decision:
  level: LAB
  validity_days: 100
%s
requirements:
  - ref: ports
    check: [{none: 'observed_ports.tcp[declared == no]'}]
  - ref: tools
    check: [{none: 'external_findings[level == error and suppressed == no]'}]
  - ref: hand
    check:
      - {none: 'manual[ref == hand and verdict != PASS]'}
      - {any: 'manual[ref == hand and verdict == PASS]'}
"""
NMAP = """<?xml version="1.0"?><!DOCTYPE nmaprun>
<nmaprun scanner="nmap" args="nmap -p- -oX n.xml 192.0.2.1" version="7.93">
<scaninfo type="syn" protocol="tcp" numservices="65535" services="1-65535"/>
<host><address addr="192.0.2.1" addrtype="ipv4"/><ports>
<port protocol="tcp" portid="80"><state state="open"/><service name="http"/></port>
<port protocol="tcp" portid="2323"><state state="%s"/><service name="telnet"/></port>
</ports></host><runstats><finished exit="%s"/></runstats></nmaprun>
"""
SARIF = {"version": "2.1.0", "runs": [{"tool": {"driver": {"name": "other", "version": "1"}},
                                       "invocations": [{"executionSuccessful": True}],
                                       "results": [{"ruleId": "x", "level": "note", "message": {"text": "m"}}]}]}
RESULTS = """results: 1
tester: A. Tester
tests:
  - {ref: hand, verdict: %s, by: A. Tester, on: 2026-10-01, method: by hand, reason: seen}
"""
DECLARATION = "declaration: 1\nservices:\n  - {name: http, port: 80}\n"


class Lab(Room):
    """A room with a policy that judges evidence from outside, and such evidence."""

    def __init__(self, assay, folder, decision=""):
        super().__init__(assay, folder)
        self.write("p.yaml", POLICY % decision)
        self.write("d.yaml", DECLARATION)
        self.write("n.xml", NMAP % ("closed", "success"))
        self.write("s.sarif", json.dumps(SARIF))
        self.write("r.yaml", RESULTS % "PASS")

    def recomputed(self, name, *images, status=0):
        """What verify says; images up to the first flag, then flags."""
        count = next((i for i, word in enumerate(images) if word.startswith("-")), len(images))
        given = [word for image in images[:count] for word in ("--image", self.at(image))]
        given += [] if name == "c.json" else ["--declaration", self.at("d.yaml")]
        return self.run("verify", self.at(name), "--signer", self.at("signer.pub"), "--log-key", self.log_key(), "--as-of", "2026-11-02",
                        "--recompute", *given, *images[count:], status=status)

    def write(self, name, text):
        pathlib.Path(self.at(name)).write_text(text)

    def verdicts(self, **files):
        flags = {"nmap": "n.xml", "sarif": "s.sarif", "results": "r.yaml", "declaration": "d.yaml", **files}
        done = subprocess.run([self.assay, "policy", "judge", self.at("p.yaml"), self.at("image.tar"),
                               *[w for k, v in flags.items() if v for w in ("--" + k, self.at(v))]],
                              capture_output=True, text=True)
        assert done.returncode in (0, 1), done
        return dict(reversed(l.split()) for l in done.stdout.splitlines() if not l.startswith((" ", "decision: ")))


def test_evidence_of_other_tools_is_judged(assay):
    with tempfile.TemporaryDirectory() as folder:
        lab = Lab(assay, folder)
        assert lab.verdicts() == {"ports": "PASS", "tools": "PASS", "hand": "PASS"}
        lab.write("open.xml", NMAP % ("open", "success"))
        lab.write("maybe.xml", NMAP % ("open|filtered", "success"))
        lab.write("cut.xml", NMAP % ("closed", "error"))
        lab.write("few.xml", (NMAP % ("closed", "success")).replace("1-65535", "1-1000"))
        for name, verdict in {"open.xml": "FAIL", "cut.xml": "INCONCLUSIVE", "few.xml": "INCONCLUSIVE"}.items():
            assert lab.verdicts(nmap=name)["ports"] == verdict, name
        silent = '<host timedout="%s"><status state="up"/><address addr="192.0.2.1"/><ports>%s</ports></host>'
        extra = '<extraports state="%s" count="65535"/>'
        scan = NMAP % ("closed", "success")
        start, end = scan.index("<host>"), scan.index("</host>") + len("</host>")
        for hosts, verdict in {"": "INCONCLUSIVE", silent % ("false", ""): "INCONCLUSIVE", silent % ("true", ""): "INCONCLUSIVE",
                               silent % ("false", extra % "filtered"): "INCONCLUSIVE",
                               silent % ("false", extra % "open|filtered"): "INCONCLUSIVE",
                               silent % ("false", extra % "closed"): "PASS",
                               silent % ("true", extra % "closed"): "INCONCLUSIVE",
                               scan[start:end].replace("</ports>", extra % "open" + "</ports>"): "INCONCLUSIVE",
                               scan[start:end].replace("</ports>", extra % "filtered" + "</ports>"): "PASS",
                               scan[start:end] + silent % ("false", ""): "INCONCLUSIVE",
                               scan[start:end] + '<host><status state="down"/></host>': "PASS"}.items():
            lab.write("seen.xml", scan[:start] + hosts + scan[end:])
            assert lab.verdicts(nmap="seen.xml")["ports"] == verdict, hosts
        assert lab.verdicts(nmap="n.xml", declaration=None)["ports"] == "INCONCLUSIVE"
        changed = json.loads(json.dumps(SARIF))
        changed["runs"][0]["results"][0]["level"] = "error"
        lab.write("error.sarif", json.dumps(changed))
        assert lab.verdicts(sarif="error.sarif")["tools"] == "FAIL"
        del changed["runs"][0]["invocations"]
        changed["runs"][0]["results"] = []
        lab.write("silent.sarif", json.dumps(changed))
        assert lab.verdicts(sarif="silent.sarif")["tools"] == "INCONCLUSIVE"
        lab.write("fail.yaml", RESULTS % "FAIL")
        assert lab.verdicts(results="fail.yaml")["hand"] == "FAIL"
        none = lab.verdicts(nmap=None, sarif=None, results=None)
        assert set(none.values()) == {"INCONCLUSIVE"}, "missing evidence is never PASS"
        for name, flag in {"n.xml": "sarif", "s.sarif": "results", "r.yaml": "nmap"}.items():
            refused = lab.run("policy", "judge", lab.at("p.yaml"), lab.at("image.tar"), "--" + flag, lab.at(name), status=2)
            assert name in refused.stderr, refused


def test_a_policy_is_checked(assay):
    with tempfile.TemporaryDirectory() as folder:
        lab = Lab(assay, folder)
        lab.run("policy", "check", lab.at("p.yaml"))
        for old, new, said in [("verdict == PASS", "verdict ~ PASS", "line 16: requirements[2].check[1].any: unknown operator"),
                               ("none: 'external", "none: 'extrenal", 'did you mean "external_findings"?'),
                               ("check: [{none: 'obs", "chekc: [{none: 'obs", 'did you mean "check"?'),
                               ("observed_ports.tcp[declared == no]", "findings[rule == service.undeclard]", 'did you mean "service.undeclared"?')]:
            lab.write("bad.yaml", (POLICY % "").replace(old, new) if "~" not in new else
                      new.join((POLICY % "").rsplit(old, 1)))
            refused = lab.run("policy", "check", lab.at("bad.yaml"), status=2)
            assert said in refused.stderr, refused
        # The tests that docs/policy.md shows are tests.
        docs = (pathlib.Path(__file__).resolve().parents[2] / "docs/policy.md").read_text()
        shown = re.findall(r"^\| [^|`{]+ \| `(\{.*\})` \|$", docs, re.M)
        assert len(shown) == 4, shown
        head = (POLICY % "").split("  - ref")[0]
        lab.write("shown.yaml", head + "".join(f"  - {{ref: R{i}, check: [{one}]}}\n" for i, one in enumerate(shown)))
        lab.run("policy", "check", lab.at("shown.yaml"))


def statements_of(path):
    with open(path) as file:
        return [json.loads(base64.b64decode(b["dsseEnvelope"]["payload"])) for b in json.load(file)["attestations"]]


def drop(lab, kind, name, out):
    """A view that withholds the statements of one kind: what `certificate redact` leaves of others."""
    with open(lab.at(name)) as file:
        certificate = json.load(file)
    for i, payload in enumerate([base64.b64decode(b["dsseEnvelope"]["payload"]) for b in certificate["attestations"]]):
        if json.loads(payload)["predicateType"] == kind:
            certificate["attestations"][i] = {"withheld": hashlib.sha256(payload).hexdigest()}
    lab.write(out, json.dumps(certificate, separators=(",", ":"), ensure_ascii=False) + "\n")


def test_certificate_holds_what_came_from_outside(assay):
    with tempfile.TemporaryDirectory() as folder:
        lab = Lab(assay, folder)
        given = {"policy": lab.at("p.yaml"), "declaration": lab.at("d.yaml"), "nmap": lab.at("n.xml"),
                 "sarif": lab.at("s.sarif"), "results": lab.at("r.yaml")}
        lab.certify("cert.json", status=0, **given, **{"save-evidence": lab.at("e.json")})
        kinds = [s["predicate"]["kind"] for s in statements_of(lab.at("cert.json")) if s["predicateType"] == "urn:assay:evidence:v1"]
        assert kinds == ["nmap", "sarif", "manual"], kinds
        judged = statements_of(lab.at("cert.json"))[0]["predicate"]["urn:assay:certificate:v1"]["judgements"]
        used = {r.split(":")[1] for j in judged for r in j["records"]}
        there = {r["id"] for s in statements_of(lab.at("cert.json")) if s["predicateType"] == "urn:assay:evidence:v1"
                 for c in s["predicate"]["collections"].values() for r in c["records"]}
        assert used and used <= there, "each record a verdict names stands in the certificate"
        said = lab.recomputed("cert.json", "image.tar", status=4).stdout
        assert "not checked: that the verdicts follow from the results: needs --policy FILE" in said, said
        lab.write("q.yaml", (POLICY % "").replace("validity_days: 100", "validity_days: 101"))
        refused = lab.recomputed("cert.json", "image.tar", "--policy", lab.at("q.yaml"), status=1)
        assert "--policy: the certificate was judged by the one with sha256" in refused.stderr, refused
        assert "judged again" in lab.recomputed("cert.json", "image.tar", "--policy", lab.at("p.yaml")).stdout
        drop(lab, "urn:assay:evidence:v1", "cert.json", "part.json")
        said = lab.recomputed("part.json", "image.tar", "--policy", lab.at("p.yaml"), status=4).stdout
        assert "not checked: that the verdicts follow from the results: this view withholds evidence" in said, said
        lab.certify("less.json", status=1, **{k: v for k, v in given.items() if k != "nmap"})
        assert os.stat(lab.at("e.json")).st_mode & 0o777 == 0o600, "it may hold password hashes"
        # Another policy on the same evidence, without the image; and an evidence file that was changed.
        same = lab.run("policy", "diff", lab.at("p.yaml"), lab.at("p.yaml"), "--evidence", lab.at("e.json"))
        assert same.stdout.startswith("0 of 3 verdicts change; decision: PASSED -> PASSED; evidence from a file does not"), same
        lab.write("q.yaml", (POLICY % "").replace("declared == no", "port == 80"))
        other = lab.run("policy", "diff", lab.at("p.yaml"), lab.at("q.yaml"), "--evidence", lab.at("e.json"))
        assert other.stdout.startswith("ports: PASS -> FAIL\n1 of 3 verdicts change; decision: PASSED -> FAILED"), other
        lab.write("r.yaml", (POLICY % "").replace("ref: ports", "ref: doors"))
        other = lab.run("policy", "diff", lab.at("p.yaml"), lab.at("r.yaml"), "--evidence", lab.at("e.json"))
        assert "\n2 of 4 verdicts change" in other.stdout, other
        text = pathlib.Path(lab.at("e.json")).read_text()
        lab.write("bad.json", text.replace('"complete": true', '"complete":true', 1))
        lab.run("policy", "judge", lab.at("p.yaml"), "--evidence", lab.at("bad.json"), status=2)


def an_account_invented(statements):
    one = next(s["predicate"] for s in statements if s["predicateType"] == "urn:assay:evidence:v1" and s["predicate"]["kind"] == "sarif")
    one["collections"]["accounts"] = {"complete": True, "records": []}


def test_evidence_speaks_of_nothing_that_only_the_image_shows(assay):
    with tempfile.TemporaryDirectory() as folder:
        lab = Lab(assay, folder)
        lab.certify("cert.json", status=1, policy=lab.at("p.yaml"), declaration=lab.at("d.yaml"), sarif=lab.at("s.sarif"))
        again = ("image.tar", "--policy", lab.at("p.yaml"))
        assert "judged again" in lab.recomputed("cert.json", *again).stdout
        forge(lab, an_account_invented)
        refused = lab.recomputed("lied.json", *again, status=1)
        assert "sarif may not speak of accounts" in refused.stderr, refused


def spki(lab, name):
    return re.sub(r"-----.*-----|\s", "", pathlib.Path(lab.at(name + ".pub")).read_text())


def test_waivers_take_two_approvers(assay):
    with tempfile.TemporaryDirectory() as folder:
        lab = Lab(assay, folder)
        for name in ("one", "two", "three"):
            lab.run("keygen", "-o", lab.at(name))
        lab.write("p.yaml", POLICY % "  waivers: {most_days: 90, approvers: [%s, %s]}" % (spki(lab, "one"), spki(lab, "two")))
        given = {"policy": lab.at("p.yaml"), "declaration": lab.at("d.yaml"), "sarif": lab.at("s.sarif"), "results": lab.at("r.yaml")}
        lab.certify("refused.json", status=1, **given)

        def waive(key, out, *more, status=0):
            return lab.run("policy", "waive", *more, "--key", lab.at(key), "-o", lab.at(out), status=status)

        first = (lab.at("p.yaml"), lab.at("image.tar"), "--reason", "no network in the laboratory")
        waive("one", "w1", *first, "--ref", "ports", "--until", "2026-12-24")
        refused = lab.certify("no.json", status=2, **given, waiver=lab.at("w1"))
        assert "two approvers, has 1" in refused.stderr, refused
        waive("one", "w2", "--cosign", lab.at("w1"), status=2)
        waive("three", "w2", "--cosign", lab.at("w1"))
        refused = lab.certify("no.json", status=2, **given, waiver=lab.at("w2"))
        assert "no approver" in refused.stderr, refused
        waive("two", "w2", "--cosign", lab.at("w1"))
        said = lab.certify("cert.json", status=0, **given, waiver=lab.at("w2"))
        assert "waived" in said.stdout, said
        with open(lab.at("cert.json")) as file:
            verdict = json.loads(base64.b64decode(json.load(file)["certificate"]["dsseEnvelope"]["payload"]))["predicate"]
        checked = lab.run("verify", lab.at("cert.json"), "--signer", lab.at("signer.pub"), "--log-key", lab.log_key(), "--as-of", "2026-11-02")
        assert "not checked: the approvers' signatures of waivers (the policy names their keys)" in checked.stdout, checked
        said = lab.recomputed("cert.json", "image.tar", "--policy", lab.at("p.yaml")).stdout
        assert "judged again" in said and "approvers" not in said, said
        lab.run("certificate", "page", lab.at("cert.json"), "-o", lab.at("c.html"))
        assert "by two approvers" not in pathlib.Path(lab.at("c.html")).read_text()
        assert verdict["verifiedLevels"] == ["LAB_WITH_WAIVERS"]
        assert verdict["urn:assay:certificate:v1"]["validUntil"] == "2026-12-24"
        judged = statements_of(lab.at("cert.json"))[0]["predicate"]["urn:assay:certificate:v1"]["judgements"]
        assert judged[0]["verdict"] == "INCONCLUSIVE", "a waiver changes no verdict"
        for change, why in [(("--ref", "ports", "--until", "2026-10-01"), "held until"), (("--ref", "ports", "--until", "2027-06-01"), "allows 90"),
                            (("--ref", "nothing", "--until", "2026-12-24"), "no requirement")]:
            made = waive("one", "x1", *first, *change, status=2 if why == "no requirement" else 0)
            if made.returncode == 0:
                waive("two", "x2", "--cosign", lab.at("x1"))
                made = lab.certify("no.json", status=2, **given, waiver=lab.at("x2"))
            assert why in made.stderr, made
        text = pathlib.Path(lab.at("w2")).read_text()
        lab.write("w3", text.replace('"sig":"', '"sig":"A', 1))
        lab.certify("no.json", status=2, **given, waiver=lab.at("w3"))
        refused = lab.certify("no.json", status=2, **{**given, "policy": "consumer-cpe"}, waiver=lab.at("w2"))
        assert "allows none" in refused.stderr, refused
        assert not pathlib.Path(lab.at("no.json")).exists()


def test_several_images_are_one_submission(assay):
    with tempfile.TemporaryDirectory() as folder:
        lab = Lab(assay, folder)
        lab.write("boot.bin", "U-Boot 2020.01\0" + "x" * 600)
        flags = ("--policy", "consumer-cpe", "--key", lab.at("signer"), "--log", lab.at("log"), "--as-of", "2026-11-01")
        done = subprocess.run([assay, "certify", lab.at("image.tar"), lab.at("boot.bin"), *flags, "-o", lab.at("c.json")],
                              capture_output=True, text=True)
        assert done.returncode in (1, 4), done
        with open(lab.at("c.json")) as file:
            verdict = json.loads(base64.b64decode(json.load(file)["certificate"]["dsseEnvelope"]["payload"]))
        assert [s["name"] for s in verdict["subject"]] == ["image.tar", "boot.bin"]
        assert len(verdict["predicate"]["urn:assay:certificate:v1"]["images"]) == 2
        sboms = [s for s in statements_of(lab.at("c.json")) if s["predicateType"] == "https://cyclonedx.org/bom"]
        assert [s["subject"][0]["name"] for s in sboms] == ["image.tar", "boot.bin"]
        for image in ("image.tar", "boot.bin"):
            lab.run("verify", lab.at("c.json"), "--image", lab.at(image), status=4)
        assert "needs every image" in lab.recomputed("c.json", "boot.bin", status=4).stdout
        assert "judged again" in lab.recomputed("c.json", "boot.bin", "image.tar").stdout


if __name__ == "__main__":
    globals()[sys.argv[1]](sys.argv[2])
