/** Signing a phone in and out, and finding who a session belongs to. */
import { RateLimiterMemory } from 'rate-limiter-flexible';
import { AppError } from '../error.js';
import { hashSecret, newSecret } from '../secret.js';
import { type Account, normalizeUsername } from './account.js';
import type { AccountStore } from './account-store.js';
import type { CredentialStore } from './credential-store.js';
import { hashPassword, isOutdatedHash, passwordMatches } from './password.js';
import type { PhoneSession } from './phone-session.js';
import type { PhoneSessionStore } from './phone-session-store.js';

export interface SignedIn {
  readonly session: PhoneSession;
  readonly account: Account;
}

export class SignInService {
  readonly #deps: { accounts: AccountStore; credentials: CredentialStore; sessions: PhoneSessionStore };
  // Per account and address, so that a stranger elsewhere cannot lock the owner out (T21, T81).
  readonly #perPair = new RateLimiterMemory({ points: 10, duration: 600 });
  readonly #perAddress = new RateLimiterMemory({ points: 60, duration: 600 });

  constructor(deps: { accounts: AccountStore; credentials: CredentialStore; sessions: PhoneSessionStore }) {
    this.#deps = deps;
  }

  /**
   * Returns the new session's secret, for the cookie; a new one at every sign-in (T19). Throws `invalid_credentials`
   * alike for an unknown name and a wrong password, `too_many_requests` after ten failures in ten minutes.
   */
  async signInWithPassword(input: {
    username: string;
    password: string;
    addressKey: string;
    browser: { name: string; system: string };
  }): Promise<{ secret: string; account: Account }> {
    const username = normalizeUsername(input.username);
    const pair = hashSecret(`${username} ${input.addressKey}`);
    await this.#count(pair, input.addressKey);
    const account = await this.#deps.accounts.findByUsername(username);
    const stored = account && (await this.#deps.credentials.findPasswordHash(account.id));
    const matches = await passwordMatches(stored, input.password);
    if (!account || !stored || !matches || account.disabled) throw new AppError('invalid_credentials');
    await this.#perPair.delete(pair);
    await this.#perAddress.reward(input.addressKey);
    const secret = newSecret();
    const opened = await this.#deps.sessions.insert({
      id: newSecret(16),
      secretHash: hashSecret(secret),
      accountId: account.id,
      passwordHash: stored,
      amr: ['pwd'],
      browser: input.browser,
    });
    if (!opened) throw new AppError('invalid_credentials');
    if (isOutdatedHash(stored)) {
      await this.#deps.credentials.renewPasswordHash(account.id, stored, await hashPassword(input.password));
    }
    return { secret, account };
  }

  /** Who holds this session secret, if the session lives and the account may sign in. */
  async whoIs(secret: string): Promise<SignedIn | undefined> {
    const session = await this.#deps.sessions.findLive(hashSecret(secret));
    const account = session && (await this.#deps.accounts.find(session.accountId));
    return session && account && !account.disabled ? { session, account } : undefined;
  }

  async signOut(session: PhoneSession): Promise<void> {
    await this.#deps.sessions.end(session.id);
  }

  async #count(pair: string, address: string): Promise<void> {
    try {
      // The address first: one that is refused must not go on filling memory with names it makes up.
      await this.#perAddress.consume(address);
      await this.#perPair.consume(pair);
    } catch (refused) {
      const ms = (refused as { msBeforeNext?: number }).msBeforeNext ?? 600_000;
      throw new AppError('too_many_requests', { retryAfter: Math.ceil(ms / 1000) });
    }
  }
}
