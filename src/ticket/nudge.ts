/** "This ticket moved", between nodes, by LISTEN/NOTIFY: a nudge, never the news. Listeners read the store again. */
import type { Database } from '../database/database.js';
import type { Statement } from '../database/statement.js';

export interface Nudge {
  publish(ticketId: string): Promise<void>;
  /** Calls `wake` after each nudge for this ticket, and after every reconnect. Returns how to stop. */
  subscribe(ticketId: string, wake: () => void): () => void;
  close(): Promise<void>;
}

const CHANNEL = 'qrconnect_ticket';
const NOTIFY: Statement = { name: 'ticket-notify', text: `SELECT pg_notify('${CHANNEL}', $1)` };
const RECONNECT_MS = 500;

/** One connection per node, whatever the number of waiters; it reconnects by itself and then wakes everyone. */
export async function createNudge(database: Database, onError: (error: unknown) => void): Promise<Nudge> {
  const waiters = new Map<string, Set<() => void>>();
  let closed = false;
  let retry: NodeJS.Timeout | undefined;
  let connection: Awaited<ReturnType<Database['connect']>> | undefined;

  const wakeAll = () => {
    for (const set of waiters.values()) for (const wake of set) wake();
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
    client.on('notification', ({ payload }) => {
      for (const wake of waiters.get(payload ?? '') ?? []) wake();
    });
    client.on('error', lost);
    client.on('end', () => lost(new Error('the LISTEN connection ended')));
    await client.query(`LISTEN ${CHANNEL}`);
    // Whatever happened while nobody listened is found by reading.
    wakeAll();
  };
  await listen().catch(lost);

  return {
    async publish(ticketId) {
      // The change is already committed; a waiter that misses this finds it at its next re-read.
      await database.query(NOTIFY, [ticketId]).catch(onError);
    },
    subscribe(ticketId, wake) {
      const set = waiters.get(ticketId) ?? new Set();
      waiters.set(ticketId, set.add(wake));
      return () => {
        set.delete(wake);
        if (set.size === 0 && waiters.get(ticketId) === set) waiters.delete(ticketId);
      };
    },
    async close() {
      closed = true;
      clearTimeout(retry);
      connection?.removeAllListeners();
      connection?.on('error', () => {});
      await connection?.end().catch(() => {});
    },
  };
}
