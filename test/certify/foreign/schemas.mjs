// Holds documents against the official schemas with ajv: SARIF (draft-04), CycloneDX (draft-07), OpenVEX (2020-12). Each document must be
// valid, and not valid any more once what its schema requires is taken away.
//
//   node schemas.mjs MODULES SCHEMAS sarif=FILE cyclonedx=FILE openvex=FILE …
import { createRequire } from 'node:module';
import { readFileSync } from 'node:fs';

const [modules, schemas, ...documents] = process.argv.slice(2);
const require = createRequire(modules + '/');
const Ajv = require('ajv').default, AjvDraft04 = require('ajv-draft-04').default;
const Ajv2020 = require('ajv/dist/2020').default;
const addFormats = require('ajv-formats').default;
const json = (file) => JSON.parse(readFileSync(file, 'utf8'));

const options = { strict: false, allErrors: true };
const any = { 'iri-reference': true, 'idn-email': true };  // formats ajv-formats does not know
const compilers = {
  sarif: () => addFormats(new AjvDraft04(options)).compile(json(`${schemas}/sarif/sarif-schema-2.1.0.json`)),
  cyclonedx: () => {
    const ajv = addFormats(new Ajv({ ...options, formats: any }));
    for (const part of ['jsf-0.82', 'spdx']) ajv.addSchema(json(`${schemas}/cyclonedx/${part}.schema.json`));
    return ajv.compile(json(`${schemas}/cyclonedx/bom-1.6.schema.json`));
  },
  openvex: () => addFormats(new Ajv2020({ ...options, formats: { iri: true } })).compile(
    json(`${schemas}/openvex/openvex_json_schema.json`)),
};
const broken = {
  sarif: [(d) => delete d.runs, (d) => { d.runs[0].results[0].level = 'grave'; }, (d) => delete d.runs[0].tool],
  cyclonedx: [(d) => delete d.bomFormat, (d) => { d.metadata.component.type = 'gadget'; }, (d) => { d.version = '1'; }],
  openvex: [(d) => delete d.author, (d) => { d.statements = []; }, (d) => { d.statements[0].status = 'affected'; }],
};

let bad = 0;
for (const [kind, file] of documents.map((d) => d.split('='))) {
  const valid = compilers[kind](), document = json(file);
  if (!valid(document)) {
    for (const e of valid.errors.slice(0, 8)) console.log(`${file}: ${e.instancePath}: ${e.message}`);
    ++bad;
  }
  broken[kind].forEach((change, i) => {
    const other = structuredClone(document);
    change(other);
    if (valid(other)) { console.log(`${kind}: broken document ${i} was not refused`); ++bad; }
  });
  console.log(`${kind}: ${file} held against its schema`);
}
process.exit(bad ? 1 : 0);
