import { generateKeyPairSync } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Client } from '../../src/client/client.js';
import { type NewClient, registrationProblems, settingsOf } from '../../src/client/registration.js';
import { toMetadata } from '../../src/engine/client-metadata.js';
import { validateClient } from '../../src/engine/create-engine.js';
import { hashSecret } from '../../src/secret.js';
import { engineOf, type TestEngine } from '../support/engine.js';
import { oauthSite, wechatSite } from '../support/relying-party.js';
import { startApp, type TestApp } from '../support/start-app.js';

describe('what the engine keeps of our clients', () => {
  let server: TestApp;
  let engine: TestEngine;
  beforeAll(async () => {
    server = await startApp();
    engine = await engineOf(server);
  });
  afterAll(() => server?.stop());

  it('keeps our own metadata: dialect, secret hashes, callback domain, union', async () => {
    const { clientId, secret } = await wechatSite(server.app, server, {
      callbackDomain: 'shop.example',
      unionName: 'shops',
    });
    const client = await engine.provider.Client.find(clientId);
    expect(client).toMatchObject({
      dialect: 'wechat',
      callback_domain: 'shop.example',
      secret_hashes: [{ hash: hashSecret(secret) }],
    });
    expect(client?.metadata()).toHaveProperty('dialect', 'wechat');
  });

  it('knows no secret, only that there is one', async () => {
    const { clientId, secret } = await oauthSite(server.app, server);
    const client = await engine.provider.Client.find(clientId);
    expect(JSON.stringify(client?.metadata())).not.toContain(secret);
    expect(client?.clientSecret).toBe('held-as-a-hash');
    type Compares = { compareClientSecret(secret: string): Promise<boolean> };
    const compare = (given: string) => (client as unknown as Compares).compareClientSecret(given);
    expect(await compare(secret)).toBe(true);
    for (const wrong of ['held-as-a-hash', hashSecret(secret), '', `${secret} `])
      expect(await compare(wrong)).toBe(false);
  });

  it('is asked anew each time: a change is seen at the next request', async () => {
    const { clientId } = await oauthSite(server.app, server);
    expect(await engine.provider.Client.find(clientId)).toBeDefined();
    await server.database.sql("UPDATE client SET redirect_uris = '{https://new.example/cb}' WHERE id = $1", [clientId]);
    const changed = await engine.provider.Client.find(clientId);
    expect(changed?.redirectUriAllowed('https://new.example/cb')).toBe(true);
    expect(changed?.redirectUriAllowed('http://127.0.0.1:9/callback')).toBe(false);
    await server.database.sql('UPDATE client SET disabled_at = now() WHERE id = $1', [clientId]);
    expect(await engine.provider.Client.find(clientId)).toBeUndefined();
  });

  it('refuses at registration what it would not serve later', async () => {
    const { clientId } = await oauthSite(server.app, server);
    const client = await server.app.clients.find(clientId);
    if (!client) throw new Error('the client is not there');
    await expect(validateClient(engine.provider, client)).resolves.toBeUndefined();
    await expect(validateClient(engine.provider, { ...client, redirectUris: ['not a url'] })).rejects.toMatchObject({
      code: 'invalid_request',
    });
    await expect(
      validateClient(engine.provider, { ...client, authMethod: 'client_secret_jwt' as never }),
    ).rejects.toMatchObject({ code: 'invalid_request' });
  });

  const KEYS = {
    keys: [
      ...[generateKeyPairSync('rsa', { modulusLength: 2048 }), generateKeyPairSync('ec', { namedCurve: 'P-256' })],
      generateKeyPairSync('ed25519'),
    ].map(({ publicKey }) => publicKey.export({ format: 'jwk' }) as { kty: string; alg?: string }),
  };
  for (const key of KEYS.keys) if (key.kty === 'RSA') key.alg = 'PS256';

  it('keeps what the standards name, under their names', async () => {
    const { client } = await server.app.clients.register('test', {
      name: 'Tea house',
      redirectUris: ['https://shop.example/cb'],
      authMethod: 'private_key_jwt',
      clientKeys: KEYS,
      requirePar: true,
      requireSignedRequest: true,
      dpopRequired: true,
      deviceFlow: true,
      defaultMaxAge: 60,
      idTokenAlg: 'ES256',
      postLogoutRedirectUris: ['https://shop.example/bye'],
      backchannelLogoutUri: 'https://shop.example/logout',
    });
    const known = await engine.provider.Client.find(client.id);
    expect(known).toMatchObject({
      tokenEndpointAuthMethod: 'private_key_jwt',
      jwks: KEYS,
      requirePushedAuthorizationRequests: true,
      requireSignedRequestObject: true,
      dpopBoundAccessTokens: true,
      device_flow: true,
      defaultMaxAge: 60,
      idTokenSignedResponseAlg: 'ES256',
      authorizationSignedResponseAlg: 'ES256',
      postLogoutRedirectUris: ['https://shop.example/bye'],
      backchannelLogoutUri: 'https://shop.example/logout',
      backchannelLogoutSessionRequired: true,
      responseModes: ['query', 'form_post', 'jwt', 'query.jwt', 'form_post.jwt'],
    });
    expect(known).not.toHaveProperty('clientSecret');
    // It would take that grant type from a pairwise client with a key of its own alone.
    expect(known?.grantTypes).toEqual(['authorization_code', 'refresh_token']);
    for (const mode of ['fragment', 'web_message', 'fragment.jwt'])
      expect(known?.responseModeAllowed(mode as never, 'code', undefined as never)).toBe(false);
  });

  it('T93 keeps nothing of the standards of a wechat client', async () => {
    const { clientId } = await wechatSite(server.app, server);
    const known = await engine.provider.Client.find(clientId);
    expect(known).toMatchObject({ responseModes: ['query'], device_flow: false, scope: 'snsapi_login' });
    for (const name of ['jwks', 'backchannelLogoutUri', 'defaultMaxAge']) expect(known).not.toHaveProperty(name);
  });

  it('T54 knows the scopes of resource servers apart from its own', async () => {
    const { client } = await server.app.clients.register('test', {
      name: 'Tea house',
      redirectUris: ['https://shop.example/cb'],
    });
    const withScopes = toMetadata({ ...client, scope: 'openid orders:read profile orders:write' });
    expect(withScopes).toMatchObject({ scope: 'openid profile', resource_scopes: ['orders:read', 'orders:write'] });
    expect(toMetadata(client)).toMatchObject({
      scope: 'openid profile offline_access unionid',
      resource_scopes: [],
    });
    await expect(validateClient(engine.provider, { ...client, scope: 'openid orders:read' })).resolves.toBeUndefined();
  });

  /** Every client that the rules let through must be one that the engine would build. */
  it('accepts whatever the rules accept', async () => {
    const [yes, no] = [true, false];
    const uris = [
      ['https://shop.example/cb'],
      ['https://shop.example/', 'https://other.example:8443/cb?x=1'],
      ['http://127.0.0.1/cb', 'http://localhost:3001/cb', 'http://[::1]:9/cb'],
      ['http://127.0.0.2/cb'],
      ['http://192.168.0.5:3001/cb'],
      ['https://192.168.0.5/cb'],
      ['https://localhost/cb'],
      ['http://shop.local/cb'],
      ['com.example.app:/cb', 'https://shop.example/cb'],
      ['https://shop.example/#/login'],
      [],
    ];
    const ALGORITHMS = ['RS256', 'ES256', 'PS256', 'EdDSA'] as const;
    let accepted = 0;
    for (const dialect of ['oauth', 'wechat'] as const)
      for (const applicationType of ['web', 'native'] as const)
        for (const demo of [yes, no])
          for (const redirectUris of uris)
            for (const authMethod of ['client_secret_basic', 'client_secret_post', 'private_key_jwt', 'none'] as const)
              for (const strict of [yes, no]) {
                const input: NewClient = {
                  name: 'Tea house',
                  dialect,
                  applicationType,
                  redirectUris,
                  authMethod,
                  ...(dialect === 'wechat' ? { callbackDomain: 'shop.example', stateRequired: strict } : {}),
                  ...(dialect === 'oauth' && strict
                    ? {
                        clientKeys: KEYS,
                        requirePar: true,
                        requireSignedRequest: true,
                        dpopRequired: true,
                        deviceFlow: true,
                        defaultMaxAge: 0,
                        postLogoutRedirectUris: redirectUris,
                        backchannelLogoutUri: demo ? 'http://127.0.0.1:3001/logout' : 'https://shop.example/logout',
                      }
                    : {}),
                  ...(authMethod === 'private_key_jwt' ? { clientKeys: KEYS } : {}),
                  idTokenAlg: dialect === 'wechat' ? undefined : ALGORITHMS[accepted % ALGORITHMS.length],
                };
                if (registrationProblems(input, { demo, resourceScopes: new Set() }).length > 0) continue;
                accepted += 1;
                const client: Client = {
                  ...settingsOf(input),
                  id: 'qc0011223344556677',
                  revision: 0,
                  dialect,
                  applicationType,
                  secrets: [],
                  createdAt: new Date(),
                  disabled: false,
                };
                await validateClient(engine.provider, client).catch((error: Error) => {
                  throw new Error(`${JSON.stringify({ ...input, demo, clientKeys: undefined })}: ${error.message}`);
                });
              }
    expect(accepted).toBeGreaterThan(150);
  });
});
