#!/usr/bin/env python3
"""Holds the JSON report against docs/report.schema.json, SARIF, CycloneDX and OpenVEX against their makers' schemas, and
proves that each schema refuses a broken document. Skipped (77) where python3-jsonschema is absent; the foreign schemas
are read from the folder shared/ beside the checkout, and their absence is printed and skips after our own passed.

schemas_test.py ASSAY SOURCE SHARED
"""
import copy
import json
import pathlib
import re
import sys
import tempfile
import warnings

import small_image

SKIPPED = 77
try:
    warnings.simplefilter("ignore", DeprecationWarning)
    import jsonschema
except ImportError:
    print("skipped: no python3-jsonschema")
    sys.exit(SKIPPED)


def validator(path, *references):
    schema = json.loads(path.read_text())
    kind = jsonschema.validators.validator_for(schema)
    kind.check_schema(schema)
    store = {s["$id"]: s for s in (json.loads(r.read_text()) for r in references)}
    if not store:
        return kind(schema)
    return kind(schema, resolver=jsonschema.RefResolver(schema.get("$id", ""), schema, store=store))


def without(*path):
    """Removes what path names: keys and indexes, the last of which is deleted."""
    def change(document):
        for step in path[:-1]:
            document = document[step]
        del document[path[-1]]
    return change


def put(value, *path):
    def change(document):
        for step in path[:-1]:
            document = document[step]
        document[path[-1]] = value
    return change


BROKEN = {
    "json": [without("input", "sha256"), without("facts", "services"), put("telnet", "facts", "accounts", 0, "port"),
             put("awful", "findings", 0, "severity"), put([], "findings", 0, "evidence"),
             put(-1, "coverage", "bytes", "total"),
             put("yes", "complete")],
    "sarif": [without("runs"), put("grave", "runs", 0, "results", 0, "level"),
              put(7, "runs", 0, "results", 0, "message", "text")],
    "cyclonedx": [without("bomFormat"), put("gadget", "metadata", "component", "type"), put("1", "version")],
    "openvex": [without("author"), put([], "statements"), put("affected", "statements", 0, "status"),
                put({}, "statements", 0, "products", 0)],
}


def check(kind, valid, document):
    bad = [f"{kind}: {'/'.join(map(str, e.path))}: {e.message[:300]}" for e in valid.iter_errors(document)]
    for n, change in enumerate(BROKEN[kind]):
        broken = copy.deepcopy(document)
        change(broken)
        if valid.is_valid(broken):
            bad.append(f"{kind}: broken document {n} was not refused")
    return bad


def drifted(source):
    """Facts whose keys in core/ and in the schema differ; a small image does not hold a fact of every kind."""
    definitions = json.loads((source / "docs/report.schema.json").read_text())
    kinds = definitions["$defs"] | {"Facts": definitions["properties"]["facts"]}
    text = (source / "core/facts.h").read_text() + (source / "core/artifact.h").read_text()
    structs = {name: set(re.findall(r'v\("(\w+)"', body)) for name, body in
               re.findall(r"struct (\w+) \{(.*?)\n\};", text, re.S)}
    used = {"Facts", "Problem"} | {v["items"]["$ref"].split("/")[-1] for v in kinds["Facts"]["properties"].values()}
    bad = []
    for name in sorted(used):
        wanted, has = structs.get(name, set()), set(kinds[name]["properties"])
        if not wanted or wanted != has or set(kinds[name]["required"]) != has:
            bad.append(f"docs/report.schema.json: {name} differs from core/ in {sorted(wanted ^ has)}")
    return bad


def main():
    assay, source, shared = sys.argv[1], pathlib.Path(sys.argv[2]), pathlib.Path(sys.argv[3]) / "schemas"
    bad, skipped = drifted(source), False
    with tempfile.TemporaryDirectory() as folder:
        out = small_image.inspect(assay, folder, "small.cpio", small_image.image())
        documents = {kind: json.loads(out[kind].read_bytes()) for kind in BROKEN}
        bad += check("json", validator(source / "docs/report.schema.json"), documents["json"])
        if shared.is_dir():
            cyclonedx = shared / "cyclonedx"
            names = ("spdx.schema.json", "jsf-0.82.schema.json", "cryptography-defs.schema.json")
            references = [cyclonedx / name for name in names]
            bad += check("sarif", validator(shared / "sarif/sarif-schema-2.1.0.json"), documents["sarif"])
            bad += check("openvex", validator(shared / "openvex/openvex_json_schema.json"), documents["openvex"])
            bad += check("cyclonedx", validator(cyclonedx / "bom-1.6.schema.json", *references), documents["cyclonedx"])
        else:
            print(f"skipped: no {shared}: SARIF, CycloneDX and OpenVEX are not held against their schemas")
            skipped = True
    for what in bad:
        print(what)
    return 1 if bad else SKIPPED if skipped else 0


sys.exit(main())
