/** Signing an administrator in and out of the console, and having them prove again who they are (T65). */

import { normalizeUsername } from '../account/account.js';
import type { GuessStore } from '../account/guess-store.js';
import { createPasswordCheck, type Guess, type PasswordCheck } from '../account/password-check.js';
import type { AuditLog } from '../audit/audit-log.js';
import { AppError } from '../error.js';
import { hashSecret, newSecret } from '../secret.js';
import { type AdministratorSession, actorOf, type SignInMethod } from './administrator.js';
import type { AdministratorSessionStore } from './administrator-session-store.js';
import type { AdministratorStore } from './administrator-store.js';

export interface AdministratorSignInDeps {
  administrators: AdministratorStore;
  sessions: AdministratorSessionStore;
  guesses: GuessStore;
  audit: AuditLog['record'];
}

export class AdministratorSignIn {
  readonly #deps: AdministratorSignInDeps;
  readonly #passwords: PasswordCheck;

  constructor(deps: AdministratorSignInDeps) {
    this.#deps = deps;
    this.#passwords = createPasswordCheck(deps.guesses, 'administrator password');
  }

  /**
   * Returns the new session's secret, for the cookie. Throws `invalid_credentials` alike for an unknown name, a wrong
   * password, and the password of an administrator who has a passkey; else as a PasswordCheck does.
   */
  async withPassword(input: { username: string; password: string; addressKey: string }): Promise<string> {
    const { who, stored } = await this.#verified({ ...input, username: normalizeUsername(input.username) });
    const [id, secret] = [newSecret(16), newSecret()];
    const session = { id, secretHash: hashSecret(secret), administratorId: who.id };
    if (!(await this.#deps.sessions.insertByPassword({ ...session, passwordHash: stored })))
      throw new AppError('invalid_credentials');
    await this.#noteSignIn(who.id, id, 'password');
    return secret;
  }

  /** The same for somebody whose passkey has just proved who they are. */
  async withPasskey(proven: { administratorId: string; passkeyId: string }): Promise<string> {
    const { administratorId } = proven;
    const [id, secret] = [newSecret(16), newSecret()];
    if (!(await this.#deps.sessions.insertByPasskey({ id, secretHash: hashSecret(secret), ...proven })))
      throw new AppError('invalid_credentials');
    await this.#noteSignIn(administratorId, id, 'passkey');
    return secret;
  }

  /** Who holds this session secret, if the session lives. */
  whoIs(secret: string): Promise<AdministratorSession | undefined> {
    return this.#deps.sessions.findLive(hashSecret(secret));
  }

  /** The password once more. Returns the secret that the session has from then on. Throws as `withPassword` does. */
  async proveByPassword(
    { id, administrator }: AdministratorSession,
    given: { password: string; addressKey: string },
  ): Promise<string> {
    const { stored } = await this.#verified({ ...given, username: administrator.username });
    const secret = newSecret();
    if (await this.#deps.sessions.renewByPassword(id, stored, hashSecret(secret))) return secret;
    throw new AppError('invalid_credentials');
  }

  /** A passkey has just proved it. Returns the secret that the session has from then on. */
  async proveByPasskey({ id }: AdministratorSession, passkeyId: string): Promise<string> {
    const secret = newSecret();
    if (await this.#deps.sessions.renewByPasskey(id, passkeyId, hashSecret(secret))) return secret;
    throw new AppError('not_signed_in');
  }

  async signOut({ id, administrator }: AdministratorSession): Promise<void> {
    await this.#deps.sessions.end(id);
    await this.#deps.audit(actorOf(administrator), 'administrator.sign-out', administrator.id, { session: id });
  }

  #verified(guess: Guess) {
    return this.#passwords.verify(guess, async () => {
      const found = await this.#deps.administrators.findByUsername(guess.username);
      // Whoever has a passkey: a right password is counted like a wrong one, or the count would tell it (T21).
      return found && { who: found.administrator, stored: found.passwordHash, refused: found.hasPasskey };
    });
  }

  async #noteSignIn(administratorId: string, session: string, method: SignInMethod): Promise<void> {
    await this.#deps.audit('console', 'administrator.sign-in', administratorId, { session, method });
  }
}
