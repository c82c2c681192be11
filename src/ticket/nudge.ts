/**
 * "These tickets moved", between nodes, by LISTEN/NOTIFY: a nudge, never the news. Listeners read the store again.
 * The one place that would change if a broker carried it instead.
 */
import type { Database } from '../database/database.js';
import type { Statement } from '../database/statement.js';

export interface Nudge {
  /** Resolves once the other nodes are being told. What is published meanwhile goes in one statement. */
  publish(ticketId: string): Promise<void>;
  /** Calls `wake` with each ticket that moved; with undefined when any may have: after the connection was lost. */
  subscribe(wake: (ticketId: string | undefined) => void): () => void;
  close(): Promise<void>;
}

const CHANNEL = 'qrconnect_ticket';
// A statement of its own, after the change: a commit that notifies waits for every other one that does.
const NOTIFY: Statement = {
  name: 'ticket-notify',
  text: `SELECT pg_notify('${CHANNEL}', moved.id) FROM unnest($1::text[]) AS moved (id)`,
};
const LISTEN = `LISTEN ${CHANNEL}`;
const RECONNECT_MS = 500;
/** A connection that a network has forgotten looks as if nothing happened; one that has not answered by the next time is dead. */
const ASK_MS = 10_000;

/** One connection per node, whatever the number of waiters; it reconnects by itself and then wakes everyone. */
export async function createNudge(
  database: Database,
  onError: (error: unknown) => void,
  askMs = ASK_MS,
): Promise<Nudge> {
  const listeners = new Set<(ticketId: string | undefined) => void>();
  let closed = false;
  let answered = true;
  let retry: NodeJS.Timeout | undefined;
  let connection: Awaited<ReturnType<Database['connect']>> | undefined;

  const tell = (ticketId: string | undefined) => {
    for (const wake of listeners) wake(ticketId);
  };
  const lost = (error: unknown) => {
    if (closed || retry) return;
    connection?.removeAllListeners();
    // The dead connection may still emit; without a listener that would end the process.
    connection?.on('error', () => {});
    connection?.end().catch(() => {});
    connection = undefined;
    onError(error);
    retry = setTimeout(() => {
      retry = undefined;
      listen().catch(lost);
    }, RECONNECT_MS);
    retry.unref();
  };
  const listen = async () => {
    const client = await database.connect();
    if (closed) return void (await client.end());
    connection = client;
    answered = true;
    client.on('notification', ({ payload }) => tell(payload ?? ''));
    client.on('error', lost);
    client.on('end', () => lost(new Error('the LISTEN connection ended')));
    await client.query(LISTEN);
    // Whatever happened while nobody listened is found by reading.
    tell(undefined);
  };
  await listen().catch(lost);
  const asking = setInterval(() => {
    if (!connection) return;
    if (!answered) return lost(new Error('the LISTEN connection does not answer'));
    answered = false;
    const answer = () => {
      answered = true;
    };
    // Said again it changes nothing. A connection that breaks is the business of its own events.
    connection.query(LISTEN).then(answer, () => {});
  }, askMs).unref();

  return {
    publish: inBatches(async (ticketIds) => {
      // The change is already committed; a waiter that misses this finds it at its next re-read.
      await database.query(NOTIFY, [ticketIds]).catch(onError);
    }),
    subscribe(wake) {
      listeners.add(wake);
      return () => listeners.delete(wake);
    },
    async close() {
      closed = true;
      clearTimeout(retry);
      clearInterval(asking);
      connection?.removeAllListeners();
      connection?.on('error', () => {});
      await connection?.end().catch(() => {});
    },
  };
}

/** One call at a time; what comes while it is under way goes together in the next. */
function inBatches(send: (ids: string[]) => Promise<void>): (id: string) => Promise<void> {
  let waiting = new Set<string>();
  let next: Promise<void> | undefined;
  let current: Promise<void> = Promise.resolve();
  return (id) => {
    waiting.add(id);
    next ??= current.then(() => {
      const batch = [...waiting];
      waiting = new Set();
      next = undefined;
      current = send(batch);
      return current;
    });
    return next;
  };
}
