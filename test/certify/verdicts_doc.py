#!/usr/bin/env python3
"""docs/verdicts.md: what the ready policies say of each image in ../shared/firmware, made by the program itself.

`verdicts_doc.py write ASSAY` certifies each image under both policies with keys and a log of its own and writes the
document; `verdicts_doc.py check ASSAY` (a test) judges them again and fails where the document is stale. 77: no images."""
import base64
import csv
import json
import pathlib
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
FIRMWARE = ROOT.parent / "shared/firmware"
DOCUMENT = ROOT / "docs/verdicts.md"
AS_OF = "2026-11-01"
POLICIES = ["scas-33117-firmware", "consumer-cpe"]
CLASSES = {"ont-": "cpe-ont", "sannce-": "ip-camera"}
LETTERS = {"PASS": "P", "FAIL": "**F**", "INCONCLUSIVE": "i", "NOT_TESTED": "-", "NOT_APPLICABLE": "n"}
INTRO = """# Verdicts on the images of the test set

Made by `test/certify/verdicts_doc.py write ASSAY`; a test judges again and compares all of it. Each image was certified under both
ready policies as of %s. No vendor's declaration exists for them: of each only its class is declared, so whatever is counted as
observed minus declared is INCONCLUSIVE, and no certificate is given while evidence is missing. What a verdict rests on stands in the
certificate; `assay policy judge POLICY IMAGE` prints the reasons. A PASS is no proof that nothing is hidden, and an F says what the
image holds, not why.

P PASS, **F** FAIL, i INCONCLUSIVE, n NOT_APPLICABLE; requirements that an image cannot decide are NOT_TESTED and left out of the
tables (their number stands above each).
"""


def images():
    with open(FIRMWARE / "MANIFEST.tsv") as table:
        return sorted(row["file"] for row in csv.DictReader(table, delimiter="\t"))


def run(*arguments):
    done = subprocess.run([str(a) for a in arguments], capture_output=True, text=True)
    assert done.returncode in (0, 1, 4), (arguments, done)
    return done


def declaration(folder, image):
    kind = next((c for start, c in CLASSES.items() if image.startswith(start)), "cpe-router")
    path = pathlib.Path(folder) / "d.yaml"
    path.write_text(f"declaration: 1\nclass: {kind}\n")
    return path


def judged(assay, folder, image):
    """By policy: requirement and verdict, in the policy's order, and what a certificate would say."""
    complete = run(assay, "policy", "evidence", FIRMWARE / image, "--declaration", declaration(folder, image), "--as-of", AS_OF,
                   "-o", folder + "/e.json").returncode == 0
    out = {}
    for policy in POLICIES:
        lines = run(assay, "policy", "judge", policy, "--evidence", folder + "/e.json").stdout.splitlines()
        verdicts = [tuple(reversed(line.split(maxsplit=1))) for line in lines[:-1] if not line.startswith(" ")]
        assert lines[-1].startswith("decision: "), lines[-1]
        out[policy] = verdicts, "PASSED" if complete and lines[-1].startswith("decision: PASSED") else "FAILED"
    return out


def certified(assay, folder, image):
    """The same out of certificates."""
    out = {}
    for policy in POLICIES:
        run(assay, "certify", FIRMWARE / image, "--declaration", declaration(folder, image), "--as-of", AS_OF, "--policy", policy,
            "--key", folder + "/signer", "--log", folder + "/log", "-o", folder + "/c.json")
        certificate = json.loads(pathlib.Path(folder + "/c.json").read_text())
        statements = [json.loads(base64.b64decode(b["dsseEnvelope"]["payload"]))
                      for b in [certificate["certificate"], *certificate["attestations"]]]
        results = next(s for s in statements if "test-result" in s["predicateType"])["predicate"]
        judgements = results["urn:assay:certificate:v1"]["judgements"]
        assert statements[0]["predicate"]["verificationResult"] == results["result"]
        out[policy] = [(j["ref"], j["verdict"]) for j in judgements], results["result"]
    return out


def table(policy, results):
    """Requirements down, images across; those that no image's verdict differs from NOT_TESTED in are left out."""
    names = list(results)
    refs = [ref for ref, _ in results[names[0]][policy][0]]
    verdicts = {name: dict(results[name][policy][0]) for name in names}
    shown = [r for r in refs if any(verdicts[n][r] != "NOT_TESTED" for n in names)]
    out = [f"\n## {policy}\n\n{len(refs) - len(shown)} of {len(refs)} requirements are NOT_TESTED.\n",
           "| requirement | " + " | ".join(str(i + 1) for i in range(len(names))) + " |",
           "|---|" + "---|" * len(names)]
    out += [f"| {r} | " + " | ".join(LETTERS[verdicts[n][r]] for n in names) + " |" for r in shown]
    return "\n".join(out) + "\n"


def document(results):
    legend = "".join(f"\n{i + 1}. {name}" for i, name in enumerate(results))
    return INTRO % AS_OF + legend + "\n" + "".join(table(p, results) for p in POLICIES) + decisions(results)


def decisions(results):
    out = "\n## Decisions\n\n"
    passed = [f"{name} under {p}" for name, by in results.items() for p, (_, decision) in by.items() if decision == "PASSED"]
    return out + (f"PASSED: {', '.join(passed)}; all others FAILED.\n" if passed else
                  f"All {len(results) * len(POLICIES)} certificates say FAILED.\n")


def main():
    if not FIRMWARE.is_dir():
        print(f"skipped: no {FIRMWARE}")
        return 77
    mode, assay = sys.argv[1], sys.argv[2]
    with tempfile.TemporaryDirectory() as folder:
        results = {image: judged(assay, folder, image) for image in images()}
        if mode == "check":
            if DOCUMENT.read_text() == document(results):
                return 0
            print("docs/verdicts.md is stale: test/certify/verdicts_doc.py write ASSAY")
            return 1
        for key in ("signer", "log-key"):
            run(assay, "keygen", "-o", f"{folder}/{key}")
        run(assay, "log", "init", folder + "/log", "--key", folder + "/log-key", "--origin", "verdicts.example/log")
        for image in images():
            for policy, said in certified(assay, folder, image).items():
                assert said == results[image][policy], (image, policy)
        DOCUMENT.write_text(document(results))
    return 0


sys.exit(main())
