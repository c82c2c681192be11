/**
 * The yardstick: oidc-provider alone, on a correct in-memory store (a code or refresh token is consumed once), started
 * by exchange.ts and authorization.ts. Its login page asks nobody: a new person signs in and allows.
 */
import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { type Adapter, type AdapterPayload, errors, Provider } from 'oidc-provider';
import { SCOPES_OF } from '../src/client/client.js';
import { CLAIMS } from '../src/engine/subjects.js';

const [port, clientId, secret, jwks] = process.argv.slice(2) as [string, string, string, string];
const store = new Map<string, AdapterPayload>();
const keyOfUid = new Map<string, string>();

class MemoryAdapter implements Adapter {
  constructor(private readonly kind: string) {}
  private key = (id: string) => `${this.kind}:${id}`;
  upsert = async (id: string, payload: AdapterPayload) => {
    store.set(this.key(id), payload);
    if (payload.uid) keyOfUid.set(payload.uid, this.key(id));
  };
  find = async (id: string) => store.get(this.key(id));
  findByUid = async (uid: string) => store.get(keyOfUid.get(uid) ?? '');
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
  rotateRefreshToken: true,
  features: {
    devInteractions: { enabled: false },
    resourceIndicators: { enabled: false },
    dPoP: { enabled: false },
    introspection: { enabled: true },
  },
});

async function signIn(req: IncomingMessage, res: ServerResponse): Promise<void> {
  const { params } = await provider.interactionDetails(req, res);
  const accountId = randomUUID();
  const grant = new provider.Grant({ accountId, clientId });
  grant.addOIDCScope(String(params.scope));
  await provider.interactionFinished(req, res, { login: { accountId }, consent: { grantId: await grant.save() } });
}

const engine = provider.callback();
createServer((req, res) => (req.url?.startsWith('/interaction/') ? signIn(req, res) : engine(req, res))).listen(
  Number(port),
  '127.0.0.1',
  () => process.send?.('listening'),
);

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
