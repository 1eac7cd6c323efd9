#!/usr/bin/env python3
"""The fact root: the same wherever it is computed, compared by `assay verify --recompute` and `--sample`, and refused to be
compared by another program.

Run as `recompute_test.py test_NAME ASSAY`."""
import base64
import hashlib
import json
import os
import shutil
import subprocess
import tempfile
import sys

from certify_test import Room, verdict_of


def facts_of(path):
    return verdict_of(path)["urn:assay:certificate:v1"]["images"][0]["factRoot"]


def trusting(room, name="cert.json"):
    return ["verify", room.at(name), "--signer", room.at("signer.pub"), "--log-key", room.log_key(), "--as-of", "2026-11-02"]


def test_same_root_elsewhere_and_recomputed(assay):
    with tempfile.TemporaryDirectory() as folder:
        room = Room(assay, folder)
        room.certify("cert.json")
        # Another program file, folder, working folder, image name, number of workers: the same root.
        os.makedirs(room.at("elsewhere"))
        shutil.copy(assay, room.at("elsewhere/assay"))
        shutil.copy(room.at("image.tar"), room.at("elsewhere/renamed.bin"))
        flags = ["--policy", "consumer-cpe", "--key", room.at("signer"), "--log", room.at("log"), "--as-of", "2026-11-01"]
        done = subprocess.run([room.at("elsewhere/assay"), "certify", "renamed.bin", "-o", "again.json", "--workers", "1", *flags],
                              cwd=room.at("elsewhere"), capture_output=True, text=True)
        assert done.returncode in (1, 4), done
        assert facts_of(room.at("cert.json")) == facts_of(room.at("elsewhere/again.json"))
        said = room.run(*trusting(room), "--image", room.at("elsewhere/renamed.bin"), "--recompute").stdout
        assert "ran again, fact root " + facts_of(room.at("cert.json")) in said, said
        assert "judged again by urn:assay:policy:consumer-cpe" in said, said
        room.run("certificate", "redact", room.at("cert.json"), "-o", room.at("public.json"))
        said = room.run(*trusting(room, "public.json"), "--image", room.at("image.tar"), "--recompute").stdout
        assert "judged again" in said, said
        said = room.run(*trusting(room), "--image", room.at("image.tar"), "--sample", "2").stdout
        assert "ran again with the same results" in said, said


def test_another_program_is_refused_with_that_reason(assay):
    with tempfile.TemporaryDirectory() as folder:
        room = Room(assay, folder)
        room.certify("cert.json")
        other = room.at("other-assay")
        shutil.copy(assay, other)
        with open(other, "ab") as file:
            file.write(b"\0")
        done = subprocess.run([other, *trusting(room), "--image", room.at("image.tar"), "--recompute"],
                              capture_output=True, text=True)
        assert done.returncode == 4 and "another program" in done.stderr, done


def test_what_judging_needed_is_needed_again(assay):
    with tempfile.TemporaryDirectory() as folder:
        room = Room(assay, folder)
        with open(room.at("declaration.yaml"), "w") as out:
            out.write("declaration: 1\n")
        room.certify("cert.json", declaration=room.at("declaration.yaml"))
        again = [*trusting(room), "--image", room.at("image.tar"), "--recompute"]
        refused = room.run(*again, status=4)
        assert "cannot recompute without the declaration" in refused.stderr and "rejected" not in refused.stderr, refused
        room.run(*again, "--declaration", room.at("declaration.yaml"))
        room.run(*trusting(room), "--recompute", status=2)


def node_hash(hashes):
    """RFC 6962, section 2.1: the root over leaf hashes."""
    if len(hashes) == 1:
        return hashes[0]
    left = 1 << (len(hashes) - 1).bit_length() - 1
    return hashlib.sha256(b"\1" + node_hash(hashes[:left]) + node_hash(hashes[left:])).digest()


def inclusion(index, hashes):
    if len(hashes) == 1:
        return []
    left = 1 << (len(hashes) - 1).bit_length() - 1
    if index < left:
        return inclusion(index, hashes[:left]) + [node_hash(hashes[left:])]
    return inclusion(index - left, hashes[left:]) + [node_hash(hashes[:left])]


def leaf_hash(data):
    return hashlib.sha256(b"\0" + data).digest()


def signed(room, payload):
    pae = b"DSSEv1 28 application/vnd.in-toto+json %d %s" % (len(payload), payload)
    with open(room.at("pae"), "wb") as out:
        out.write(pae)
    return subprocess.run(["openssl", "pkeyutl", "-sign", "-rawin", "-inkey", room.at("signer"), "-in", room.at("pae")],
                          check=True, capture_output=True).stdout


def plain(document):
    return json.dumps(document, separators=(",", ":"), ensure_ascii=False)


def an_arrow_more(row):
    def change(statements):
        arrows = next(s["predicate"] for s in statements if "arrows" in s["predicate"])
        arrows["arrows"] = sorted([*arrows["arrows"], row], key=lambda arrow: arrow[2])
        arrows["factRoot"] = node_hash([leaf_hash(bytes.fromhex(a[2] + a[3])) for a in arrows["arrows"]]).hex()
        statements[0]["predicate"]["urn:assay:certificate:v1"]["images"][0].update(factRoot=arrows["factRoot"], arrows=len(arrows["arrows"]))
    return change


def a_verdict_better(statements):
    judged = statements[1]["predicate"]["urn:assay:certificate:v1"]["judgements"]
    next(j for j in judged if j["verdict"] == "INCONCLUSIVE")["verdict"] = "PASS"


def a_decision_better(statements):
    statements[0]["predicate"]["verificationResult"] = "PASSED"


def statements_with(payloads, change):
    """The changed statements, and the verdict that names them."""
    statements = [json.loads(payload) for payload in payloads]
    change(statements)
    bodies = [body if json.loads(body) == s else plain(s).encode() for s, body in zip(statements, payloads)][1:]
    statements[0]["predicate"]["inputAttestations"] = [{"digest": {"sha256": hashlib.sha256(body).hexdigest()}} for body in bodies]
    return [plain(statements[0]).encode(), *bodies]


def forge(room, change):
    """What a dishonest signer with a log of his own can make: lied.json, a certificate of statements that `change` wrote."""
    with open(room.at("cert.json")) as file:
        certificate = json.load(file)
    bundles = [certificate["certificate"], *certificate["attestations"]]
    payloads = statements_with([base64.b64decode(b["dsseEnvelope"]["payload"]) for b in bundles], change)
    bodies = []
    for bundle, payload in zip(bundles, payloads):
        signature = base64.b64encode(signed(room, payload)).decode()
        bundle["dsseEnvelope"]["payload"] = base64.b64encode(payload).decode()
        bundle["dsseEnvelope"]["signatures"][0]["sig"] = signature
        entry = bundle["verificationMaterial"]["tlogEntries"][0]
        body = json.loads(base64.b64decode(entry["canonicalizedBody"]))
        body["spec"]["dsseV002"]["payloadHash"]["digest"] = base64.b64encode(hashlib.sha256(payload).digest()).decode()
        body["spec"]["dsseV002"]["signatures"][0]["content"] = signature
        bodies.append(plain(body).encode())
    log_of(room, bundles, bodies)
    with open(room.at("lied.json"), "w") as out:
        out.write(plain(certificate) + "\n")


def log_of(room, bundles, bodies):
    shutil.rmtree(room.at("own-log"), ignore_errors=True)
    room.run("log", "init", room.at("own-log"), "--key", room.at("log-key"), "--origin", "log.example/t")
    for i, body in enumerate(bodies):
        with open(room.at(f"body{i}"), "wb") as out:
            out.write(body)
    room.run("log", "append", room.at("own-log"), *[room.at(f"body{i}") for i in range(len(bodies))])
    checkpoint = room.run("log", "checkpoint", room.at("own-log")).stdout
    hashes = [leaf_hash(body) for body in bodies]
    for i, (bundle, body) in enumerate(zip(bundles, bodies)):
        entry = bundle["verificationMaterial"]["tlogEntries"][0]
        entry["logIndex"] = str(i)
        entry["canonicalizedBody"] = base64.b64encode(body).decode()
        entry["inclusionProof"].update(logIndex=str(i), rootHash=base64.b64encode(node_hash(hashes)).decode(),
                                       treeSize=str(len(bodies)), hashes=[base64.b64encode(h).decode() for h in inclusion(i, hashes)])
        entry["inclusionProof"]["checkpoint"]["envelope"] = checkpoint


def test_an_arrow_that_was_invented_is_refused_when_drawn(assay):
    with tempfile.TemporaryDirectory() as folder:
        room = Room(assay, folder)
        room.certify("cert.json")
        forge(room, an_arrow_more(["file", "etc/\x1b[2Jnothing", "7" * 64, "8" * 64]))
        room.run(*trusting(room, "lied.json"))  # signatures and proofs hold
        for flags in (["--sample", "1000"], ["--recompute"]):
            refused = room.run(*trusting(room, "lied.json"), "--image", room.at("image.tar"), *flags, status=1)
            assert "\x1b" not in refused.stdout + refused.stderr, refused
            if "--sample" in flags:
                assert "computed again, nothing ran at etc/\\x1b[2Jnothing, which the certificate lists" in refused.stderr, refused
        said = room.run(*trusting(room), "--image", room.at("image.tar"), "--sample", "1000").stdout
        assert "ran again with the same results" in said, said


def test_a_verdict_that_does_not_follow_is_refused(assay):
    with tempfile.TemporaryDirectory() as folder:
        room = Room(assay, folder)
        room.certify("cert.json")
        for change, said in ((a_verdict_better, "is INCONCLUSIVE, the certificate says PASS"), (a_decision_better, "decision")):
            forge(room, change)
            room.run(*trusting(room, "lied.json"))  # signatures and proofs hold
            refused = room.run(*trusting(room, "lied.json"), "--image", room.at("image.tar"), "--recompute", status=1)
            assert "judged again, " in refused.stderr and said in refused.stderr, refused


if __name__ == "__main__":
    globals()[sys.argv[1]](sys.argv[2])
