/** What was changed, by whom, from where. Rows are only ever added (T67); no secret is ever among the details. */
import { AsyncLocalStorage } from 'node:async_hooks';
import type { Database } from '../database/database.js';
import type { Statement } from '../database/statement.js';

export interface AuditLog {
  record(actor: string, action: string, target: string, detail?: Record<string, unknown>): Promise<void>;
}

const addresses = new AsyncLocalStorage<string>();

const INSERT: Statement = {
  name: 'audit-insert',
  text: 'INSERT INTO audit_event (actor, action, target, detail, address) VALUES ($1, $2, $3, $4, $5)',
};

export function createAuditLog(database: Database): AuditLog {
  return {
    async record(actor, action, target, detail = {}) {
      const from = addresses.getStore() ?? null;
      await database.query(INSERT, [actor, action, target, JSON.stringify(detail), from]);
    },
  };
}

/** Everything that `work` records comes from this address. */
export function auditedFrom<T>(address: string, work: () => T): T {
  return addresses.run(address, work);
}
