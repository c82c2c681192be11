/** The keys every node shares, made once and kept in the database. */
import { exportJWK, generateKeyPair, type JWK } from 'jose';
import type { Database } from '../database/database.js';
import type { Statement } from '../database/statement.js';
import { newSecret } from '../secret.js';

export interface ServerKeys {
  /** Private JWKs; the first of an algorithm signs. */
  readonly signing: readonly JWK[];
  readonly cookie: string;
  /** Openids and union ids are made with it; it never changes, or every person would become a stranger. */
  readonly subject: string;
  readonly csrf: string;
}

const ALGORITHMS = ['RS256', 'ES256'] as const;
const INSERT: Statement = {
  name: 'server-key-insert',
  text: 'INSERT INTO server_key (id, purpose, material) VALUES ($1, $2, $3) ON CONFLICT (id) DO NOTHING',
};
const LIST: Statement = {
  name: 'server-key-list',
  text: 'SELECT id, purpose, material FROM server_key ORDER BY created_at, id',
};

/** Loads the keys, making what is missing. Nodes that start together all end with the keys of the first. */
export async function loadServerKeys(database: Database): Promise<ServerKeys> {
  const known = await list(database);
  const missing = (id: string) => !known.some((row) => row.id === id);
  for (const alg of ALGORITHMS) {
    if (missing(`sign-${alg}-1`)) await insert(database, `sign-${alg}-1`, 'sign', await newSigningKey(alg));
  }
  for (const purpose of ['cookie', 'subject', 'csrf'] as const) {
    if (missing(`${purpose}-1`)) await insert(database, `${purpose}-1`, purpose, { secret: newSecret() });
  }
  const rows = await list(database);
  const secret = (purpose: string) => {
    const found = rows.find((row) => row.purpose === purpose)?.material.secret;
    if (typeof found !== 'string') throw new Error(`the database holds no ${purpose} key`);
    return found;
  };
  return {
    signing: rows.filter((row) => row.purpose === 'sign').map((row) => row.material as JWK),
    cookie: secret('cookie'),
    subject: secret('subject'),
    csrf: secret('csrf'),
  };
}

async function newSigningKey(alg: (typeof ALGORITHMS)[number]): Promise<JWK> {
  const { privateKey } = await generateKeyPair(alg, { extractable: true });
  return { ...(await exportJWK(privateKey)), alg, use: 'sig', kid: newSecret(9) };
}

function list(database: Database) {
  return database.query<{ id: string; purpose: string; material: Record<string, unknown> }>(LIST);
}

async function insert(database: Database, id: string, purpose: string, material: object): Promise<void> {
  await database.query(INSERT, [id, purpose, JSON.stringify(material)]);
}
