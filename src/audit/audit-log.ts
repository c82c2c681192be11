/** What was changed, by whom. Rows are added, never changed; no secret is ever among the details. */
import type { Database } from '../database/database.js';
import type { Statement } from '../database/statement.js';

export interface AuditLog {
  record(actor: string, action: string, target: string, detail?: Record<string, unknown>): Promise<void>;
}

const INSERT: Statement = {
  name: 'audit-insert',
  text: 'INSERT INTO audit_event (actor, action, target, detail) VALUES ($1, $2, $3, $4)',
};

export function createAuditLog(database: Database): AuditLog {
  return {
    async record(actor, action, target, detail = {}) {
      await database.query(INSERT, [actor, action, target, JSON.stringify(detail)]);
    },
  };
}
