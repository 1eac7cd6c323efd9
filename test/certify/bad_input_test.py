#!/usr/bin/env python3
"""Bad input of certificates, keys and logs: the message names the field or the file and what to do, nothing is left half
written, and the exit status is the documented one.

Run as `bad_input_test.py test_NAME ASSAY`."""
import json
import os
import subprocess
import sys
import tempfile

from certify_test import Room


def write(path, text):
    with open(path, "w") as out:
        out.write(text)
    return path


def certify(room, output="new.json", **more):
    flags = {"policy": "consumer-cpe", "key": room.at("signer"), "log": room.at("log"), "as-of": "2026-11-01", **more}
    return ["certify", room.at("image.tar"), "-o", room.at(output), *[w for f, v in flags.items() for w in ("--" + f, v)]]


def cases(room):
    """(what, command, exit status, words the message must have)"""
    at = room.at
    trust = ["--signer", at("signer.pub"), "--log-key", room.log_key(), "--as-of", "2026-11-02"]
    whole = open(at("cert.json")).read()
    spki = "".join(line for line in open(at("signer.pub")).read().splitlines() if not line.startswith("-"))
    roots = {"logs": [room.log_key()], "keys": [{"name": "old", "key": spki, "roles": ["certificate"], "log": "log.example/t", "until": 1}]}
    subprocess.run(["openssl", "genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048", "-out", at("rsa")], check=True,
                   capture_output=True)
    subprocess.run(["openssl", "pkey", "-in", at("rsa"), "-pubout", "-out", at("rsa.pub")], check=True)
    subprocess.run(["openssl", "genpkey", "-algorithm", "ed25519", "-aes256", "-pass", "pass:x", "-out", at("locked")], check=True)
    write(at("empty"), "")
    yield "expired key", ["verify", at("cert.json"), "--trust", write(at("roots.json"), json.dumps(roots))], 1, ["key old", "expired at entry 1"]
    yield "expired certificate", ["verify", at("cert.json"), *trust[:-1], "2031-01-01"], 1, ["validUntil"]
    yield "no such day", ["verify", at("cert.json"), *trust[:-1], "2026-13-01"], 2, ["--as-of", "2026-13-01"]
    yield "log that nobody serves", ["verify", at("cert.json"), *trust, "--log", "http://127.0.0.1:1/"], 3, ["cannot connect"]
    yield "RSA signer", certify(room, key=at("rsa")), 2, ["rsa", "wrong key type", "Ed25519 and P-256"]
    yield "key with a passphrase", certify(room, key=at("locked")), 2, ["locked", "passphrase", "assay keygen"]
    yield "no key", certify(room, key=at("nothing")), 3, ["nothing"]
    yield "public for private", certify(room, key=at("signer.pub")), 2, ["signer.pub", "no private key"]
    yield "P-256 for a log", ["log", "init", at("other"), "--key", at("p256"), "--origin", "log.example/o"], 2, ["wrong key type", "Ed25519"]
    yield "RSA to check with", ["verify", at("cert.json"), "--signer", at("rsa.pub")], 1, ["rsa.pub", "wrong key type"]
    yield "private to check with", ["verify", at("cert.json"), "--signer", at("signer")], 1, ["signer", "PUBLIC KEY"]
    yield "truncated certificate", ["verify", write(at("half.json"), whole[:len(whole) // 2]), *trust], 1, ["half.json", "truncated"]
    yield "empty certificate", ["verify", at("empty"), *trust], 1, ["empty"]
    yield "not a certificate", ["verify", write(at("other.json"), "{}"), *trust], 1, ["other.json", "not a certificate"]
    write(at("deep.json"), "[" * 100000)
    yield "certificate of brackets", ["verify", at("deep.json"), *trust], 1, ["deep.json", "nested more than 64 deep at byte 64"]
    yield "roots of brackets", ["verify", at("cert.json"), "--trust", write(at("deep"), '{"logs":' + "[" * 100000 + "]" * 100000 + "}")], 1, \
        ["nested more than 64 deep"]
    yield "SARIF of brackets", ["policy", "judge", "consumer-cpe", at("image.tar"), "--sarif", at("deep.json")], 2, ["deep.json", "nested"]
    yield "MUD of brackets", ["declare", "--declaration", write(at("d.yaml"), "declaration: 1\n"), "--mud", at("deep.json")], 2, ["mud", "nested"]
    yield "no certificate", ["verify", at("nothing"), *trust], 3, ["nothing"]
    yield "page of a truncated one", ["certificate", "page", at("half.json"), "-o", at("new.json")], 1, ["half.json"]
    yield "space at the end", ["verify", write(at("space.json"), whole + " "), *trust], 1, ["space.json", "encoding"]
    yield "log key with a typo", ["verify", at("cert.json"), "--log-key", room.log_key()[:-1]], 1, ["not by"]
    yield "unknown policy operator", certify(room, policy=write(at("policy.yaml"), open(at("policy-source")).read().replace("{none:", "{nine:", 1))), 2, \
        ["policy.yaml", "line", "nine"]
    wrong = {"rule ==": "rul ==", "update.unsigned": "update.unsined"}
    for old, new in wrong.items():
        policy = write(at(new.strip(" =") + ".yaml"), open(at("policy-source")).read().replace(old, new, 1))
        yield "policy with " + new, ["policy", "check", policy], 2, [policy, "line 15", "did you mean"]
    yield "no log", certify(room, log=at("nothing")), 3, ["nothing", "assay log init"]
    yield "log without its key", certify(room, log=at("keyless")), 3, ["gone-key"]
    yield "certificate of another log", ["status", "suspend", at("cert.json"), "--key", at("signer"), "--log", at("second"), "--reason", "x"], 2, \
        ["--log", "second"]
    yield "no such event", ["status", "forget", at("cert.json"), "--key", at("signer"), "--log", at("log"), "--reason", "x"], 2, ["forget"]
    yield "supersede by nothing", ["status", "supersede", at("cert.json"), "--key", at("signer"), "--log", at("log"), "--reason", "x"], 2, ["--by"]
    yield "log where a log is", ["log", "init", at("log"), "--key", at("log-key"), "--origin", "log.example/t"], 2, ["log already"]
    yield "origin with a space", ["log", "init", at("third"), "--key", at("log-key"), "--origin", "a b"], 2, ["white space"]
    yield "entry that is not there", ["log", "prove", at("log"), "--index", "99999"], 3, ["99999"]
    yield "log that is not there", ["log", "verify", at("nothing")], 3, ["nothing"]
    yield "log where none can be", ["log", "init", at("empty/log"), "--key", at("log-key"), "--origin", "log.example/o"], 3, ["empty/log"]
    yield "witness without a folder", ["log", "witness", at("log"), "--key", at("log-key"), "--name", "w.example/1", "--state", at("empty/w")], 3, \
        ["empty/w"]
    yield "no entry named", ["log", "prove", at("log")], 2, ["--index"]
    yield "key over a key", ["keygen", "-o", at("signer")], 3, ["never replaced"]
    yield "public key of a damaged one", ["keygen", "-o", at("new.json"), "--of", at("empty")], 3, ["empty", "no private key"]
    yield "public key of an RSA key", ["keygen", "-o", at("new.json"), "--of", at("rsa")], 2, ["wrong key type"]
    yield "type of a key that is there", ["keygen", "-o", at("new.json"), "--of", at("signer"), "--type", "p256"], 2, ["--type", "--of"]
    yield "URI of no key", ["keygen", "-o", at("new.json"), "--of", "pkcs11:object=a"], 2, ["token is missing"]
    yield "folder that is not there", ["keygen", "-o", at("no/such/key")], 3, ["no/such/key"]
    yield "output that cannot be", certify(room, output="no/such/new.json"), 3, ["new.json"]


def test_messages_name_what_and_what_to_do(assay):
    with tempfile.TemporaryDirectory() as folder:
        room = Room(assay, folder)
        room.certify("cert.json")
        room.run("keygen", "-o", room.at("p256"), "--type", "p256")
        room.run("keygen", "-o", room.at("gone-key"))
        for name, key in (("second", "log-key"), ("keyless", "gone-key")):
            room.run("log", "init", room.at(name), "--key", room.at(key), "--origin", "log.example/" + name)
        os.remove(room.at("gone-key"))
        here = os.path.dirname(os.path.abspath(__file__))
        with open(os.path.join(here, "../../certify/policies/consumer-cpe.yaml")) as file:
            write(room.at("policy-source"), file.read())
        wrong = []
        for what, command, status, words in cases(room):
            done = subprocess.run([assay, *command], capture_output=True, text=True)
            missing = [word for word in words if word not in done.stderr]
            if done.returncode != status or missing or done.stderr.count("\n") > 6:
                wrong.append((what, done.returncode, missing, done.stderr[-400:]))
            left = [name for name in os.listdir(folder) if ".part" in name or name in ("new.json", "other", "third")]
            if left:
                wrong.append((what, "left behind", left))
                for name in left:
                    os.path.isdir(room.at(name)) or os.remove(room.at(name))
        for one in wrong:
            print(*one)
        assert not wrong


if __name__ == "__main__":
    globals()[sys.argv[1]](sys.argv[2])
