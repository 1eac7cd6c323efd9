#!/usr/bin/env python3
"""Keys with roles, rotation and compromise by log index, status changes that nobody can hide, witnesses.

Run as `status_test.py test_NAME ASSAY`."""
import hashlib
import base64
import json
import os
import re
import sys
import tempfile

from certify_test import Room


def spki(room, name):
    with open(room.at(name + ".pub")) as file:
        return "".join(line for line in file.read().splitlines() if not line.startswith("-"))


def roots(room, keys, **more):
    """Writes roots.json; a key is (file, roles, life)."""
    document = {"logs": [room.log_key()],
                "keys": [{"name": name, "key": spki(room, name), "roles": roles, "log": "log.example/t", **life}
                         for name, roles, life in keys], **more}
    with open(room.at("roots.json"), "w") as out:
        json.dump(document, out)
    return ["verify", room.at("cert.json"), "--trust", room.at("roots.json"), "--as-of", "2026-11-02"]


def set_status(room, event, key="signer", status=0, **more):
    flags = [word for name, value in more.items() for word in ("--" + name, value)]
    return room.run("status", event, room.at("cert.json"), "--key", room.at(key), "--log", room.at("log"), "--reason", "a test",
                    "--on", "2026-11-02", *flags, status=status)


def test_a_certificate_is_suspended_reinstated_and_withdrawn(assay):
    with tempfile.TemporaryDirectory() as folder:
        room = Room(assay, folder)
        room.certify("cert.json")
        alone = roots(room, [("signer", ["certificate", "status"], {})])
        check = [*alone, "--log", room.at("log")]
        assert "status in all entries of the log since: issued" in room.run(*check).stdout
        assert "not checked: later changes of status" in room.run(*alone).stdout
        set_status(room, "suspend")
        refused = room.run(*check, status=1).stderr
        assert "suspended" in refused and "entry 4" in refused and "a test" in refused, refused
        set_status(room, "reinstate")
        assert "since: issued (reinstate in entry 6" in room.run(*check).stdout
        set_status(room, "review")
        assert "since: under review" in room.run(*check).stdout
        room.certify("next.json")
        set_status(room, "supersede", by=room.at("next.json"))
        assert "superseded" in room.run(*check, status=1).stderr
        refused = set_status(room, "reinstate", status=2).stderr
        assert "superseded" in refused and "final" in refused, refused
        set_status(room, "withdraw", status=2)
        room.run("verify", room.at("next.json"), *check[2:])
        room.run("log", "verify", room.at("log"))


def test_only_keys_with_the_role_count_and_nothing_can_be_hidden(assay):
    with tempfile.TemporaryDirectory() as folder:
        room = Room(assay, folder)
        room.run("keygen", "-o", room.at("stranger"))
        room.run("keygen", "-o", room.at("officer"))
        room.certify("cert.json")
        check = [*roots(room, [("signer", ["certificate"], {}), ("officer", ["status"], {})]), "--log", room.at("log")]
        set_status(room, "withdraw", key="stranger")
        said = room.run(*check).stdout
        assert "ignored: withdraw" in said and "not among the trusted keys" in said and "since: issued" in said, said
        set_status(room, "suspend", key="signer")
        assert "has not the role status" in room.run(*check).stdout
        set_status(room, "suspend", key="officer", trust=room.at("roots.json"))
        assert "signed by officer" in room.run(*check, status=1).stderr
        # A keeper of the log who does not show the statement does not make it go away.
        for name in os.listdir(room.at("log/status")):
            os.rename(room.at("log/status/" + name), room.at(name))
        refused = room.run(*check, status=3).stderr
        assert "is not shown" in refused, refused


def test_a_line_that_anybody_could_append_changes_nothing(assay):
    with tempfile.TemporaryDirectory() as folder:
        room = Room(assay, folder)
        room.certify("cert.json")
        check = [*roots(room, [("signer", ["certificate", "status"], {})]), "--log", room.at("log")]
        set_status(room, "suspend")
        set_status(room, "reinstate")
        with open(room.at("cert.json")) as file:
            payload = base64.b64decode(json.load(file)["certificate"]["dsseEnvelope"]["payload"])
        suspended = next(name for name in os.listdir(room.at("log/status"))
                         if b"suspend" in base64.b64decode(json.load(open(room.at("log/status/" + name)))["dsseEnvelope"]["payload"]))
        with open(room.at("line"), "w") as out:
            out.write(f"assay.status.v1\n{hashlib.sha256(payload).hexdigest()}\n{suspended[:64]}\n")
        room.run("log", "append", room.at("log"), room.at("line"))
        assert "since: issued (reinstate" in room.run(*check).stdout
        for changed in range(0, 400, 7):
            path = room.at("log/status/" + suspended)
            with open(path, "rb") as file:
                whole = file.read()
            with open(path, "wb") as out:
                out.write(whole[:changed] + bytes([whole[changed] ^ 1]) + whole[changed + 1:])
            room.run(*check, status=1)
            with open(path, "wb") as out:
                out.write(whole)


def test_rotation_and_compromise_are_told_in_entries(assay):
    with tempfile.TemporaryDirectory() as folder:
        room = Room(assay, folder)
        room.certify("cert.json")  # entries 0 to 3
        for life, good in (({"until": 4}, True), ({"until": 3}, False), ({"from": 0, "compromised": 4}, True),
                           ({"compromised": 2}, False), ({"from": 1}, False)):
            said = room.run(*roots(room, [("signer", ["certificate"], life)]), status=0 if good else 1)
            if not good:
                assert "key signer" in said.stderr and "entry" in said.stderr, said
        # The new key after the old: both named, each for its entries.
        room.run("keygen", "-o", room.at("next-key"), "--type", "p256")
        room.certify("cert.json", key=room.at("next-key"))
        keys = [("signer", ["certificate"], {"until": 4}), ("next-key", ["certificate"], {"from": 4})]
        room.run(*roots(room, keys))
        assert "expired" in room.run(*roots(room, [("next-key", ["certificate"], {"until": 4})]), status=1).stderr


def test_bad_roots_name_the_field(assay):
    with tempfile.TemporaryDirectory() as folder:
        room = Room(assay, folder)
        room.certify("cert.json")
        room.run("keygen", "-o", room.at("w"))
        good = [("signer", ["certificate"], {})]
        for words, keys, more in ((["keys[0]: rolls", "there are: name, key"], [("signer", ["certificate"], {"rolls": 1})], {}),
                                  (["keys[0]: roles: king"], [("signer", ["king"], {})], {}),
                                  (["keys[0]: roles: waiver", "certificate, status"], [("signer", ["waiver"], {})], {}),
                                  (["keys[0]: until", "not a day"], [("signer", ["certificate"], {"until": "2026-01-01"})], {}),
                                  (["cosignatures"], good, {"cosignatures": 2}),
                                  (["logs", "expected name+id+key"], good, {"logs": ["x"]}),
                                  (["witnesses", "wrong key type"], good, {"witnesses": [room.log_key()]}),
                                  (["keys[0]: log"], good, {"logs": []})):
            refused = room.run(*roots(room, keys, **more), status=1).stderr
            assert "roots.json" in refused and all(word in refused for word in words), refused


def test_witnesses_are_counted(assay):
    with tempfile.TemporaryDirectory() as folder:
        room = Room(assay, folder)
        room.certify("cert.json")
        room.run("keygen", "-o", room.at("w"))
        seen = room.run("log", "witness", room.at("log"), "--key", room.at("w"), "--name", "w.example/1", "--state", room.at("seen"))
        key = re.match(r"(\S+) cosigned", seen.stdout).group(1)
        check = roots(room, [("signer", ["certificate", "status"], {})], witnesses=[key], cosignatures=1)
        said = room.run(*check, status=4).stdout
        assert "not checked: the cosignatures" in said and "not in a certificate: --log" in said, said
        more = [*check[:3], room.at("more.json"), *check[4:]]
        with open(room.at("roots.json")) as file:
            document = json.load(file)
        room.run("keygen", "-o", room.at("w2"))
        room.run("log", "init", room.at("other"), "--key", room.at("log-key"), "--origin", "log.example/o")
        second = room.run("log", "witness", room.at("other"), "--key", room.at("w2"), "--name", "w.example/2", "--state", room.at("seen2"))
        document.update(witnesses=[key, re.match(r"(\S+) cosigned", second.stdout).group(1)], cosignatures=2)
        with open(room.at("more.json"), "w") as out:
            json.dump(document, out)
        assert "asks for 2" in room.run(*more, "--log", room.at("log"), status=1).stderr
        said = room.run(*check, "--log", room.at("log")).stdout
        assert "witness w.example/1 saw these 4 entries" in said, said
        # A certificate made while the checkpoint has a cosignature carries the log's signature alone: every byte is checked.
        room.certify("cert.json")
        with open(room.at("cert.json")) as file:
            assert "w.example" not in file.read()


if __name__ == "__main__":
    globals()[sys.argv[1]](sys.argv[2])
