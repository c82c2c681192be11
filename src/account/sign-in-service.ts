/** Signing a phone in and out, and finding who a session belongs to. */
import { AppError } from '../error.js';
import { hashSecret, newSecret } from '../secret.js';
import { type Account, normalizeUsername } from './account.js';
import type { AccountStore } from './account-store.js';
import type { CredentialStore } from './credential-store.js';
import type { GuessStore } from './guess-store.js';
import { hashPassword, isOutdatedHash } from './password.js';
import { createPasswordCheck, type PasswordCheck } from './password-check.js';
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
  guesses: GuessStore;
  /** The browsers a phone session vouched for. */
  signOutBrowsers: (of: { phoneSessionId: string }) => Promise<void>;
}

export class SignInService {
  readonly #deps: SignInServiceDeps;
  readonly #passwords: PasswordCheck;

  constructor(deps: SignInServiceDeps) {
    this.#deps = deps;
    this.#passwords = createPasswordCheck(deps.guesses, 'password');
  }

  /**
   * Returns the new session's secret, for the cookie; a new one at every sign-in (T19). Throws `invalid_credentials`
   * alike for an unknown name and a wrong password, `too_many_requests` after ten failures in ten minutes, `unavailable`
   * when too many passwords are being checked or nobody can count the failures (T83).
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
    if (isOutdatedHash(stored)) await this.#renewHash(account.id, stored, input.password);
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
  whoIs(secret: string): Promise<SignedIn | undefined> {
    return this.#deps.sessions.findLive(hashSecret(secret));
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
    const { who, stored } = await this.#passwords.verify({ username, password, addressKey }, async () => {
      const account = await this.#deps.accounts.findByUsername(username);
      const hash = account && (await this.#deps.credentials.findPasswordHash(account.id));
      return account && hash !== undefined ? { who: account, stored: hash, refused: account.disabled } : undefined;
    });
    return { account: who, stored };
  }

  /** What cannot be done now is done at the next sign-in. */
  async #renewHash(accountId: string, before: string, password: string): Promise<void> {
    try {
      await this.#deps.credentials.renewPasswordHash(accountId, before, await hashPassword(password));
    } catch (error) {
      if (!(error instanceof AppError) || error.code !== 'unavailable') throw error;
    }
  }
}
