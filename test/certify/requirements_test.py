#!/usr/bin/env python3
"""Requirements as CycloneDX 1.6, held against the official schema. Run as `requirements_test.py test_NAME ASSAY`."""
import json
import pathlib
import subprocess
import sys
import warnings

SCHEMAS = pathlib.Path(__file__).resolve().parents[2].parent / "shared/schemas/cyclonedx"


def skip(why):
    print("skipped: " + why)
    sys.exit(77)


def validator():
    warnings.simplefilter("ignore", DeprecationWarning)
    try:
        import jsonschema
    except ImportError:
        skip("no python3-jsonschema")
    if not SCHEMAS.is_dir():
        skip("no " + str(SCHEMAS))
    schema = json.loads((SCHEMAS / "bom-1.6.schema.json").read_text())
    others = [json.loads((SCHEMAS / name).read_text()) for name in ("spdx.schema.json", "jsf-0.82.schema.json")]
    resolver = jsonschema.RefResolver(schema["$id"], schema, store={s["$id"]: s for s in others})
    return jsonschema.validators.validator_for(schema)(schema, resolver=resolver)


def test_requirements_are_cyclonedx(assay):
    valid = validator()
    text = subprocess.run([assay, "requirements", "--cyclonedx", "-"], capture_output=True, text=True, check=True).stdout
    document = json.loads(text)
    errors = [e.message[:300] for e in valid.iter_errors(document)]
    assert not errors, errors
    standards = document["definitions"]["standards"]
    refs = [s["bom-ref"] for s in standards] + [r["bom-ref"] for s in standards for r in s["requirements"]]
    assert len(refs) == len(set(refs)) > 150, "references are unique"
    assert not any("text" in r for s in standards for r in s["requirements"]), "no standard's text"
    document["definitions"]["standards"][0]["requirements"][0]["paragraph"] = "x"
    assert not valid.is_valid(document), "the schema takes anything"


if __name__ == "__main__":
    globals()[sys.argv[1]](sys.argv[2])
