/** Tells a site that a person's session ended (OpenID Connect Back-Channel Logout 1.0), by the engine's own logout token. */
import { setTimeout as pause } from 'node:timers/promises';
import type { Provider } from 'oidc-provider';
import type { Logger } from '../log.js';

export interface EndedSession {
  clientId: string;
  /** The account; the engine makes the client's pairwise subject of it. */
  accountId: string;
  /** As in the ID tokens of the session. */
  sid: string;
}

type Log = Pick<Logger, 'info' | 'warn'>;

const TRIES = 2;
const PAUSE_MS = 1_000;
const TOLD = 'a site was told of a logout';
const NOT_TOLD = 'a site could not be told of a logout';

/** Not in the engine's types. */
interface NotifiedClient {
  readonly backchannelLogoutUri?: string;
  backchannelLogout(accountId: string, sid: string): Promise<void>;
}

/**
 * Never throws: the session has ended, whether or not the site hears of it. Each try carries a token of its own. A site
 * that is unknown, disabled or did not ask to be told is left alone.
 */
export async function notifyLogout(provider: Provider, ended: EndedSession, log: Log): Promise<void> {
  const { clientId, accountId, sid } = ended;
  for (let tries = 1; tries <= TRIES; tries += 1) {
    try {
      const client = (await provider.Client.find(clientId)) as NotifiedClient | undefined;
      if (!client?.backchannelLogoutUri) return;
      await client.backchannelLogout(accountId, sid);
      log.info({ client: clientId, tries }, TOLD);
      return;
    } catch (error) {
      const refusal = statusOf(error);
      // A site in trouble, or nothing delivered, may pass; a refusal would be the same again.
      if (tries === TRIES || (refusal !== undefined && refusal < 500)) {
        log.warn({ client: clientId, tries, ...reasonOf(error) }, NOT_TOLD);
        return;
      }
      // Time for a site's server to change places; a process that ends does not wait for it.
      await pause(PAUSE_MS, undefined, { ref: false });
    }
  }
}

/** Logs the same of the logout tokens that the engine sends by itself when a browser signs out. */
export function logLogoutTokens(provider: Provider, log: Log): void {
  provider.on('backchannel.success', (_ctx, { clientId }) => log.info({ client: clientId, tries: 1 }, TOLD));
  provider.on('backchannel.error', (_ctx, error, { clientId }) =>
    log.warn({ client: clientId, tries: 1, ...reasonOf(error) }, NOT_TOLD),
  );
}

/** Of an answer that is not 200 or 204. */
function statusOf(error: unknown): number | undefined {
  return (error as { response?: Response } | undefined)?.response?.status;
}

/** The engine's message about a status holds the site's whole URL, which is not ours to log (T86). */
function reasonOf(error: unknown): { status: number } | { err: unknown } {
  const status = statusOf(error);
  return status === undefined ? { err: error } : { status };
}
