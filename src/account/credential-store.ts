/** The rows of what proves who someone is: today a password. */
import type { Database } from '../database/database.js';
import type { Statement } from '../database/statement.js';

export interface CredentialStore {
  findPasswordHash(accountId: string): Promise<string | undefined>;
  setPasswordHash(accountId: string, hash: string): Promise<void>;
}

const FIND: Statement = { name: 'password-find', text: 'SELECT hash FROM password WHERE account_id = $1' };
const SET: Statement = {
  name: 'password-set',
  text: `INSERT INTO password (account_id, hash) VALUES ($1, $2)
         ON CONFLICT (account_id) DO UPDATE SET hash = excluded.hash, updated_at = now()`,
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
  };
}
