import { createHash, createPrivateKey, createPublicKey, type KeyObject, sign, X509Certificate } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { AuthenticationResponse, RegistrationResponse } from '../../src/account/passkey-response.js';
import { MAX_PASSKEYS } from '../../src/administrator/passkey-store.js';
import { newAttestationCertificate, newCertificate } from '../support/certificate.js';
import { enrol, newHolder, ORIGIN, type PasskeyHouse, passkeyHouse } from '../support/passkey-house.js';
import {
  type AssertionLie,
  FLAG,
  type KeyKind,
  makeKey,
  type RegistrationLie,
  SoftwareAuthenticator,
} from '../support/software-authenticator.js';

const RACERS = 20;
const OTHER = 'A'.repeat(43);

let house: PasskeyHouse;
beforeAll(async () => {
  house = await passkeyHouse();
});
afterAll(() => house?.stop());
beforeEach(async () => {
  await house.database.sql('TRUNCATE administrator, webauthn_challenge CASCADE');
  await house.forgetAudits();
});

type Enrolled = Awaited<ReturnType<typeof enrol>>;
const challenges = () => house.database.sql('SELECT * FROM webauthn_challenge');
const expire = () => house.database.sql("UPDATE webauthn_challenge SET expires_at = now() - interval '1 second'");
const rows = () => house.database.sql('SELECT * FROM administrator_passkey ORDER BY id');
const refused = { code: 'invalid_credentials', message: 'The passkey was not accepted.' };
const unaccepted = { code: 'invalid_request', message: 'the passkey was not accepted: try again' };
const won = (results: PromiseSettledResult<unknown>[]) => results.filter(({ status }) => status === 'fulfilled').length;

/** Lies about where and how an answer was made. */
const CLIENT_DATA: [what: string, lie: { clientData: Record<string, unknown> }][] = [
  ['another challenge', { clientData: { challenge: OTHER } }],
  ['no challenge', { clientData: { challenge: undefined } }],
  ['another site’s origin', { clientData: { origin: 'https://evil.example' } }],
  ['the origin without its scheme’s s', { clientData: { origin: 'http://id.example' } }],
  ['another port', { clientData: { origin: `${ORIGIN}:8443` } }],
  ['a subdomain', { clientData: { origin: 'https://login.id.example' } }],
  ['an origin that begins with ours', { clientData: { origin: `${ORIGIN}.evil.example` } }],
  ['no origin', { clientData: { origin: undefined } }],
  ['crossOrigin true', { clientData: { crossOrigin: true } }],
  ['crossOrigin that is no boolean', { clientData: { crossOrigin: 'true' } }],
  ['crossOrigin true and a top origin', { clientData: { crossOrigin: true, topOrigin: ORIGIN } }],
  ['a top origin alone', { clientData: { crossOrigin: undefined, topOrigin: 'https://evil.example' } }],
];

describe('a registration', () => {
  const begin = async () => {
    const holder = await newHolder(house.database);
    return {
      holder,
      options: await house.passkeys.beginRegistration(holder),
      device: new SoftwareAuthenticator(ORIGIN),
    };
  };
  const finish = (holder: Enrolled['holder'], response: RegistrationResponse) =>
    house.passkeys.finishRegistration({ ...holder, name: 'laptop', response });

  it.each<KeyKind>(['ES256', 'EdDSA', 'RS256'])('T22 an honest %s passkey is registered, and signs in', async (key) => {
    const { holder, device, passkey } = await enrol(house, { key });
    expect(await house.passkeys.list(holder.administratorId)).toEqual([passkey]);
    const response = device.assert(await house.passkeys.beginSignIn());
    const { administratorId } = holder;
    expect(await house.passkeys.finishSignIn(response)).toEqual({ administratorId, passkeyId: passkey.id });
  });

  it('T22 an attestation by the passkey’s own key is registered', async () => {
    await enrol(house, {
      format: 'packed',
      statement: selfAttestation,
    });
    expect(await rows()).toHaveLength(1);
  });

  const LIES: [what: string, lie: RegistrationLie][] = [
    ...CLIENT_DATA,
    ['the type of a sign-in', { clientData: { type: 'webauthn.get' } }],
    ['another RP id', { rpId: 'evil.example' }],
    ['nobody present', { flags: FLAG.uv | FLAG.at }],
    ['a user who is not verified', { flags: FLAG.up | FLAG.at }],
    ['no credential', { flags: FLAG.up | FLAG.uv }],
    ['backed up, yet never to be', { flags: FLAG.up | FLAG.uv | FLAG.at | FLAG.bs }],
    ['an id that is not the signed one', { id: Buffer.alloc(16, 7).toString('base64url') }],
    ['an algorithm nobody asked for', { key: 'ES384' }],
    ['SHA-1', { key: 'RS256', cose: (key) => key.set(3, -65535) }],
    ['an EC key that calls itself RS256', { cose: (key) => key.set(3, -257) }],
    ['an EC key that calls itself EdDSA', { cose: (key) => key.set(3, -8) }],
    ['an RSA key that calls itself ES256', { key: 'RS256', cose: (key) => key.set(3, -7) }],
    ['ES256 on another curve', { key: 'ES384', cose: (key) => key.set(3, -7) }],
    ['an RSA key of 1024 bits', { key: 'RS256, 1024 bits' }],
    ['no attestation, with a statement', { statement: new Map([['alg', -7]]) }],
    [
      'an attestation that signs something else',
      {
        format: 'packed',
        statement: (_signed, key) => selfAttestation(Buffer.from('else'), key),
      },
    ],
    ['an attestation of an unknown format', { format: 'other' }],
  ];
  it.each(LIES)('T22 a registration with %s is refused', async (_what, lie) => {
    const { holder, options, device } = await begin();
    await expect(finish(holder, device.register(options, lie))).rejects.toMatchObject(unaccepted);
    expect(await rows()).toEqual([]);
    expect(await house.audits()).toEqual([]);
  });

  it('T22 T60 an attestation by a certificate is refused, though its signature holds', async () => {
    const { key, cert } = newAttestationCertificate();
    const certificate = Uint8Array.from(new X509Certificate(cert).raw);
    const { holder, options, device } = await begin();
    const statement = (signed: Buffer) =>
      new Map<string, number | Uint8Array | Uint8Array[]>([
        ...selfAttestation(signed, createPrivateKey(key)),
        ['x5c', [certificate]],
      ]);
    const response = device.register(options, { format: 'packed', statement });
    await expect(finish(holder, response)).rejects.toMatchObject(unaccepted);
    expect(await rows()).toEqual([]);
  });

  it('T22 T60 an attestation of a format that needs certificates is refused, though its signature holds', async () => {
    const { key, cert } = newCertificate('token');
    const certificate = Uint8Array.from(new X509Certificate(cert).raw);
    const { holder, options, device } = await begin();
    // WebAuthn 8.6: what FIDO U2F signs.
    const statement = (signed: Buffer, own: KeyObject) => {
      const { x, y } = createPublicKey(own).export({ format: 'jwk' });
      const point = [Buffer.from([4]), Buffer.from(x as string, 'base64url'), Buffer.from(y as string, 'base64url')];
      const parts = [Buffer.alloc(1), signed.subarray(0, 32), signed.subarray(-32), device.id, ...point];
      return new Map<string, Uint8Array | Uint8Array[]>([
        ['sig', Uint8Array.from(sign('sha256', Buffer.concat(parts), key))],
        ['x5c', [certificate]],
      ]);
    };
    const response = device.register(options, { format: 'fido-u2f', statement });
    await expect(finish(holder, response)).rejects.toMatchObject(unaccepted);
    expect(await rows()).toEqual([]);
  });

  it('T22 an answer is used up by its first try, even by one that fails', async () => {
    const { holder, options, device } = await begin();
    await expect(finish(holder, device.register(options, { rpId: 'evil.example' }))).rejects.toMatchObject(unaccepted);
    await expect(finish(holder, device.register(options))).rejects.toMatchObject(unaccepted);
    expect(await rows()).toEqual([]);
  });

  it('T22 a challenge that is over is refused', async () => {
    const { holder, options, device } = await begin();
    await expire();
    await expect(finish(holder, device.register(options))).rejects.toMatchObject(unaccepted);
  });

  it('T22 T23 another session’s answer is refused, and its own is still taken', async () => {
    const { holder, options, device } = await begin();
    const thief = await newHolder(house.database);
    const response = device.register(options);
    await expect(finish({ ...holder, sessionId: 'another' }, response)).rejects.toMatchObject(unaccepted);
    await expect(finish(thief, response)).rejects.toMatchObject(unaccepted);
    expect(await finish(holder, response)).toMatchObject({ id: device.credentialId, name: 'laptop' });
  });

  it('T22 the challenge of a proof registers nothing', async () => {
    const { holder } = await enrol(house);
    const { challenge } = await house.passkeys.beginProof(holder);
    const device = new SoftwareAuthenticator(ORIGIN);
    const response = device.register({ challenge, rp: { id: 'id.example' }, user: { id: 'AA' } });
    await expect(finish(holder, response)).rejects.toMatchObject(unaccepted);
    expect(await rows()).toHaveLength(1);
  });

  it('T22 a credential that somebody has is not registered again', async () => {
    const { device } = await enrol(house);
    const before = await rows();
    const thief = await newHolder(house.database);
    const response = device.register(await house.passkeys.beginRegistration(thief));
    await expect(finish(thief, response)).rejects.toMatchObject({ code: 'conflict' });
    expect(await rows()).toEqual(before);
  });

  it('T22 an administrator’s own passkeys are not asked for again, and ten are the end', async () => {
    const { holder, passkey } = await enrol(house);
    const { excludeCredentials } = await house.passkeys.beginRegistration(holder);
    expect(excludeCredentials).toEqual([{ id: passkey.id, type: 'public-key', transports: ['internal'] }]);
    const late = new SoftwareAuthenticator(ORIGIN).register(await house.passkeys.beginRegistration(holder));
    for (let have = 1; have < MAX_PASSKEYS; have += 1) {
      await finish(holder, new SoftwareAuthenticator(ORIGIN).register(await house.passkeys.beginRegistration(holder)));
    }
    await expect(house.passkeys.beginRegistration(holder)).rejects.toMatchObject({ code: 'conflict' });
    await expect(finish(holder, late)).rejects.toMatchObject({ code: 'conflict' });
    expect(await rows()).toHaveLength(MAX_PASSKEYS);
  });

  it('T22 an administrator who is gone meanwhile registers nothing', async () => {
    const { holder, options, device } = await begin();
    await house.database.sql('DELETE FROM administrator');
    await expect(finish(holder, device.register(options))).rejects.toMatchObject({ code: 'not_signed_in' });
    expect(await house.audits()).toEqual([]);
  });

  it(`T22 of ${RACERS} that send one registration, one wins`, async () => {
    const { holder, options, device } = await begin();
    const response = device.register(options);
    const results = await Promise.allSettled(Array.from({ length: RACERS }, () => finish(holder, response)));
    expect(won(results)).toBe(1);
    expect(await rows()).toHaveLength(1);
    expect(await house.audits()).toHaveLength(1);
  });

  it.each(['', ' ', '\u200d', 'a'.repeat(61), 'a\u202eb', 'a\nb'])(
    'T26 the name %j is refused, and the answer kept',
    async (name) => {
      const { holder, options, device } = await begin();
      const response = device.register(options);
      await expect(house.passkeys.finishRegistration({ ...holder, name, response })).rejects.toMatchObject({
        code: 'invalid_request',
        message: expect.stringMatching(/^the name /),
      });
      expect(await finish(holder, response)).toMatchObject({ name: 'laptop' });
    },
  );

  it('T23 what is added and removed is written down, with who did it', async () => {
    const { holder, passkey } = await enrol(house);
    const other = await enrol(house);
    const remove = (id: string) => house.passkeys.remove(holder, id, { keepLast: false });
    await expect(remove(other.passkey.id)).rejects.toMatchObject({ code: 'not_found' });
    await expect(house.passkeys.remove(holder, passkey.id, { keepLast: true })).rejects.toMatchObject({
      code: 'conflict',
    });
    await remove(passkey.id);
    await expect(remove(passkey.id)).rejects.toMatchObject({ code: 'not_found' });
    const by = { actor: `administrator ${holder.username}`, target: holder.administratorId };
    const mine = (await house.audits()).filter(({ actor }) => actor === by.actor);
    expect(mine).toEqual([
      { ...by, action: 'administrator.passkey-add', detail: { passkey: passkey.id, name: 'laptop' } },
      { ...by, action: 'administrator.passkey-remove', detail: { passkey: passkey.id } },
    ]);
    expect(await rows()).toHaveLength(1);
  });
});

/** Both ways to use a passkey, for the checks that they share. */
const WAYS = [
  {
    way: 'a sign-in',
    begin: (_of: Enrolled) => house.passkeys.beginSignIn(),
    finish: (_of: Enrolled, response: AuthenticationResponse): Promise<unknown> =>
      house.passkeys.finishSignIn(response),
  },
  {
    way: 'a proof',
    begin: ({ holder }: Enrolled) => house.passkeys.beginProof(holder),
    finish: ({ holder }: Enrolled, response: AuthenticationResponse): Promise<unknown> =>
      house.passkeys.finishProof({ ...holder, response }),
  },
];

describe.each(WAYS)('$way', ({ way, begin, finish }) => {
  const LIES: [what: string, lie: AssertionLie][] = [
    ...CLIENT_DATA,
    ['the type of a registration', { clientData: { type: 'webauthn.create' } }],
    ['another RP id', { rpId: 'evil.example' }],
    ['nobody present', { flags: FLAG.uv }],
    ['a user who is not verified', { flags: FLAG.up }],
    ['a signature with one bit changed', { signature: (bytes) => flip(bytes, bytes.length - 1) }],
    ['no real signature', { signature: () => Buffer.alloc(70, 1) }],
    ['data changed after it was signed', { authenticatorData: (data) => flip(data, 36) }],
    ['the signature of another key', { by: makeKey('ES256').privateKey }],
    ['the signature of an RSA key', { by: makeKey('RS256').privateKey }],
    ['the signature of an Ed25519 key', { by: makeKey('EdDSA').privateKey }],
    ['the count it had', { signCount: 1 }],
    ['a count that went back to zero', { signCount: 0 }],
    ['the user handle of another', { userHandle: Buffer.from('somebody').toString('base64url') }],
    ['an unknown credential', { id: Buffer.alloc(16, 7).toString('base64url') }],
  ];
  it.each(LIES)(`T22 ${way} with %s is refused`, async (_what, lie) => {
    const of = await enrol(house);
    const before = await rows();
    await expect(finish(of, of.device.assert(await begin(of), lie))).rejects.toMatchObject(refused);
    expect(await rows()).toEqual(before);
    await finish(of, of.device.assert(await begin(of)));
    const [listed] = await house.passkeys.list(of.holder.administratorId);
    expect(listed).toEqual({ ...of.passkey, lastUsedAt: expect.any(Date) });
  });

  it(`T22 ${way} is refused with the credential of another administrator, signed by one’s own`, async () => {
    const [of, other] = [await enrol(house), await enrol(house)];
    const response = of.device.assert(await begin(of), { id: other.device.credentialId });
    await expect(finish(of, response)).rejects.toMatchObject(refused);
  });

  it.each([true, false])(`T22 ${way} is not done twice with one answer (the passkey counts: %s)`, async (counts) => {
    const of = await enrol(house, { counts });
    const response = of.device.assert(await begin(of));
    await finish(of, response);
    await expect(finish(of, response)).rejects.toMatchObject(refused);
    await finish(of, of.device.assert(await begin(of)));
  });

  it.each([true, false])(
    `T22 of ${RACERS} that send the answer of ${way}, one wins (the passkey counts: %s)`,
    async (counts) => {
      const of = await enrol(house, { counts });
      const response = of.device.assert(await begin(of));
      const results = await Promise.allSettled(Array.from({ length: RACERS }, () => finish(of, response)));
      expect(won(results)).toBe(1);
      for (const result of results) if (result.status === 'rejected') expect(result.reason).toMatchObject(refused);
    },
  );

  it(`T22 of two answers of ${way} that count alike, one wins, and the copy is written down`, async () => {
    const of = await enrol(house);
    const responses = [
      of.device.assert(await begin(of), { signCount: 9 }),
      of.device.assert(await begin(of), { signCount: 9 }),
    ];
    const results = await Promise.allSettled(responses.map((response) => finish(of, response)));
    expect(won(results)).toBe(1);
    expect((await house.audits()).slice(1)).toEqual([
      {
        actor: 'console',
        action: 'administrator.passkey-copied',
        target: of.holder.administratorId,
        detail: { passkey: of.passkey.id },
      },
    ]);
  });

  it(`T22 ${way} that only says that it counts less writes nothing down`, async () => {
    const of = await enrol(house);
    const lie = { signCount: 0, by: makeKey('ES256').privateKey };
    await expect(finish(of, of.device.assert(await begin(of), lie))).rejects.toMatchObject(refused);
    expect(await house.audits()).toHaveLength(1);
  });

  it(`T22 the challenge of ${way} is over after five minutes, and used up by a try that fails`, async () => {
    const of = await enrol(house);
    const late = of.device.assert(await begin(of));
    const [row] = await house.database.sql<{ seconds: number }>(
      'SELECT round(extract(epoch FROM expires_at - now()) / 10)::int * 10 AS seconds FROM webauthn_challenge',
    );
    expect(row?.seconds).toBe(300);
    await expire();
    await expect(finish(of, late)).rejects.toMatchObject(refused);
    const options = await begin(of);
    await expect(finish(of, of.device.assert(options, { flags: FLAG.up }))).rejects.toMatchObject(refused);
    await expect(finish(of, of.device.assert(options))).rejects.toMatchObject(refused);
  });

  it(`T22 the challenge of a registration is none of ${way}`, async () => {
    const of = await enrol(house);
    const { challenge } = await house.passkeys.beginRegistration(of.holder);
    const response = of.device.assert({ challenge, rpId: 'id.example' });
    await expect(finish(of, response)).rejects.toMatchObject(refused);
    expect(await challenges()).toHaveLength(1);
  });

  it(`T22 the challenge of ${way} is kept as a hash`, async () => {
    const of = await enrol(house);
    const { challenge } = await begin(of);
    const [row] = await challenges();
    expect(row?.hash).toBe(createHash('sha256').update(challenge).digest('base64url'));
    expect(Buffer.from(challenge, 'base64url')).toHaveLength(32);
  });

  it(`T22 a passkey that was removed is refused in ${way}, asked for before or after`, async () => {
    const of = await enrol(house);
    // A second one, so that there is something to prove oneself with.
    const spare = new SoftwareAuthenticator(ORIGIN);
    const response = spare.register(await house.passkeys.beginRegistration(of.holder));
    await house.passkeys.finishRegistration({ ...of.holder, name: 'spare', response });
    const early = of.device.assert(await begin(of));
    await house.passkeys.remove(of.holder, of.passkey.id, { keepLast: false });
    await expect(finish(of, early)).rejects.toMatchObject(refused);
    await expect(finish(of, of.device.assert(await begin(of)))).rejects.toMatchObject(refused);
  });
});

describe('whose a passkey is', () => {
  it('T21 a sign-in names no credential', async () => {
    await enrol(house);
    expect((await house.passkeys.beginSignIn()).allowCredentials).toBeUndefined();
  });

  it('T22 a sign-in that does not say who signs in is refused', async () => {
    const { device } = await enrol(house);
    const response = device.assert(await house.passkeys.beginSignIn(), { userHandle: undefined });
    await expect(house.passkeys.finishSignIn(response)).rejects.toMatchObject(refused);
  });

  it('T22 who has no passkey cannot prove anything by one', async () => {
    const holder = await newHolder(house.database);
    await expect(house.passkeys.beginProof(holder)).rejects.toMatchObject({ code: 'conflict' });
    expect(await challenges()).toEqual([]);
  });

  it('T22 a proof needs no user handle, for its credentials were named', async () => {
    const { holder, device, passkey } = await enrol(house);
    const options = await house.passkeys.beginProof(holder);
    expect(options.allowCredentials).toEqual([{ id: passkey.id, type: 'public-key', transports: ['internal'] }]);
    const response = device.assert(options, { userHandle: undefined });
    expect(await house.passkeys.finishProof({ ...holder, response })).toBe(passkey.id);
  });

  it('T22 T65 another administrator’s passkey proves nothing', async () => {
    const [mine, other] = [await enrol(house), await enrol(house)];
    const response = other.device.assert(await house.passkeys.beginProof(mine.holder));
    await expect(house.passkeys.finishProof({ ...mine.holder, response })).rejects.toMatchObject(refused);
  });

  it('T22 T65 a proof counts in the session that asked for it alone', async () => {
    const { holder, device, passkey } = await enrol(house);
    const response = device.assert(await house.passkeys.beginProof(holder));
    const elsewhere = { ...holder, sessionId: 'another', response };
    await expect(house.passkeys.finishProof(elsewhere)).rejects.toMatchObject(refused);
    expect(await house.passkeys.finishProof({ ...holder, response })).toBe(passkey.id);
  });

  it('T22 T65 a sign-in’s answer proves nothing, and a proof’s signs nobody in', async () => {
    const { holder, device } = await enrol(house);
    const signIn = device.assert(await house.passkeys.beginSignIn());
    await expect(house.passkeys.finishProof({ ...holder, response: signIn })).rejects.toMatchObject(refused);
    const proof = device.assert(await house.passkeys.beginProof(holder));
    await expect(house.passkeys.finishSignIn(proof)).rejects.toMatchObject(refused);
    expect(await challenges()).toHaveLength(2);
  });

  it('T22 no ceremony begins where browsers have no passkeys', async () => {
    const plain = await passkeyHouse('http://192.168.1.20:3000');
    try {
      expect(plain.passkeys.possible).toBe(false);
      await expect(plain.passkeys.beginSignIn()).rejects.toMatchObject({ code: 'conflict' });
      expect(await plain.database.sql('SELECT 1 FROM webauthn_challenge')).toEqual([]);
    } finally {
      await plain.stop();
    }
  });
});

function flip(bytes: Buffer, at: number): Buffer {
  const changed = Buffer.from(bytes);
  changed[at] = (changed[at] as number) ^ 1;
  return changed;
}

function selfAttestation(signed: Buffer, key: KeyObject) {
  return new Map<string, number | Uint8Array>([
    ['alg', -7],
    ['sig', Uint8Array.from(sign('sha256', signed, key))],
  ]);
}
