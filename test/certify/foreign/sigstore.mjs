// Holds the bundles of a certificate against @sigstore/verify: each must be accepted as it is, and refused with any byte
// of any decoded field changed. What that verifier does not read is named here, so that it is known and stays small;
// `assay verify` refuses those too.
//
//   node sigstore.mjs MODULES CERTIFICATE SIGNER.pub LOG.pub MOST   (changes a field)
import { createRequire } from 'node:module';
import { createHash, createPublicKey } from 'node:crypto';
import { readFileSync } from 'node:fs';

const [modules, certificate, signer, logKey, most] = process.argv.slice(2);
const require = createRequire(modules + '/');
const { bundleFromJSON } = require('@sigstore/bundle');
const { Verifier, toSignedEntity, toTrustMaterial } = require('@sigstore/verify');

const spki = (file) => createPublicKey(readFileSync(file)).export({ type: 'spki', format: 'der' });
const keyId = (der) => createHash('sha256').update(der).digest('hex');

const document = JSON.parse(readFileSync(certificate, 'utf8'));
const [origin] = document.log.split('+');
const checkpointKey = Buffer.from(document.log.split('+')[1], 'hex');
const trust = toTrustMaterial(
  { certificateAuthorities: [], timestampAuthorities: [], ctlogs: [],
    tlogs: [{ baseUrl: 'https://' + origin, publicKey: { rawBytes: spki(logKey), keyDetails: 7 },
              checkpointKeyId: { keyId: checkpointKey } }] },
  { [keyId(spki(signer))]: { rawBytes: createPublicKey(readFileSync(signer)).export({ type: 'spki', format: 'pem' }) } });
const verifier = new Verifier(trust, { tlogThreshold: 1, ctlogThreshold: 0, timestampThreshold: 0 });
const verify = (bundle) => verifier.verify(toSignedEntity(bundleFromJSON(bundle)));

// Every field: where it is, and how its text becomes bytes and text again.
const base64 = { decode: (s) => Buffer.from(s, 'base64'), encode: (b) => b.toString('base64') };
const plain = { decode: (s) => Buffer.from(s, 'utf8'), encode: (b) => b.toString('utf8') };
const entry = ['verificationMaterial', 'tlogEntries', 0];
const fields = (bundle) => [
  [['mediaType'], plain],
  [['verificationMaterial', 'publicKey', 'hint'], plain],
  [[...entry, 'logIndex'], plain], [[...entry, 'logId', 'keyId'], base64],
  [[...entry, 'kindVersion', 'kind'], plain], [[...entry, 'kindVersion', 'version'], plain],
  [[...entry, 'canonicalizedBody'], base64],
  [[...entry, 'inclusionProof', 'logIndex'], plain], [[...entry, 'inclusionProof', 'treeSize'], plain],
  [[...entry, 'inclusionProof', 'rootHash'], base64],
  ...bundle.verificationMaterial.tlogEntries[0].inclusionProof.hashes.map(
    (_, i) => [[...entry, 'inclusionProof', 'hashes', i], base64]),
  [[...entry, 'inclusionProof', 'checkpoint', 'envelope'], plain],
  [['dsseEnvelope', 'payload'], base64], [['dsseEnvelope', 'payloadType'], plain],
  [['dsseEnvelope', 'signatures', 0, 'sig'], base64], [['dsseEnvelope', 'signatures', 0, 'keyid'], plain],
];
// What @sigstore/verify 3.1 does not read, and how many changes of one bundle it may therefore accept: copies of what it
// takes from elsewhere (the checkpoint, the hint), and, where it compares names as regular expressions and decodes base64
// leniently, a dot for another sign, and of the checkpoint's root and signature the padding and the unused bits before it.
const notRead = {
  'mediaType': 2, 'verificationMaterial.tlogEntries.logIndex': Infinity, 'verificationMaterial.tlogEntries.logId.keyId': Infinity,
  'verificationMaterial.tlogEntries.inclusionProof.treeSize': Infinity,
  'verificationMaterial.tlogEntries.inclusionProof.rootHash': Infinity,
  'verificationMaterial.tlogEntries.inclusionProof.checkpoint.envelope': 4, 'dsseEnvelope.signatures.keyid': Infinity,
};

const at = (object, path) => path.reduce((o, step) => o[step], object);
function withField(bundle, path, text) {
  const copy = structuredClone(bundle);
  at(copy, path.slice(0, -1))[path.at(-1)] = text;
  return copy;
}

let changes = 0, unexpected = [];
for (const bundle of [document.certificate, ...document.attestations]) {
  verify(bundle);
  for (const [path, code] of fields(bundle)) {
    const bytes = code.decode(at(bundle, path)), name = path.filter((s) => typeof s === 'string').join('.');
    const stride = Math.max(1, Math.floor(bytes.length / most)), accepted = [];
    for (let i = 0; i < bytes.length; i += stride) {
      const changed = Buffer.from(bytes);
      changed[i] ^= 1;
      ++changes;
      try {
        verify(withField(bundle, path, code.encode(changed)));
        accepted.push(i);
      } catch { /* refused, as it must be */ }
    }
    if (accepted.length > (notRead[name] ?? 0)) unexpected.push(`${name}: bytes ${accepted.slice(0, 8)}`);
  }
}
console.log(`${1 + document.attestations.length} bundles accepted, ${changes} changes tried`);
for (const one of unexpected) console.log(`accepted although changed: ${one}`);
process.exit(unexpected.length ? 1 : 0);
