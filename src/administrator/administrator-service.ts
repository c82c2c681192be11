/** Administrators: the first comes by the environment or a one-time link, never by default (T61); others by command. */

import { normalizeUsername, usernameProblem } from '../account/account.js';
import { hashPassword } from '../account/password.js';
import type { AuditLog } from '../audit/audit-log.js';
import { AppError } from '../error.js';
import { weakPasswordReason } from '../password-strength.js';
import { hashSecret, newSecret } from '../secret.js';
import type { Administrator } from './administrator.js';
import type { AdministratorStore } from './administrator-store.js';

const SETUP_MINUTES = 30;

export class AdministratorService {
  readonly #store: AdministratorStore;
  readonly #audit: AuditLog['record'];

  constructor(deps: { store: AdministratorStore; audit: AuditLog['record'] }) {
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
    if (state === 'over') throw setupOver();
  }

  /** Makes the first administrator; the token works once. */
  async setUp(token: string, username: string, password: string): Promise<void> {
    await this.checkSetupToken(token);
    refuse(usernameProblem(username) ?? passwordProblem(password, username));
    const administrator = await toRow(username, password);
    if (!(await this.#store.createWithToken(hashSecret(token), administrator))) throw setupOver();
    await this.#audit('setup', 'administrator.create', administrator.id);
  }

  list(): Promise<Array<{ administrator: Administrator; passkeys: number }>> {
    return this.#store.list();
  }

  /** Throws `invalid_request` naming what is wrong, `conflict` when the user name is taken. */
  async create(actor: string, username: string, password: string): Promise<Administrator> {
    const name = normalizeUsername(username);
    refuse(usernameProblem(name) ?? passwordProblem(password, name));
    const administrator = await this.#store.create(await toRow(name, password));
    if (!administrator)
      throw new AppError('conflict', {
        message: `the user name "${name}" is taken: take another, or give this one a new password ("administrators reset")`,
      });
    await this.#audit(actor, 'administrator.create', administrator.id, { username: name });
    return administrator;
  }

  /**
   * For somebody who lost the password or the passkeys, or from whom they were stolen: a new password, no passkey, no
   * session. Throws `invalid_request` naming what is wrong, `not_found` for a name that nobody has.
   */
  async reset(
    actor: string,
    username: string,
    password: string,
  ): Promise<{ administrator: Administrator; passkeys: number }> {
    const name = normalizeUsername(username);
    refuse(passwordProblem(password, name));
    const reset = await this.#store.reset(name, await hashPassword(password));
    if (!reset) throw unknown(name);
    await this.#audit(actor, 'administrator.reset', reset.administrator.id, {
      username: name,
      passkeys: reset.passkeys,
    });
    return reset;
  }

  /** Throws `not_found` for a name that nobody has, `conflict` for the last administrator. */
  async remove(actor: string, username: string): Promise<Administrator> {
    const name = normalizeUsername(username);
    const removed = await this.#store.remove(name);
    if (removed === 'unknown') throw unknown(name);
    if (removed === 'last')
      throw new AppError('conflict', {
        message: `"${name}" is the last administrator and stays: make another one first ("administrators create")`,
      });
    await this.#audit(actor, 'administrator.remove', removed.id, { username: name });
    return removed;
  }
}

function passwordProblem(password: string, username: string): string | undefined {
  const reason = weakPasswordReason(password, username);
  return reason && `the password ${reason}`;
}

function setupOver(): AppError {
  return new AppError('gone', { reason: 'setup_over' });
}

function refuse(problem: string | undefined): void {
  if (problem) throw new AppError('invalid_request', { message: problem });
}

function unknown(username: string): AppError {
  return new AppError('not_found', {
    message: `there is no administrator "${username}"; "administrators list" shows all of them`,
  });
}

async function toRow(username: string, password: string) {
  return { id: newSecret(16), username: normalizeUsername(username), passwordHash: await hashPassword(password) };
}
