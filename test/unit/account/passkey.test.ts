import { describe, expect, it } from 'vitest';
import { authenticationOptions, challengeOf, registrationOptions } from '../../../src/account/passkey.js';
import { AUTHENTICATION_RESPONSE, REGISTRATION_RESPONSE } from '../../../src/account/passkey-response.js';
import { type PasskeyScope, passkeyScope } from '../../../src/account/passkey-scope.js';
import { newSecret } from '../../../src/secret.js';
import { SoftwareAuthenticator } from '../../support/software-authenticator.js';

const ORIGIN = 'https://id.example';
const scope = passkeyScope(ORIGIN) as PasskeyScope;
const user = { id: 'administrator id', name: 'root' };
const challenge = newSecret();

describe('where passkeys are possible', () => {
  it.each([
    'https://id.example',
    'https://id.example:8443/',
    'https://intranet',
    'https://localhost:3000',
    'http://localhost:3000',
  ])('they are at %s', (url) => {
    expect(passkeyScope(url)).toBeDefined();
  });

  it.each([
    'http://id.example',
    'http://intranet:3000',
    'http://127.0.0.1:3000',
    'https://127.0.0.1',
    'https://0x7f.1',
    'https://192.168.1.20',
    'http://192.168.1.20:3000',
    'https://[::1]:3000',
    'https://[2001:db8::1]',
    'http://localhost.example',
  ])('they are not at %s', (url) => {
    expect(passkeyScope(url)).toBeUndefined();
  });

  it('names the origin with its port, and the host name alone as RP id', () => {
    expect(passkeyScope('https://ID.example:8443/')).toEqual({ origin: 'https://id.example:8443', rpId: 'id.example' });
    expect(passkeyScope('https://id.example:443')?.origin).toBe('https://id.example');
  });
});

describe('what a browser is asked', () => {
  it('for a registration: a discoverable credential, a verified user, no attestation, three algorithms', async () => {
    const known = [{ id: 'AAAA', transports: ['usb', 'not one we know'] }];
    const options = await registrationOptions(scope, { user, challenge, known });
    expect(options).toMatchObject({
      challenge,
      rp: { name: 'qrconnect', id: 'id.example' },
      user: { id: Buffer.from(user.id).toString('base64url'), name: 'root', displayName: 'root' },
      attestation: 'none',
      authenticatorSelection: { residentKey: 'required', requireResidentKey: true, userVerification: 'required' },
      excludeCredentials: [{ id: 'AAAA', type: 'public-key', transports: ['usb'] }],
      timeout: 300_000,
    });
    expect(options.pubKeyCredParams.map(({ alg }) => alg)).toEqual([-7, -8, -257]);
  });

  it('for an authentication: a verified user, and any credential or these', async () => {
    const any = await authenticationOptions(scope, { challenge });
    expect(any).toMatchObject({ challenge, rpId: 'id.example', userVerification: 'required', timeout: 300_000 });
    expect(any.allowCredentials).toBeUndefined();
    const one = await authenticationOptions(scope, { challenge, allowed: [{ id: 'AAAA', transports: [] }] });
    expect(one.allowCredentials).toEqual([{ id: 'AAAA', type: 'public-key', transports: [] }]);
  });
});

describe('what a browser sends back', () => {
  const device = new SoftwareAuthenticator(ORIGIN);
  const registration = JSON.parse(
    JSON.stringify(device.register({ challenge, rp: { id: 'id.example' }, user: { id: 'AAAA' } })),
  );
  const assertion = JSON.parse(JSON.stringify(device.assert({ challenge, rpId: 'id.example' })));
  const BOTH = [
    { schema: REGISTRATION_RESPONSE, honest: registration },
    { schema: AUTHENTICATION_RESPONSE, honest: assertion },
  ];

  it.each(BOTH)('is read as it comes, and claims its challenge', ({ schema, honest }) => {
    expect(schema.parse(honest)).toEqual(honest);
    expect(challengeOf(honest)).toBe(challenge);
  });

  it.each(BOTH)(
    'is refused with a field more, a field less, or one that is too long or no base64url',
    ({ schema, honest }) => {
      const { response } = honest;
      const wrong = [
        { ...honest, more: 1 },
        { ...honest, response: { ...response, more: 1 } },
        { ...honest, type: 'password' },
        { ...honest, id: 'A'.repeat(1366) },
        { ...honest, id: 'A+/=' },
        { ...honest, rawId: undefined },
        { ...honest, response: { ...response, clientDataJSON: 'A'.repeat(6000) } },
        { ...honest, response: { ...response, clientDataJSON: '' } },
        { ...honest, response: { ...response, clientDataJSON: 7 } },
        { ...honest, response: undefined },
      ];
      for (const one of wrong) expect(schema.safeParse(one).success).toBe(false);
    },
  );

  it.each([
    'no JSON',
    '{}',
    'null',
    '7',
    '{"challenge":7}',
    '{"challenge":"short"}',
    `{"challenge":"${'+'.repeat(43)}"}`,
  ])('claims no challenge with the client data %s', (data) => {
    expect(challengeOf({ response: { clientDataJSON: Buffer.from(data).toString('base64url') } })).toBeUndefined();
  });
});
