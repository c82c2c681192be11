import { createHash, X509Certificate } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { NewClient } from '../../src/client/registration.js';
import { newCertificate } from '../support/certificate.js';
import { type RawAnswer, send } from '../support/http.js';
import { oauthSite, REDIRECT_URI } from '../support/relying-party.js';
import { startApp, type TestApp } from '../support/start-app.js';
import { login, person } from '../support/story.js';

const HEADER = 'client-cert';
const MINE = new X509Certificate(newCertificate('client.example').cert);
const OTHER = new X509Certificate(newCertificate('other.example').cert);
const asHeader = (certificate: X509Certificate) => `:${certificate.raw.toString('base64')}:`;

describe('tokens bound to a certificate (RFC 8705)', () => {
  let behind: TestApp;
  let alone: TestApp;
  beforeAll(async () => {
    behind = await startApp({ TRUSTED_PROXIES: 'loopback', CLIENT_CERTIFICATE_HEADER: HEADER });
    alone = await startApp();
  });
  afterAll(() => Promise.all([behind?.stop(), alone?.stop()]));

  const settings: Partial<NewClient> = { certificateBound: true };
  const exchange = async (server: TestApp, certificate?: string): Promise<RawAnswer> => {
    const site = await oauthSite(server.app, server, settings);
    const { query, verifier } = site.request();
    const { code } = await login(server, await person(server.app, server), query);
    return send(`${server.url}/oauth/token`, {
      method: 'POST',
      headers: {
        'content-type': 'application/x-www-form-urlencoded',
        authorization: `Basic ${Buffer.from(`${site.clientId}:${site.secret}`).toString('base64')}`,
        ...(certificate === undefined ? {} : { [HEADER]: certificate }),
      },
      body: new URLSearchParams({
        grant_type: 'authorization_code',
        code,
        redirect_uri: REDIRECT_URI,
        code_verifier: verifier,
      }).toString(),
    });
  };
  const userinfo = (server: TestApp, token: string, certificate?: X509Certificate) =>
    send(`${server.url}/oauth/userinfo`, {
      headers: { authorization: `Bearer ${token}`, ...(certificate ? { [HEADER]: asHeader(certificate) } : {}) },
    });

  it.each([
    ['as RFC 9440 has it', asHeader(MINE)],
    ['as percent-encoded PEM', encodeURIComponent(MINE.toString())],
  ])('T51: open nothing without it, or with another: %s', async (_how, header) => {
    const answer = await exchange(behind, header);
    expect(answer.status, answer.body).toBe(200);
    const token = String(answer.json().access_token);
    expect((await userinfo(behind, token, MINE)).status).toBe(200);
    expect((await userinfo(behind, token)).status).toBe(401);
    expect((await userinfo(behind, token, OTHER)).status).toBe(401);
    const [row] = await behind.database.sql<{ bound: string }>(
      `SELECT payload->>'x5t#S256' AS bound FROM engine_record WHERE kind = 'AccessToken' ORDER BY expires_at DESC LIMIT 1`,
    );
    expect(row?.bound).toBe(createHash('sha256').update(MINE.raw).digest('base64url'));
  });

  it('T51: are not made without a certificate, nor for something that is none', async () => {
    for (const header of [undefined, '', 'nonsense', ':AAAA:', '%E0%A4%A', '-----BEGIN CERTIFICATE-----']) {
      expect((await exchange(behind, header)).status, header).toBe(400);
    }
  });

  it('T82: are not made for a header that no trusted proxy has set', async () => {
    expect((await exchange(alone, asHeader(MINE))).status).toBe(400);
  });

  it('are in the metadata only where a proxy shows certificates', async () => {
    const documents = await Promise.all(
      [behind, alone].map(async ({ url }) => (await send(`${url}/.well-known/openid-configuration`)).json()),
    );
    expect(documents.map((one) => one.tls_client_certificate_bound_access_tokens)).toEqual([true, undefined]);
  });
});
