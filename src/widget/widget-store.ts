/** The rows of widget builds: every one that was ever served, so that a site that pinned it goes on. */
import type { Database } from '../database/database.js';
import type { Statement } from '../database/statement.js';
import { BUILD_FILES, type BuildFile, type WidgetBuild } from './widget-build.js';

export interface KeptBuild {
  readonly name: string;
  readonly firstServedAt: Date;
  readonly withdrawnAt: Date | undefined;
}

export interface WidgetStore {
  /** Adds what is missing; never changes what is there. */
  keep(build: WidgetBuild): Promise<void>;
  find(name: string, file: BuildFile): Promise<{ body: Buffer; withdrawn: boolean } | undefined>;
  /** The newest first. */
  list(): Promise<KeptBuild[]>;
  /** False when there is no such build, or it is so already. */
  withdraw(name: string): Promise<boolean>;
  restore(name: string): Promise<boolean>;
}

const KEEP: Statement = {
  name: 'widget-build-keep',
  text: `INSERT INTO widget_build (build, file, body)
         SELECT $1, file, body FROM unnest($2::text[], $3::bytea[]) AS build (file, body)
         ON CONFLICT DO NOTHING`,
};
const FIND: Statement = {
  name: 'widget-build-find',
  text: 'SELECT body, withdrawn_at FROM widget_build WHERE build = $1 AND file = $2',
};
const LIST: Statement = {
  name: 'widget-build-list',
  text: `SELECT build, min(first_served_at) AS first_served_at, max(withdrawn_at) AS withdrawn_at
         FROM widget_build GROUP BY build ORDER BY 2 DESC, 1`,
};
const WITHDRAW: Statement = {
  name: 'widget-build-withdraw',
  text: 'UPDATE widget_build SET withdrawn_at = now() WHERE build = $1 AND withdrawn_at IS NULL RETURNING 1 AS done',
};
const RESTORE: Statement = {
  name: 'widget-build-restore',
  text: 'UPDATE widget_build SET withdrawn_at = NULL WHERE build = $1 AND withdrawn_at IS NOT NULL RETURNING 1 AS done',
};

export function createWidgetStore(database: Database): WidgetStore {
  return {
    async keep({ name, files }) {
      await database.query(KEEP, [name, BUILD_FILES, BUILD_FILES.map((file) => files[file])]);
    },
    async find(name, file) {
      const [row] = await database.query<{ body: Buffer; withdrawn_at: Date | null }>(FIND, [name, file]);
      return row && { body: row.body, withdrawn: row.withdrawn_at !== null };
    },
    async list() {
      const rows = await database.query<{ build: string; first_served_at: Date; withdrawn_at: Date | null }>(LIST);
      return rows.map((row) => ({
        name: row.build,
        firstServedAt: row.first_served_at,
        withdrawnAt: row.withdrawn_at ?? undefined,
      }));
    },
    withdraw: async (name) => (await database.query(WITHDRAW, [name])).length > 0,
    restore: async (name) => (await database.query(RESTORE, [name])).length > 0,
  };
}
