import { afterAll, beforeAll, describe, expect, it } from 'vitest';
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
});
