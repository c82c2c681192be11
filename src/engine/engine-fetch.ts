/** The engine's `fetch`: its logout tokens go out by the one client for foreign URLs, and nothing else goes out at all (T60). */
import type { Configuration } from 'oidc-provider';
import { type Outgoing, OutgoingFailed } from '../outgoing/outgoing.js';

/** A form that is posted. Keys, sector lists, request objects and redirect targets would be fetched with GET. */
export function engineFetch(outgoing: Outgoing): NonNullable<Configuration['fetch']> {
  return async (url, { method, body } = {}) => {
    if (method !== 'POST' || !(body instanceof URLSearchParams)) {
      throw new OutgoingFailed(new Error(`the engine may only post forms, not ${method ?? 'GET'}`));
    }
    // The engine's own time limit is the client's; no redirect comes back, whatever `redirect` says.
    const { status } = await outgoing.post(String(url), Object.fromEntries(body));
    return new Response(null, { status });
  };
}
