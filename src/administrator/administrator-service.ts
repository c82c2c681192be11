/** How the first administrator comes to be: by the environment, or by a one-time link. Never by default (T61). */

import { normalizeUsername, usernameProblem } from '../account/account.js';
import { hashPassword } from '../account/password.js';
import { AppError } from '../error.js';
import { weakPasswordReason } from '../password-strength.js';
import { hashSecret, newSecret } from '../secret.js';
import type { AdministratorStore } from './administrator-store.js';

const SETUP_MINUTES = 30;

export class AdministratorService {
  readonly #store: AdministratorStore;
  readonly #audit: (actor: string, action: string, target: string) => Promise<void>;

  constructor(deps: {
    store: AdministratorStore;
    audit: (actor: string, action: string, target: string) => Promise<void>;
  }) {
    this.#store = deps.store;
    this.#audit = deps.audit;
  }

  /**
   * At start: makes the administrator the environment names if there is none yet, else a setup token for the link to
   * print. Undefined when an administrator exists.
   */
  async bootstrap(fromEnvironment: { username: string; password: string } | undefined): Promise<string | undefined> {
    if ((await this.#store.count()) > 0) return undefined;
    if (fromEnvironment) {
      const administrator = await toRow(fromEnvironment.username, fromEnvironment.password);
      if (await this.#store.createFirst(administrator)) {
        await this.#audit('environment', 'administrator.create', administrator.id);
      }
      return undefined;
    }
    const token = newSecret();
    await this.#store.saveSetupToken(hashSecret(token), SETUP_MINUTES * 60);
    return token;
  }

  /** Throws `setup_token_required` for a wrong token, `gone` for one that was used or is older than 30 minutes. */
  async checkSetupToken(token: string | undefined): Promise<void> {
    const state = token ? await this.#store.setupTokenState(hashSecret(token)) : 'unknown';
    if (state === 'unknown') throw new AppError('setup_token_required');
    if (state === 'over') throw new AppError('gone');
  }

  /** Makes the first administrator; the token works once. */
  async setUp(token: string, username: string, password: string): Promise<void> {
    await this.checkSetupToken(token);
    const problem = usernameProblem(username) ?? weakPasswordReason(password, username)?.replace(/^/, 'the password ');
    if (problem) throw new AppError('invalid_request', { message: problem });
    const administrator = await toRow(username, password);
    if (!(await this.#store.createWithToken(hashSecret(token), administrator))) throw new AppError('gone');
    await this.#audit('setup', 'administrator.create', administrator.id);
  }
}

async function toRow(username: string, password: string) {
  return { id: newSecret(16), username: normalizeUsername(username), passwordHash: await hashPassword(password) };
}
