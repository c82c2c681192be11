/** What the engine's token and userinfo endpoints do, on the same models and rows, for dialects with their own wire format. */
import type { Provider } from 'oidc-provider';
import type { Account } from '../account/account.js';
import { type Client, unionOf } from '../client/client.js';
import { keyedHash } from '../secret.js';
import { TTL } from './lifetimes.js';
import { withOurErrors } from './outage.js';
import type { Subjects } from './subjects.js';
import { countWrongVerifier, verifierMatches } from './wrong-verifiers.js';

export type ExchangeProblem =
  | 'code_invalid'
  | 'code_used'
  | 'refresh_token_invalid'
  | 'refresh_token_expired'
  | 'access_token_invalid'
  | 'access_token_expired'
  | 'grant_ended'
  | 'client_disabled'
  | 'account_unavailable';

/** Why an exchange was refused; the dialect finds its own words. */
export class ExchangeRefused extends Error {
  constructor(readonly problem: ExchangeProblem) {
    super(problem);
    this.name = 'ExchangeRefused';
  }
}

export interface Tokens {
  readonly accessToken: string;
  readonly refreshToken: string;
  /** Seconds. */
  readonly expiresIn: number;
  readonly scope: string;
  readonly openid: string;
  readonly unionid: string;
}

export interface TokenOwner {
  readonly account: Account;
  readonly client: Client;
  readonly scope: string;
  readonly openid: string;
  readonly unionid: string;
}

export interface Exchange {
  /** Trades a code, once. A second presentation ends the grant (RFC 6749 4.1.2). */
  exchangeCode(client: Client, code: string, codeVerifier: string | undefined): Promise<Tokens>;
  /** The same refresh token comes back; the access token too while it lives, with its life renewed. */
  refresh(client: Client, refreshToken: string): Promise<Tokens>;
  /** Who an access token of a wechat client belongs to; `onClient` hears whose token it is even when it is refused. */
  whose(accessToken: string, onClient?: (client: Client) => void): Promise<TokenOwner>;
}

export interface ExchangeDeps {
  subjects: Subjects;
  activeAccount: (id: string) => Promise<Account | undefined>;
  /** Disabled ones too. */
  findClient: (id: string) => Promise<Client | undefined>;
}

type Owned = { accountId?: string; clientId?: string; grantId?: string; scope?: string };

export function createExchange(provider: Provider, deps: ExchangeDeps): Exchange {
  const liveAccount = async (id: string | undefined, problem: ExchangeProblem) => {
    const account = id === undefined ? undefined : await deps.activeAccount(id);
    if (!account) throw new ExchangeRefused(problem);
    return account;
  };
  /**
   * A token is worth what its grant is worth: an ended grant ends it at once. Ending one grant removes its tokens with
   * it; tokens without a grant are what a changed password leaves behind (T20).
   */
  const checkGrant = async (token: Owned, problem: ExchangeProblem) => {
    const grant = token.grantId === undefined ? undefined : await provider.Grant.find(token.grantId);
    if (grant?.clientId !== token.clientId || grant?.accountId !== token.accountId) throw new ExchangeRefused(problem);
  };
  const tokensOf = (client: Client, token: Owned, accessToken: string, refreshToken: string): Tokens => ({
    accessToken,
    refreshToken,
    expiresIn: TTL.wechatAccessToken,
    scope: token.scope ?? '',
    openid: deps.subjects.openid(client.id, String(token.accountId)),
    unionid: deps.subjects.unionid(unionOf(client), String(token.accountId)),
  });
  const saveAccessToken = async (owned: Owned, gty: string, value: string) => {
    const token = new provider.AccessToken({
      ...owned,
      gty,
      expiresIn: TTL.wechatAccessToken,
    } as unknown as ConstructorParameters<typeof provider.AccessToken>[0]);
    // The engine settles the token's format when it names it; the name is ours to choose. (Its types leave this out.)
    (token as unknown as { generateTokenId(): string }).generateTokenId();
    token.jti = value;
    await token.save();
  };

  return withOurErrors<Exchange>({
    async exchangeCode(client, value, codeVerifier) {
      const code = await provider.AuthorizationCode.find(value, { ignoreExpiration: true });
      // Another client's code stays untouched, or its owner could be robbed of it (T41).
      if (!code || code.clientId !== client.id) throw new ExchangeRefused('code_invalid');
      if ((code as { consumed?: unknown }).consumed !== undefined) {
        await provider.AuthorizationCode.revokeByGrantId(String(code.grantId));
        throw new ExchangeRefused('code_used');
      }
      if (code.isExpired) throw new ExchangeRefused('code_invalid');
      if (!verifierMatches(code.codeChallenge, codeVerifier)) {
        if (codeVerifier !== undefined) await countWrongVerifier(provider, value, code.grantId);
        throw new ExchangeRefused('code_invalid');
      }
      await Promise.all([checkGrant(code, 'code_invalid'), liveAccount(code.accountId, 'account_unavailable')]);
      await code.consume().catch((error: unknown) => {
        throw isInvalidGrant(error) ? new ExchangeRefused('code_used') : error;
      });
      const owned = { accountId: code.accountId, clientId: client.id, grantId: code.grantId, scope: code.scope };
      const refreshToken = new provider.RefreshToken({
        ...owned,
        gty: 'authorization_code',
        rotations: 0,
        expiresIn: TTL.wechatRefreshToken,
      } as unknown as ConstructorParameters<typeof provider.RefreshToken>[0]);
      const refreshValue = await refreshToken.save();
      const accessValue = accessTokenFor(refreshValue, 0);
      await saveAccessToken(owned, 'authorization_code', accessValue);
      return tokensOf(client, owned, accessValue, refreshValue);
    },

    async refresh(client, value) {
      const token = await provider.RefreshToken.find(value, { ignoreExpiration: true });
      if (!token || token.clientId !== client.id || token.consumed) throw new ExchangeRefused('refresh_token_invalid');
      if (token.isExpired) throw new ExchangeRefused('refresh_token_expired');
      await Promise.all([checkGrant(token, 'grant_ended'), liveAccount(token.accountId, 'account_unavailable')]);
      const owned = { accountId: token.accountId, clientId: client.id, grantId: token.grantId, scope: token.scope };
      const generation = token.rotations ?? 0;
      const living = accessTokenFor(value, generation);
      if (await provider.AccessToken.find(living)) {
        await saveAccessToken(owned, 'refresh_token', living);
        return tokensOf(client, owned, living, value);
      }
      // The token first, then the count that leads to it: whoever refreshes in between makes the same token again (T47).
      const next = accessTokenFor(value, generation + 1);
      await saveAccessToken(owned, 'refresh_token', next);
      token.rotations = generation + 1;
      await token.save();
      return tokensOf(client, owned, next, value);
    },

    async whose(value, onClient) {
      const token = await provider.AccessToken.find(value, { ignoreExpiration: true });
      if (!token) throw new ExchangeRefused('access_token_invalid');
      const client = await deps.findClient(String(token.clientId));
      if (client?.dialect !== 'wechat') throw new ExchangeRefused('access_token_invalid');
      onClient?.(client);
      if (client.disabled) throw new ExchangeRefused('client_disabled');
      if (token.isExpired) throw new ExchangeRefused('access_token_expired');
      await checkGrant(token, 'grant_ended');
      const account = await liveAccount(token.accountId, 'account_unavailable');
      return {
        account,
        client,
        scope: token.scope ?? '',
        openid: deps.subjects.openid(client.id, account.id),
        unionid: deps.subjects.unionid(unionOf(client), account.id),
      };
    },
  });
}

/**
 * The access token is made from the refresh token and a counter: WeChat's refresh returns the *same* access token while
 * it lives, and only its hash is stored, so whoever refreshes must be able to make it again. 256 bits, one way.
 */
function accessTokenFor(refreshToken: string, generation: number): string {
  return keyedHash(refreshToken, 'access token', String(generation));
}

function isInvalidGrant(error: unknown): boolean {
  return (error as { error?: unknown }).error === 'invalid_grant';
}
