import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { newProof } from '../support/door.js';
import { send } from '../support/http.js';
import { type OauthSite, oauthSite } from '../support/relying-party.js';
import { startApp, type TestApp } from '../support/start-app.js';

describe('PKCE as the engine does it', () => {
  let server: TestApp;
  let site: OauthSite;
  let open: OauthSite;
  beforeAll(async () => {
    server = await startApp();
    site = await oauthSite(server.app, server);
    open = await oauthSite(server.app, server, { authMethod: 'none' });
  });
  afterAll(() => server?.stop());

  const authorize = async (query: Record<string, string>) => {
    const { headers, body } = await send(`${server.url}/oauth/authorize?${new URLSearchParams(query)}`);
    const location = String(headers.location ?? '');
    return location.startsWith('/interaction/') ? 'begun' : (URL.parse(location)?.searchParams.get('error') ?? body);
  };

  it('is required of confidential and public clients alike', async () => {
    for (const client of [site, open]) {
      const { code_challenge: _, code_challenge_method: __, ...query } = client.request().query;
      expect(await authorize(query)).toContain('invalid_request');
      expect(await authorize(client.request().query)).toBe('begun');
    }
  });

  it('knows S256 and nothing else', async () => {
    for (const method of ['plain', 'PLAIN', 's256', 'S384', 'none', '']) {
      expect(await authorize(site.request({ code_challenge_method: method }).query), method).toContain(
        'invalid_request',
      );
    }
    const { code_challenge_method: _, ...query } = site.request().query;
    expect(await authorize(query)).toContain('invalid_request');
  });

  it('takes a challenge of the shape S256 makes', async () => {
    const { code_challenge: challenge } = newProof();
    for (const wrong of [challenge.slice(1), `${challenge}=`.slice(1, 43), 'x'.repeat(129), `${challenge.slice(1)}+`]) {
      expect(await authorize(site.request({ code_challenge: wrong }).query), wrong).toContain('invalid_request');
    }
  });
});
