import { createHash, randomBytes } from 'node:crypto';
import { createLocalJWKSet, decodeProtectedHeader, jwtVerify } from 'jose';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { NewResourceServer } from '../../src/resource/resource-rules.js';
import { engineOf, type TestEngine } from '../support/engine.js';
import { type RawAnswer, send } from '../support/http.js';
import { type OauthSite, oauthSite, REDIRECT_URI } from '../support/relying-party.js';
import { startApp, type TestApp } from '../support/start-app.js';
import { person } from '../support/story.js';

interface Tokens {
  access_token: string;
  refresh_token: string;
  id_token: string;
  scope: string;
  expires_in: number;
}

const ORDERS = 'https://orders.example';
const STOCK = 'https://stock.example/v1';
const READ_TOO = 'https://more.example';

describe('access tokens for resource servers', () => {
  let server: TestApp;
  let engine: TestEngine;
  let accountId: string;
  /** Registered for what is asked of ORDERS and STOCK, but not for `erase`. */
  let site: OauthSite;
  let api: OauthSite;
  let jwks: ReturnType<typeof createLocalJWKSet>;

  const register = (more: Partial<NewResourceServer>) =>
    server.app.resources.register('test', {
      identifier: ORDERS,
      name: 'Orders',
      scopes: [{ name: 'read' }, { name: 'write' }, { name: 'erase' }],
      ...more,
    });

  beforeAll(async () => {
    server = await startApp();
    engine = await engineOf(server);
    ({ accountId } = await person(server.app, server));
    api = await oauthSite(server.app, server, { name: 'Stock API' });
    await register({ signingAlg: 'ES256', tokenSeconds: 600 });
    await register({
      identifier: STOCK,
      name: 'Stock',
      scopes: [{ name: 'count' }, { name: 'read' }],
      tokenFormat: 'opaque',
      tokenSeconds: 120,
      introspectedBy: [api.clientId],
    });
    await register({ identifier: READ_TOO, name: 'More', scopes: [{ name: 'elsewhere' }] });
    site = await oauthSite(server.app, server, { scope: 'openid profile offline_access read write count' });
    jwks = createLocalJWKSet((await send(`${server.url}/oauth/jwks`)).json());
  });
  afterAll(() => server?.stop());
  beforeEach(async () => {
    for (const identifier of [ORDERS, STOCK]) await server.app.resources.enable('test', identifier);
  });

  /** What the person allowed, as the phone's confirmation leaves it: grant and code. */
  async function code(options: { scope: string; resources?: Record<string, string>; of?: OauthSite }) {
    const { scope, resources = {}, of = site } = options;
    const { provider } = engine;
    const client = await provider.Client.find(of.clientId);
    if (!client) throw new Error('no client');
    const grant = new provider.Grant({ accountId, clientId: of.clientId });
    grant.addOIDCScope(scope);
    for (const [identifier, allowed] of Object.entries(resources)) grant.addResourceScope(identifier, allowed);
    const named = Object.keys(resources);
    const verifier = randomBytes(32).toString('base64url');
    const made = new provider.AuthorizationCode({
      accountId,
      client,
      grantId: await grant.save(),
      scope: [scope, ...Object.values(resources)].join(' ').trim(),
      resource: named.length > 1 ? named : named[0],
      redirectUri: REDIRECT_URI,
      codeChallenge: createHash('sha256').update(verifier).digest('base64url'),
      codeChallengeMethod: 'S256',
      claims: {},
    } as unknown as ConstructorParameters<typeof provider.AuthorizationCode>[0]);
    return { value: await made.save(), verifier };
  }
  const exchange = async (allowed: Parameters<typeof code>[0], more: Record<string, string> = {}) => {
    const { value, verifier } = await code(allowed);
    return (allowed.of ?? site).exchange(value, verifier, more);
  };
  const tokens = (answer: RawAnswer): Tokens => {
    expect(answer.body).toContain('access_token');
    return answer.json<Tokens & Record<string, unknown>>();
  };
  const introspect = (by: OauthSite, token: string) =>
    send(`${server.url}/oauth/introspect`, {
      method: 'POST',
      headers: {
        'content-type': 'application/x-www-form-urlencoded',
        ...(by.secret
          ? { authorization: `Basic ${Buffer.from(`${by.clientId}:${by.secret}`).toString('base64')}` }
          : {}),
      },
      body: new URLSearchParams({ token, ...(by.secret ? {} : { client_id: by.clientId }) }).toString(),
    });
  const authorize = async (parameters: Array<[string, string]>, of = site) => {
    const { query } = of.request();
    const all = new URLSearchParams({ ...query, scope: 'openid read' });
    for (const [name] of parameters) all.delete(name);
    for (const [name, value] of parameters) all.append(name, value);
    const { headers } = await send(`${server.url}/oauth/authorize?${all}`);
    const location = String(headers.location);
    if (/^\/interaction\//.test(location) || location.startsWith(`${server.url}/interaction/`)) return 'asks';
    return new URL(location, server.url).searchParams.get('error');
  };

  describe('at the authorization endpoint', () => {
    it('are for a registered resource server, by exactly its identifier', async () => {
      expect(await authorize([['resource', ORDERS]])).toBe('asks');
      for (const other of [
        `${ORDERS}/`,
        'https://ORDERS.example',
        'https://nobody.example',
        'orders',
        `${ORDERS}#`,
        '*',
      ])
        expect(await authorize([['resource', other]])).toBe('invalid_target');
      expect(
        await authorize([
          ['resource', ORDERS],
          ['resource', 'https://nobody.example'],
        ]),
      ).toBe('invalid_target');
    });

    it('may be for several', async () => {
      const both: Array<[string, string]> = [
        ['resource', ORDERS],
        ['resource', STOCK],
      ];
      expect(await authorize([['scope', 'openid write count'], ...both])).toBe('asks');
      expect(await authorize([['scope', 'openid read'], ...both])).toBe('asks');
    });

    it('T54 may hold no scope the client is not registered for', async () => {
      expect(
        await authorize([
          ['resource', ORDERS],
          ['scope', 'openid read erase'],
        ]),
      ).toBe('invalid_scope');
      expect(
        await authorize([
          ['resource', READ_TOO],
          ['scope', 'openid elsewhere'],
        ]),
      ).toBe('invalid_target');
      const plain = await oauthSite(server.app, server);
      expect(await authorize([['resource', ORDERS]], plain)).toBe('invalid_target');
    });

    it('T54 are for no resource of which nothing is asked, so that nobody is asked about', async () => {
      expect(
        await authorize([
          ['resource', ORDERS],
          ['scope', 'openid profile'],
        ]),
      ).toBe('invalid_scope');
      expect(
        await authorize([
          ['resource', ORDERS],
          ['resource', STOCK],
          ['scope', 'openid write'],
        ]),
      ).toBe('invalid_scope');
    });

    it('T52 are not for one that is disabled', async () => {
      await server.app.resources.disable('test', ORDERS);
      expect(await authorize([['resource', ORDERS]])).toBe('invalid_target');
    });
  });

  describe('as JWTs', () => {
    const OPENID_READ = { scope: 'openid profile', resources: { [ORDERS]: 'read' } };

    it('are what RFC 9068 says, for one audience, signed and living as registered', async () => {
      const got = tokens(await exchange(OPENID_READ, { resource: ORDERS }));
      expect(got).toMatchObject({ token_type: 'Bearer', scope: 'read', expires_in: 600 });
      expect(decodeProtectedHeader(got.access_token)).toMatchObject({ typ: 'at+jwt', alg: 'ES256' });
      const { payload } = await jwtVerify(got.access_token, jwks, {
        issuer: server.url,
        audience: ORDERS,
        typ: 'at+jwt',
      });
      expect(payload).toEqual({
        iss: server.url,
        aud: ORDERS,
        sub: engine.subjects.openid(site.clientId, accountId),
        client_id: site.clientId,
        scope: 'read',
        iat: expect.any(Number),
        exp: (payload.iat as number) + 600,
        jti: expect.any(String),
      });
    });

    it.each(['RS256', 'PS256', 'EdDSA'] as const)('are signed with %s where that is registered', async (signingAlg) => {
      await server.app.resources.update('test', ORDERS, { signingAlg });
      const { access_token: token } = tokens(await exchange(OPENID_READ));
      expect(decodeProtectedHeader(token).alg).toBe(signingAlg);
      await jwtVerify(token, jwks, { audience: ORDERS });
      await server.app.resources.update('test', ORDERS, { signingAlg: 'ES256' });
    });

    it('T49 open nothing here: not userinfo, not introspection', async () => {
      const { access_token: token } = tokens(await exchange(OPENID_READ));
      expect((await site.userinfo(token)).status).toBe(401);
      const asked = await introspect(site, token);
      expect(asked.status).toBe(400);
      expect(asked.json()).toMatchObject({ error: 'unsupported_token_type' });
    });

    it('are not stored', async () => {
      const before = await server.database.sql("SELECT 1 FROM engine_record WHERE kind = 'AccessToken'");
      tokens(await exchange(OPENID_READ));
      expect(await server.database.sql("SELECT 1 FROM engine_record WHERE kind = 'AccessToken'")).toHaveLength(
        before.length,
      );
    });
  });

  describe('at the token endpoint', () => {
    const BOTH = {
      scope: 'openid profile offline_access',
      resources: { [ORDERS]: 'read write', [STOCK]: 'count read' },
    };

    it('are for the one resource that was granted when none is named; the claims are in the ID token then', async () => {
      const got = tokens(await exchange({ scope: 'openid profile', resources: { [STOCK]: 'count' } }));
      expect(got).toMatchObject({ scope: 'count', expires_in: 120 });
      expect((await introspect(api, got.access_token)).json()).toMatchObject({ active: true, aud: STOCK });
      const { payload } = await jwtVerify(got.id_token, jwks, { audience: site.clientId });
      expect(payload).toHaveProperty('nickname');
    });

    it('are for userinfo when no resource was granted', async () => {
      const got = tokens(await exchange({ scope: 'openid profile' }));
      expect(got).toMatchObject({ scope: 'openid profile', expires_in: 900 });
      expect((await site.userinfo(got.access_token)).json()).toHaveProperty('nickname');
    });

    it('are for the resource that is named of several, with its scopes alone; by refresh for the others', async () => {
      const first = tokens(await exchange(BOTH, { resource: ORDERS }));
      expect(first.scope).toBe('read write');
      const second = tokens(await site.refresh(first.refresh_token, { resource: STOCK }));
      expect(second.scope).toBe('count read');
      expect((await introspect(api, second.access_token)).json()).toMatchObject({ aud: STOCK, scope: 'count read' });
      const narrow = tokens(await site.refresh(second.refresh_token, { resource: ORDERS, scope: 'read' }));
      expect(narrow.scope).toBe('read');
    });

    it('are for userinfo when none is named of several, with openid; without it that is invalid_target', async () => {
      const { access_token: token } = tokens(await exchange(BOTH));
      expect((await site.userinfo(token)).status).toBe(200);
      const refused = await exchange({ ...BOTH, scope: '' });
      expect(refused.status).toBe(400);
      expect(refused.json()).toMatchObject({ error: 'invalid_target' });
    });

    it('are for one resource each', async () => {
      const { value, verifier } = await code(BOTH);
      const form = new URLSearchParams({
        grant_type: 'authorization_code',
        code: value,
        code_verifier: verifier,
        redirect_uri: REDIRECT_URI,
      });
      for (const identifier of [ORDERS, STOCK]) form.append('resource', identifier);
      const answer = await send(`${server.url}/oauth/token`, {
        method: 'POST',
        headers: {
          'content-type': 'application/x-www-form-urlencoded',
          authorization: `Basic ${Buffer.from(`${site.clientId}:${site.secret}`).toString('base64')}`,
        },
        body: form.toString(),
      });
      expect(answer.json()).toMatchObject({ error: 'invalid_target' });
    });

    it('are for userinfo by a refresh that asks for our scopes alone', async () => {
      const first = tokens(await exchange({ scope: 'openid profile offline_access', resources: { [ORDERS]: 'read' } }));
      expect(first.scope).toBe('read');
      const ours = tokens(await site.refresh(first.refresh_token, { scope: 'openid profile' }));
      expect((await site.userinfo(ours.access_token)).json()).toHaveProperty('nickname');
      const again = tokens(await site.refresh(ours.refresh_token));
      expect(again.scope).toBe('read');
    });

    it('T54 are for no resource that was not granted, and hold no scope that was not', async () => {
      const one = { scope: 'openid offline_access', resources: { [ORDERS]: 'read' } };
      for (const resource of [STOCK, 'https://nobody.example', `${ORDERS}/`])
        expect((await exchange(one, { resource })).json()).toMatchObject({ error: 'invalid_target' });
      const { refresh_token: refresh } = tokens(await exchange(one));
      const wider = await site.refresh(refresh, { resource: ORDERS, scope: 'read write' });
      expect(wider.json()).toMatchObject({ error: 'invalid_scope' });
      expect((await site.refresh(refresh, { resource: STOCK })).json()).toMatchObject({ error: 'invalid_target' });
    });

    it('T54 lose a scope with the client’s registration', async () => {
      const shrinking = await oauthSite(server.app, server, { scope: 'openid offline_access read write' });
      const first = tokens(
        await exchange({ scope: 'openid offline_access', resources: { [ORDERS]: 'read write' }, of: shrinking }),
      );
      expect(first.scope).toBe('read write');
      await server.app.clients.update('test', shrinking.clientId, { scope: 'openid offline_access read' });
      const second = tokens(await shrinking.refresh(first.refresh_token));
      expect(second.scope).toBe('read');
      await server.app.clients.update('test', shrinking.clientId, { scope: 'openid offline_access' });
      expect((await shrinking.refresh(second.refresh_token)).json()).toMatchObject({ error: 'invalid_target' });
    });

    it('T52 are made no more once the resource server is disabled', async () => {
      const first = tokens(await exchange({ scope: 'openid offline_access', resources: { [ORDERS]: 'read' } }));
      await server.app.resources.disable('test', ORDERS);
      expect((await site.refresh(first.refresh_token)).json()).toMatchObject({ error: 'invalid_target' });
      expect((await exchange({ scope: 'openid', resources: { [ORDERS]: 'read' } })).json()).toMatchObject({
        error: 'invalid_target',
      });
    });
  });

  describe('introspected', () => {
    const COUNT = { scope: 'openid offline_access', resources: { [STOCK]: 'count' } };
    const INACTIVE = { active: false };

    it('are told to the API they are for, and to who holds them', async () => {
      const got = tokens(await exchange(COUNT));
      for (const by of [api, site]) {
        expect((await introspect(by, got.access_token)).json()).toMatchObject({
          active: true,
          aud: STOCK,
          scope: 'count',
          client_id: site.clientId,
          sub: engine.subjects.openid(site.clientId, accountId),
        });
      }
    });

    it('T49 are not active for anybody else, as if they had never been', async () => {
      const stranger = await oauthSite(server.app, server);
      const { access_token: token } = tokens(await exchange(COUNT));
      expect((await introspect(stranger, token)).json()).toEqual(INACTIVE);
      expect((await introspect(stranger, 'never-was')).json()).toEqual(INACTIVE);
      const spa = await oauthSite(server.app, server, { authMethod: 'none' });
      expect((await introspect(spa, token)).body).not.toContain('true');
    });

    it('T49 are not active for an API they are not for: tokens for userinfo, refresh tokens, those of another API', async () => {
      const other = await oauthSite(server.app, server);
      const pay = {
        identifier: 'https://pay.example',
        introspectedBy: [other.clientId],
        tokenFormat: 'opaque',
      } as const;
      await register(pay);
      const first = tokens(await exchange(COUNT));
      expect((await introspect(other, first.access_token)).json()).toEqual(INACTIVE);
      expect((await introspect(api, first.refresh_token)).json()).toEqual(INACTIVE);
      expect((await introspect(site, first.refresh_token)).json()).toMatchObject({ active: true });
      const ours = tokens(await exchange({ scope: 'openid' }));
      expect((await introspect(api, ours.access_token)).json()).toEqual(INACTIVE);
      expect((await introspect(site, ours.access_token)).json()).toMatchObject({ active: true });
    });

    it('T49 are not active for a public client, not even its own', async () => {
      const spa = await oauthSite(server.app, server, { authMethod: 'none', scope: 'openid count' });
      const grant = { scope: 'openid', resources: { [STOCK]: 'count' }, of: spa };
      const { value, verifier } = await code(grant);
      const answer = await send(`${server.url}/oauth/token`, {
        method: 'POST',
        headers: { 'content-type': 'application/x-www-form-urlencoded' },
        body: new URLSearchParams({
          grant_type: 'authorization_code',
          client_id: spa.clientId,
          code: value,
          code_verifier: verifier,
          redirect_uri: REDIRECT_URI,
        }).toString(),
      });
      const { access_token: token } = tokens(answer);
      expect((await introspect(spa, token)).body).not.toContain('true');
      expect((await introspect(api, token)).json()).toMatchObject({ active: true });
    });

    it('T49 T52 are not active for an API that is disabled, or no longer asks as this client', async () => {
      const { access_token: token } = tokens(await exchange(COUNT));
      await server.app.resources.disable('test', STOCK);
      expect((await introspect(api, token)).json()).toEqual(INACTIVE);
      await server.app.resources.enable('test', STOCK);
      expect((await introspect(api, token)).json()).toMatchObject({ active: true });
      await server.app.resources.update('test', STOCK, { introspectedBy: [] });
      expect((await introspect(api, token)).json()).toEqual(INACTIVE);
      await server.app.resources.update('test', STOCK, { introspectedBy: [api.clientId] });
    });
  });
});
