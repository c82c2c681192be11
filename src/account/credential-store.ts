/** The rows of what proves who someone is: today a password. */
import type { Database } from '../database/database.js';
import type { Statement } from '../database/statement.js';

export interface CredentialStore {
  findPasswordHash(accountId: string): Promise<string | undefined>;
  setPasswordHash(accountId: string, hash: string): Promise<void>;
  /** The same password hashed anew; nothing happens if it is another one by now. */
  renewPasswordHash(accountId: string, before: string, hash: string): Promise<void>;
}

const FIND: Statement = { name: 'password-find', text: 'SELECT hash FROM password WHERE account_id = $1' };
const SET: Statement = {
  name: 'password-set',
  text: `INSERT INTO password (account_id, hash) VALUES ($1, $2)
         ON CONFLICT (account_id) DO UPDATE SET hash = excluded.hash, updated_at = now()`,
};
const RENEW: Statement = {
  name: 'password-renew',
  text: 'UPDATE password SET hash = $3, updated_at = now() WHERE account_id = $1 AND hash = $2',
};

export function createCredentialStore(database: Database): CredentialStore {
  return {
    async findPasswordHash(accountId) {
      const [row] = await database.query<{ hash: string }>(FIND, [accountId]);
      return row?.hash;
    },
    async setPasswordHash(accountId, hash) {
      await database.query(SET, [accountId, hash]);
    },
    async renewPasswordHash(accountId, before, hash) {
      await database.query(RENEW, [accountId, before, hash]);
    },
  };
}
