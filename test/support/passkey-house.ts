/** Administrators with passkeys on a test's database: the service, and people with authenticators in software. */
import { randomUUID } from 'node:crypto';
import { AdministratorPasskeys } from '../../src/administrator/administrator-passkeys.js';
import { createPasskeyStore } from '../../src/administrator/passkey-store.js';
import { createAuditLog } from '../../src/audit/audit-log.js';
import { type Database, openDatabase } from '../../src/database/database.js';
import { createTestDatabase, type TestDatabase } from './database.js';
import { type RegistrationLie, SoftwareAuthenticator } from './software-authenticator.js';

export const ORIGIN = 'https://id.example';

export interface PasskeyHouse {
  readonly database: TestDatabase;
  readonly pool: Database;
  readonly passkeys: AdministratorPasskeys;
  /** Since they were last forgotten: what was written down stays. */
  audits(): Promise<{ actor: string; action: string; target: string; detail: Record<string, unknown> }[]>;
  forgetAudits(): Promise<void>;
  stop(): Promise<void>;
}

export interface Holder {
  readonly administratorId: string;
  readonly sessionId: string;
  readonly username: string;
}

export async function passkeyHouse(publicUrl = ORIGIN): Promise<PasskeyHouse> {
  const database = await createTestDatabase();
  const pool = openDatabase(database.url);
  const { record: audit } = createAuditLog(pool);
  let known = '0';
  return {
    database,
    pool,
    passkeys: new AdministratorPasskeys({ store: createPasskeyStore(pool), publicUrl, audit }),
    audits: () =>
      database.sql('SELECT actor, action, target, detail FROM audit_event WHERE id > $1 ORDER BY id', [known]),
    async forgetAudits() {
      const [row] = await database.sql<{ last: string }>('SELECT coalesce(max(id), 0) AS last FROM audit_event');
      known = row?.last ?? '0';
    },
    async stop() {
      await pool.close();
      await database.drop();
    },
  };
}

/** A new administrator in a session that may add as many passkeys as there may be. */
export async function newHolder({ sql }: TestDatabase): Promise<Holder> {
  const administratorId = randomUUID();
  const username = `admin-${administratorId}`;
  await sql("INSERT INTO administrator (id, username, password_hash) VALUES ($1, $2, 'hash')", [
    administratorId,
    username,
  ]);
  const sessionId = randomUUID();
  await sql(
    "INSERT INTO administrator_session (id, secret_hash, administrator_id, method) VALUES ($1, $1, $2, 'passkey')",
    [sessionId, administratorId],
  );
  return { administratorId, sessionId, username };
}

/** A new administrator with one passkey. */
export async function enrol(house: PasskeyHouse, lie: RegistrationLie & { counts?: boolean } = {}) {
  const holder = await newHolder(house.database);
  const device = new SoftwareAuthenticator(ORIGIN, lie);
  const response = device.register(await house.passkeys.beginRegistration(holder), lie);
  const passkey = await house.passkeys.finishRegistration({ ...holder, name: 'laptop', response });
  return { holder, device, passkey };
}
