/**
 * What was changed, by whom, from where. Rows are only ever added (T67); no secret is ever among the details. After 30 days
 * the address is forgotten, after a year the row (T74).
 */
import { AsyncLocalStorage } from 'node:async_hooks';
import type { Database } from '../database/database.js';
import type { Statement } from '../database/statement.js';

export interface AuditLog {
  record(actor: string, action: string, target: string, detail?: Record<string, unknown>): Promise<void>;
  /** Forgets what is old enough; returns how many rows that touched. */
  sweep(): Promise<number>;
}

const addresses = new AsyncLocalStorage<string>();

const INSERT: Statement = {
  name: 'audit-insert',
  text: 'INSERT INTO audit_event (actor, action, target, detail, address) VALUES ($1, $2, $3, $4, $5)',
};

const FORGET_ADDRESS: Statement = {
  name: 'audit-forget-address',
  text: `UPDATE audit_event SET address = NULL WHERE id IN (
           SELECT id FROM audit_event WHERE at < now() - interval '30 days' AND address IS NOT NULL LIMIT 1000)
         RETURNING 1 AS forgotten`,
};
const FORGET: Statement = {
  name: 'audit-forget',
  text: `DELETE FROM audit_event WHERE id IN (SELECT id FROM audit_event WHERE at < now() - interval '1 year' LIMIT 1000)
         RETURNING 1 AS forgotten`,
};

export function createAuditLog(database: Database): AuditLog {
  return {
    async record(actor, action, target, detail = {}) {
      const from = addresses.getStore() ?? null;
      await database.query(INSERT, [actor, action, target, JSON.stringify(detail), from]);
    },
    sweep: () =>
      database.transaction(async (tx) => (await tx.query(FORGET)).length + (await tx.query(FORGET_ADDRESS)).length),
  };
}

/** Everything that `work` records comes from this address. */
export function auditedFrom<T>(address: string, work: () => T): T {
  return addresses.run(address, work);
}
