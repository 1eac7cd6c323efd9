#!/usr/bin/env python3
"""Keys that stay in a PKCS#11 module: a software token signs notes and statements. 77: softhsm2 or opensc is absent.

Run as `pkcs11_test.py test_NAME ASSAY`."""
import os
import shutil
import subprocess
import sys
import tempfile

MODULE = "/usr/lib/softhsm/libsofthsm2.so"


def token(folder):
    """An empty token with two keys; the environment that makes the module find it."""
    if not (shutil.which("softhsm2-util") and shutil.which("pkcs11-tool") and os.path.exists(MODULE)):
        print("skipped: softhsm2 and opensc are not here")
        sys.exit(77)
    config = os.path.join(folder, "softhsm2.conf")
    os.mkdir(os.path.join(folder, "tokens"))
    with open(config, "w") as out:
        out.write(f"directories.tokendir = {folder}/tokens\nobjectstore.backend = file\nlog.level = ERROR\n")
    environment = dict(os.environ, SOFTHSM2_CONF=config)

    def run(*command):
        subprocess.run(command, env=environment, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    run("softhsm2-util", "--init-token", "--free", "--label", "lab", "--pin", "1234", "--so-pin", "5678")
    login = ["pkcs11-tool", "--module", MODULE, "--token-label", "lab", "--login", "--pin", "1234"]
    run(*login, "--keypairgen", "--key-type", "EC:edwards25519", "--label", "ed", "--id", "01")
    run(*login, "--keypairgen", "--key-type", "EC:prime256v1", "--label", "p256", "--id", "02")
    run(*login, "--keypairgen", "--key-type", "rsa:2048", "--label", "rsa", "--id", "03")
    with open(os.path.join(folder, "pin"), "w") as out:
        out.write("1234\n")
    return environment


def uri(folder, label, pin="pin"):
    return f"pkcs11:token=lab;object={label}?module-path={MODULE}&pin-source={folder}/{pin}"


def test_a_log_signs_with_a_token(assay):
    with tempfile.TemporaryDirectory() as folder:
        environment = token(folder)
        log = os.path.join(folder, "log")

        def run(*arguments, status=0):
            done = subprocess.run([assay, *arguments], env=environment, capture_output=True, text=True)
            assert done.returncode == status, (arguments, done)
            return done

        run("log", "init", log, "--key", uri(folder, "ed"), "--origin", "log.example/a")
        entry = os.path.join(folder, "entry")
        with open(entry, "w") as out:
            out.write("one entry")
        run("log", "append", log, entry)
        run("log", "verify", log)
        # Certificates by the token, checked with its public keys alone.
        keys = {label: os.path.join(folder, label) for label in ("p256", "ed")}
        for label, at in keys.items():
            run("keygen", "-o", at, "--of", uri(folder, label))
            assert not os.path.exists(at), "a token's key stays there"
        for label, at in keys.items():
            run("certify", entry, "--policy", "consumer-cpe", "--key", uri(folder, label), "--log", log, "-o", at + ".json", status=4)
            for signer, other in keys.items():
                run("verify", at + ".json", "--signer", other + ".pub", status=4 if signer == label else 1)
        refused = run("log", "init", log + "2", "--key", uri(folder, "p256"), "--origin", "log.example/b", status=2)
        assert "wrong key type" in refused.stderr, refused
        assert not os.path.exists(log + "2"), "nothing half-made is left"
        refused = run("log", "init", log + "2", "--key", uri(folder, "rsa"), "--origin", "log.example/b", status=2)
        assert "wrong key type" in refused.stderr, refused
        with open(os.path.join(folder, "wrong"), "w") as out:
            out.write("9999")
        refused = run("log", "init", log + "2", "--key", uri(folder, "ed", "wrong"), "--origin", "x.example", status=3)
        assert "PIN is wrong" in refused.stderr, refused
        # The log's key lies in the token that the signer's PIN has opened already: its own PIN is looked at all the same.
        shutil.copy(os.path.join(folder, "pin"), os.path.join(folder, "log-pin"))
        log = os.path.join(folder, "log3")
        run("log", "init", log, "--key", uri(folder, "ed", "log-pin"), "--origin", "log.example/c")
        both = ["certify", entry, "--policy", "consumer-cpe", "--key", uri(folder, "p256"), "--log", log, "-o"]
        run(*both, os.path.join(folder, "right.json"), status=4)
        with open(os.path.join(folder, "log-pin"), "w") as out:
            out.write("9999")
        refused = run(*both, os.path.join(folder, "wrong.json"), status=3)
        assert "PIN is wrong" in refused.stderr, refused
        assert not os.path.exists(os.path.join(folder, "wrong.json"))
        refused = run("log", "init", log + "2", "--key", uri(folder, "none"), "--origin", "x.example", status=3)
        assert "no private key is called none" in refused.stderr, refused


if __name__ == "__main__":
    globals()[sys.argv[1]](sys.argv[2])
