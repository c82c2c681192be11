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

export interface SignInServiceDeps {
  accounts: AccountStore;
  credentials: CredentialStore;
  sessions: PhoneSessionStore;
  /** The browsers a phone session vouched for. */
  signOutBrowsers: (of: { phoneSessionId: string }) => Promise<void>;
}

export class SignInService {
  readonly #deps: SignInServiceDeps;
  // Per account and address, so that a stranger elsewhere cannot lock the owner out (T21, T81).
  readonly #perPair = new RateLimiterMemory({ points: 10, duration: 600 });
  readonly #perAddress = new RateLimiterMemory({ points: 60, duration: 600 });

  constructor(deps: SignInServiceDeps) {
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
    /** For one sign-in at a site, on its own sign-in page: the secret is nobody's. */
    direct?: boolean;
  }): Promise<SignedIn & { secret: string }> {
    const { account, stored } = await this.#verified(normalizeUsername(input.username), input);
    const [id, secret, amr] = [newSecret(16), newSecret(), ['pwd']];
    const opened = await this.#deps.sessions.insert({
      id,
      secretHash: hashSecret(secret),
      accountId: account.id,
      passwordHash: stored,
      amr,
      browser: input.browser,
      direct: input.direct,
    });
    if (!opened) throw new AppError('invalid_credentials');
    if (isOutdatedHash(stored)) {
      await this.#deps.credentials.renewPasswordHash(account.id, stored, await hashPassword(input.password));
    }
    return { secret, account, session: { id, accountId: account.id, authTime: new Date(), amr } };
  }

  /** The password once more, for a site that asks for a fresh sign-in. Throws as signInWithPassword does. */
  async reauthenticate(phone: SignedIn, input: { password: string; addressKey: string }): Promise<SignedIn> {
    const { account, stored } = await this.#verified(phone.account.username, input);
    const session =
      account.id === phone.account.id && (await this.#deps.sessions.renewAuthTime(phone.session.id, stored));
    if (!session) throw new AppError('invalid_credentials');
    return { session, account };
  }

  /** Who holds this session secret, if the session lives and the account may sign in. */
  async whoIs(secret: string): Promise<SignedIn | undefined> {
    const session = await this.#deps.sessions.findLive(hashSecret(secret));
    const account = session && (await this.#deps.accounts.find(session.accountId));
    return session && account && !account.disabled ? { session, account } : undefined;
  }

  /** The browsers that stay signed in because of this phone are signed out with it. */
  async signOut(session: PhoneSession): Promise<void> {
    await this.#deps.sessions.end(session.id);
    await this.#deps.signOutBrowsers({ phoneSessionId: session.id });
  }

  async #verified(
    username: string,
    { password, addressKey }: { password: string; addressKey: string },
  ): Promise<{ account: Account; stored: string }> {
    const pair = hashSecret(`${username} ${addressKey}`);
    await this.#count(pair, addressKey);
    const account = await this.#deps.accounts.findByUsername(username);
    const stored = account && (await this.#deps.credentials.findPasswordHash(account.id));
    const matches = await passwordMatches(stored, password);
    if (!account || !stored || !matches || account.disabled) throw new AppError('invalid_credentials');
    await this.#perPair.delete(pair);
    await this.#perAddress.reward(addressKey);
    return { account, stored };
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
