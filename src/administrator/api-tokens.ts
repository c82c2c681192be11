/** Tokens that programs call the administration API with: made on the command line, shown once, revoked there. */

import type { AuditLog } from '../audit/audit-log.js';
import { AppError } from '../error.js';
import { hashSecret, newHex, newSecret } from '../secret.js';
import { givenNameProblem } from './administrator.js';
import type { ApiToken } from './api-token.js';
import type { ApiTokenStore } from './api-token-store.js';

export const API_TOKEN_DAYS = { least: 1, most: 366, fallback: 90 } as const;
/** Says what it is to whoever finds one where none should be. */
const PREFIX = 'qrconnect_admin_';
const SHAPE = new RegExp(`^${PREFIX}[\\w-]{43}$`);

export class ApiTokens {
  readonly #store: ApiTokenStore;
  readonly #audit: AuditLog['record'];

  constructor(deps: { store: ApiTokenStore; audit: AuditLog['record'] }) {
    this.#store = deps.store;
    this.#audit = deps.audit;
  }

  /** Throws `invalid_request` for a name or a number of days that is not allowed. */
  async create(
    actor: string,
    { name, days, readOnly }: { name: string; days: number; readOnly: boolean },
  ): Promise<{ token: ApiToken; secret: string }> {
    const problem = givenNameProblem(name);
    if (problem) throw new AppError('invalid_request', { sayings: [problem] });
    const { least, most } = API_TOKEN_DAYS;
    if (!Number.isInteger(days) || days < least || days > most)
      throw new AppError('invalid_request', { message: `a token lives ${least} to ${most} days` });
    const secret = `${PREFIX}${newSecret()}`;
    // Hex digits: an id that begins with a hyphen could not be typed behind "tokens revoke".
    const token = await this.#store.insert({ id: newHex(6), secretHash: hashSecret(secret), name, readOnly, days });
    await this.#audit(actor, 'api-token.create', token.id, { name, days, read_only: readOnly });
    return { token, secret };
  }

  /** Whose call it is, if the token lives. */
  async whoIs(secret: string): Promise<ApiToken | undefined> {
    // Whatever else is sent as a bearer token is no question for the database.
    return SHAPE.test(secret) ? this.#store.findLive(hashSecret(secret)) : undefined;
  }

  list(): Promise<ApiToken[]> {
    return this.#store.list();
  }

  /** Throws `not_found` for one that is not there, or over. */
  async revoke(actor: string, id: string): Promise<ApiToken> {
    const token = await this.#store.revoke(id);
    if (!token)
      throw new AppError('not_found', { message: `there is no token "${id}"; "tokens list" shows those that live` });
    await this.#audit(actor, 'api-token.revoke', id);
    return token;
  }
}
