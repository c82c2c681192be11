/** The yardstick: oidc-provider alone, on a correct in-memory store (a code or refresh token is consumed once), started by exchange.ts. */
import { createServer } from 'node:http';
import { type Adapter, type AdapterPayload, errors, Provider } from 'oidc-provider';
import { SCOPES_OF } from '../src/client/client.js';
import { CLAIMS } from '../src/engine/subjects.js';

const [port, clientId, secret, jwks] = process.argv.slice(2) as [string, string, string, string];
const store = new Map<string, AdapterPayload>();

class MemoryAdapter implements Adapter {
  constructor(private readonly kind: string) {}
  private key = (id: string) => `${this.kind}:${id}`;
  upsert = async (id: string, payload: AdapterPayload) => {
    store.set(this.key(id), payload);
  };
  find = async (id: string) => store.get(this.key(id));
  findByUid = async () => undefined;
  findByUserCode = async () => undefined;
  consume = async (id: string) => {
    const payload = store.get(this.key(id));
    if (!payload || payload.consumed) throw new errors.InvalidGrant('already consumed');
    payload.consumed = Math.floor(Date.now() / 1000);
  };
  destroy = async (id: string) => {
    store.delete(this.key(id));
  };
  revokeByGrantId = async (grantId: string) => {
    for (const [key, payload] of store) if (payload.grantId === grantId) store.delete(key);
  };
}

const provider = new Provider(`http://localhost:${port}`, {
  adapter: MemoryAdapter,
  jwks: JSON.parse(jwks),
  cookies: { keys: ['bench'] },
  clients: [
    {
      client_id: clientId,
      client_secret: secret,
      redirect_uris: ['https://rp.example/cb'],
      response_types: ['code'],
      grant_types: ['authorization_code', 'refresh_token'],
      subject_type: 'pairwise',
    },
  ],
  scopes: [...SCOPES_OF.oauth, ...SCOPES_OF.wechat],
  claims: CLAIMS,
  subjectTypes: ['pairwise'],
  pairwiseIdentifier: async (_ctx, accountId) => `pairwise-${accountId}`,
  findAccount: async (_ctx, id) => ({
    accountId: id,
    claims: async () => ({ sub: id, nickname: '张三😀', name: '张三😀', picture: 'https://x/y/132', unionid: 'o1' }),
  }),
  pkce: { required: () => true },
  features: { devInteractions: { enabled: false }, resourceIndicators: { enabled: false }, dPoP: { enabled: false } },
});

createServer(provider.callback()).listen(Number(port), '127.0.0.1', () => process.send?.('listening'));

process.on('message', async (ask: { accountId: string; challenge: string; count: number }) => {
  const client = await provider.Client.find(clientId);
  if (!client) throw new Error('no client');
  const codes: string[] = [];
  for (let i = 0; i < ask.count; i++) {
    const grant = new provider.Grant({ accountId: ask.accountId, clientId });
    grant.addOIDCScope('openid profile unionid');
    const code = new provider.AuthorizationCode({
      accountId: ask.accountId,
      client,
      grantId: await grant.save(),
      scope: 'openid profile unionid',
      redirectUri: 'https://rp.example/cb',
      codeChallenge: ask.challenge,
      codeChallengeMethod: 'S256',
      claims: {},
    } as ConstructorParameters<typeof provider.AuthorizationCode>[0]);
    codes.push(await code.save());
  }
  process.send?.(codes);
});
