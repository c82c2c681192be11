/** A certificate of one's own for TLS on this machine, made anew each time: X.509 (RFC 5280), signed by itself. */
import { generateKeyPairSync, sign } from 'node:crypto';

export interface Certificate {
  readonly key: string;
  readonly cert: string;
}

const SEQUENCE = 0x30;
const SET = 0x31;
const INTEGER = 0x02;
const BIT_STRING = 0x03;
const OBJECT_ID = 0x06;
const UTF8_STRING = 0x0c;
const UTC_TIME = 0x17;

/** Object identifiers as DER writes them. */
const COMMON_NAME = Buffer.from('550403', 'hex');
const COUNTRY = Buffer.from('550406', 'hex');
const ORGANIZATION = Buffer.from('55040a', 'hex');
const ORGANIZATIONAL_UNIT = Buffer.from('55040b', 'hex');
const ECDSA_WITH_SHA256 = Buffer.from('2a8648ce3d040302', 'hex');

const DAY = 24 * 60 * 60 * 1000;

/** Valid from yesterday to tomorrow; nobody trusts it who is not told to. */
export function newCertificate(commonName: string): Certificate {
  return certify([[COMMON_NAME, commonName]]);
}

/** Of version 3, with the subject that an authenticator's maker has (WebAuthn 8.2.1). */
export function newAttestationCertificate(): Certificate {
  return certify(
    [
      [COUNTRY, 'SE'],
      [ORGANIZATION, 'Maker'],
      [ORGANIZATIONAL_UNIT, 'Authenticator Attestation'],
      [COMMON_NAME, 'Maker 1'],
    ],
    Buffer.from('a003020102', 'hex'),
  );
}

function certify(subject: readonly [id: Buffer, text: string][], version = Buffer.alloc(0)): Certificate {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
  const algorithm = der(SEQUENCE, der(OBJECT_ID, ECDSA_WITH_SHA256));
  const name = der(
    SEQUENCE,
    ...subject.map(([id, text]) => der(SET, der(SEQUENCE, der(OBJECT_ID, id), der(UTF8_STRING, Buffer.from(text))))),
  );
  const validity = der(SEQUENCE, utcTime(Date.now() - DAY), utcTime(Date.now() + DAY));
  const subjectKey = publicKey.export({ type: 'spki', format: 'der' });
  const serial = der(INTEGER, Buffer.from([1]));
  const body = der(SEQUENCE, version, serial, algorithm, name, validity, name, subjectKey);
  const signature = der(BIT_STRING, Buffer.from([0]), sign('sha256', body, privateKey));
  const base64 = der(SEQUENCE, body, algorithm, signature).toString('base64');
  return {
    key: String(privateKey.export({ type: 'pkcs8', format: 'pem' })),
    cert: `-----BEGIN CERTIFICATE-----\n${base64.replace(/.{64}(?=.)/g, '$&\n')}\n-----END CERTIFICATE-----\n`,
  };
}

/** Tag, length, content; a length from 128 on says first how many bytes it takes. */
function der(tag: number, ...parts: Buffer[]): Buffer {
  const content = Buffer.concat(parts);
  const { length } = content;
  const size = length < 128 ? [length] : length < 256 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from([tag, ...size]), content]);
}

function utcTime(time: number): Buffer {
  const digits = new Date(time).toISOString().replace(/\D/g, '');
  return der(UTC_TIME, Buffer.from(`${digits.slice(2, 14)}Z`));
}
