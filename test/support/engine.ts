/** The engine as the server builds it, on a test server's database, for what cannot be seen from outside. */
import type { Provider } from 'oidc-provider';
import { createBrowserSessionStore } from '../../src/account/browser-session-store.js';
import { createEngine } from '../../src/engine/create-engine.js';
import { engineFetch } from '../../src/engine/engine-fetch.js';
import { createRecordStore, type RecordStore } from '../../src/engine/record-store.js';
import { createSubjects, type Subjects } from '../../src/engine/subjects.js';
import { createOutgoing } from '../../src/outgoing/outgoing.js';
import type { TestApp } from './start-app.js';

export interface TestEngine {
  readonly provider: Provider;
  readonly records: RecordStore;
  readonly subjects: Subjects;
}

export async function engineOf({ app, config }: TestApp): Promise<TestEngine> {
  const keys = app.ring.current();
  const records = createRecordStore(app.database);
  const subjects = createSubjects(keys.subject);
  const provider = createEngine({
    ...config,
    records,
    keys,
    subjects,
    findClient: (id) => app.clients.active(id),
    activeAccount: (id) => app.accounts.active(id),
    browserSessions: createBrowserSessionStore(app.database),
    findResource: (identifier) => app.resources.find(identifier),
    logoutPages: { logoutSource() {}, postLogoutSuccessSource() {} },
    fetch: engineFetch(createOutgoing({ allowLoopback: true })),
    certificates: false,
    log: { info() {}, warn() {} },
    errorPage: () => {},
    onRefused: () => {},
    onError: (error) => {
      throw error;
    },
  });
  return { provider, records, subjects };
}
