/** The rows of accounts. */
import type { Database } from '../database/database.js';
import type { Row, Statement } from '../database/statement.js';
import type { Account } from './account.js';

export interface AccountStore {
  /** False when the user name is taken. */
  insert(account: Account, passwordHash: string): Promise<boolean>;
  find(id: string): Promise<Account | undefined>;
  findByUsername(username: string): Promise<Account | undefined>;
  list(): Promise<Account[]>;
  /** False when it was so already. */
  setDisabled(id: string, disabled: boolean): Promise<boolean>;
}

const COLUMNS =
  'id, username, nickname, sex, city, province, country, locale, picture, created_at, updated_at, disabled_at';
const INSERT: Statement = {
  name: 'account-insert',
  text: `INSERT INTO account (id, username, nickname, sex, city, province, country, locale, picture)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT (username) DO NOTHING RETURNING 1 AS won`,
};
const INSERT_PASSWORD: Statement = {
  name: 'account-insert-password',
  text: 'INSERT INTO password (account_id, hash) VALUES ($1, $2)',
};
const FIND: Statement = { name: 'account-find', text: `SELECT ${COLUMNS} FROM account WHERE id = $1` };
const FIND_BY_USERNAME: Statement = {
  name: 'account-find-username',
  text: `SELECT ${COLUMNS} FROM account WHERE username = $1`,
};
const LIST: Statement = { name: 'account-list', text: `SELECT ${COLUMNS} FROM account ORDER BY created_at, id` };
const SET_DISABLED: Statement = {
  name: 'account-set-disabled',
  text: `UPDATE account SET disabled_at = CASE WHEN $2 THEN now() END
         WHERE id = $1 AND (disabled_at IS NOT NULL) <> $2 RETURNING 1 AS won`,
};

export function createAccountStore(database: Database): AccountStore {
  return {
    insert: (a, passwordHash) =>
      database.transaction(async (tx) => {
        const rows = await tx.query(INSERT, [
          a.id,
          a.username,
          a.nickname,
          a.sex,
          a.city,
          a.province,
          a.country,
          a.locale ?? null,
          a.picture,
        ]);
        if (rows.length === 0) return false;
        await tx.query(INSERT_PASSWORD, [a.id, passwordHash]);
        return true;
      }),
    async find(id) {
      const [row] = await database.query(FIND, [id]);
      return row && toAccount(row);
    },
    async findByUsername(username) {
      const [row] = await database.query(FIND_BY_USERNAME, [username]);
      return row && toAccount(row);
    },
    list: async () => (await database.query(LIST)).map(toAccount),
    setDisabled: async (id, disabled) => (await database.query(SET_DISABLED, [id, disabled])).length === 1,
  };
}

/** Of a row read here, or of the same row as JSON in a join. */
export function toAccount(row: Row): Account {
  return {
    id: row.id as string,
    username: row.username as string,
    nickname: row.nickname as string,
    sex: row.sex as Account['sex'],
    city: row.city as string,
    province: row.province as string,
    country: row.country as string,
    locale: (row.locale as string | null) ?? undefined,
    picture: row.picture as string,
    createdAt: new Date(row.created_at as Date | string),
    updatedAt: new Date(row.updated_at as Date | string),
    disabled: row.disabled_at !== null,
  };
}
