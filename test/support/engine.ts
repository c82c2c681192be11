/** The engine as the server builds it, on a test server's database, for what cannot be seen from outside. */
import type { Provider } from 'oidc-provider';
import { createEngine } from '../../src/engine/create-engine.js';
import { createRecordStore, type RecordStore } from '../../src/engine/record-store.js';
import { loadServerKeys } from '../../src/engine/server-keys.js';
import { createSubjects, type Subjects } from '../../src/engine/subjects.js';
import type { TestApp } from './start-app.js';

export interface TestEngine {
  readonly provider: Provider;
  readonly records: RecordStore;
  readonly subjects: Subjects;
}

export async function engineOf({ app, config }: TestApp): Promise<TestEngine> {
  const keys = await loadServerKeys(app.database);
  const records = createRecordStore(app.database);
  const subjects = createSubjects(keys.subject);
  const provider = createEngine({
    ...config,
    records,
    keys,
    subjects,
    findClient: (id) => app.clients.active(id),
    activeAccount: (id) => app.accounts.active(id),
    errorPage: () => {},
    onError: (error) => {
      throw error;
    },
  });
  return { provider, records, subjects };
}
