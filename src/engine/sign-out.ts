/**
 * What a phone session takes with it when it ends: the browsers that it vouched for are signed out, and the sites they
 * were signed in at are told (OpenID Connect Back-Channel Logout 1.0).
 */
import type { Provider } from 'oidc-provider';
import type { BrowserSessionStore } from '../account/browser-session-store.js';
import type { Logger } from '../log.js';
import { type EndedSession, notifyLogout } from './backchannel.js';
import type { RecordStore } from './record-store.js';

export interface SignOut {
  /** Resolves when the browsers are signed out; the sites hear of it afterwards. */
  browsers(of: { phoneSessionId: string } | { accountId: string }): Promise<void>;
  /** Resolves when every site was told or given up on, some seconds at most. */
  settled(): Promise<void>;
}

export interface SignOutDeps {
  browserSessions: BrowserSessionStore;
  records: RecordStore;
  log: Pick<Logger, 'info' | 'warn'>;
}

export function createSignOut(engine: { provider(): Provider }, deps: SignOutDeps): SignOut {
  const underWay = new Set<Promise<void>>();
  const tell = (provider: Provider, ended: EndedSession) => {
    const told = notifyLogout(provider, ended, deps.log).finally(() => underWay.delete(told));
    underWay.add(told);
  };
  return {
    async browsers(of) {
      for (const uid of await deps.browserSessions.listOf(of)) {
        const provider = engine.provider();
        const session = await provider.Session.findByUid(uid);
        await deps.records.removeByUid('Session', uid);
        await deps.browserSessions.untie(uid);
        const { accountId, authorizations = {} } = session ?? {};
        if (!accountId) continue;
        for (const [clientId, { sid }] of Object.entries(authorizations)) {
          if (sid) tell(provider, { clientId, accountId, sid });
        }
      }
    },
    async settled() {
      await Promise.all(underWay);
    },
  };
}
