/** The rows of uploaded pictures, and which picture an account shows. */
import type { Database } from '../database/database.js';
import type { Statement } from '../database/statement.js';
import type { PictureSet } from './picture.js';

export interface PictureStore {
  /**
   * The account shows `name` from now on: an uploaded set of sizes, or none for a picture we draw. Every older upload
   * of the account is deleted in the same transaction; of several at once, one whole set is left. False when there is
   * no such account.
   */
  replace(accountId: string, name: string, set?: PictureSet): Promise<boolean>;
  /** JPEG bytes, as long as some account shows this picture. */
  find(name: string, size: number): Promise<Buffer | undefined>;
}

/** 128 random bits in base64url; nothing else is ever looked up. */
const NAME = /^[\w-]{22}$/;

// First, so that its row lock makes one replacement of an account wait for another.
const SHOW: Statement = {
  name: 'picture-show',
  text: 'UPDATE account SET picture = $2, updated_at = now() WHERE id = $1 RETURNING 1 AS shown',
};
const FORGET: Statement = { name: 'picture-forget', text: 'DELETE FROM account_picture WHERE account_id = $1' };
const INSERT: Statement = {
  name: 'picture-insert',
  text: `INSERT INTO account_picture (name, size, account_id, body)
         SELECT $2, size, $1, body FROM unnest($3::smallint[], $4::bytea[]) AS picture (size, body)`,
};
const FIND: Statement = {
  name: 'picture-find',
  text: 'SELECT body FROM account_picture WHERE name = $1 AND size = $2',
};

export function createPictureStore(database: Database): PictureStore {
  return {
    replace: (accountId, name, set = new Map()) =>
      database.transaction(async (tx) => {
        if ((await tx.query(SHOW, [accountId, name])).length === 0) return false;
        await tx.query(FORGET, [accountId]);
        if (set.size > 0) await tx.query(INSERT, [accountId, name, [...set.keys()], [...set.values()]]);
        return true;
      }),
    async find(name, size) {
      if (!NAME.test(name)) return undefined;
      const [row] = await database.query<{ body: Buffer }>(FIND, [name, size]);
      return row?.body;
    },
  };
}
