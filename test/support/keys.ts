/** The server's keys on a test's database: services as nodes have them, and rows moved back in time. */
import { createAuditLog } from '../../src/audit/audit-log.js';
import type { Database } from '../../src/database/database.js';
import { KeyService } from '../../src/key/key-service.js';
import { createKeyStore } from '../../src/key/key-store.js';
import { createSeal } from '../../src/key/seal.js';
import type { TestDatabase } from './database.js';

export function keyService(database: Database, secret?: string): KeyService {
  const { record: audit } = createAuditLog(database);
  return new KeyService({ store: createKeyStore(database), seal: createSeal(secret), audit });
}

/** As if `hours` had passed since everything that happened to the keys. */
export async function ageKeys({ sql }: TestDatabase, hours: number): Promise<void> {
  await sql(
    `UPDATE server_key SET created_at = created_at - make_interval(secs => $1::float8 * 3600),
       signs_at = signs_at - make_interval(secs => $1::float8 * 3600),
       ends_at = ends_at - make_interval(secs => $1::float8 * 3600)`,
    [hours],
  );
}
