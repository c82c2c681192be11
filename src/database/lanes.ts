/**
 * A few connections that every single statement shares, pipelined: a statement is sent while others are still being
 * answered, and what one turn of the event loop sends goes out in one write. Each statement is still its own
 * transaction. Anything that holds a connection (transactions, LISTEN) or may take long uses the pool instead.
 */
import pg from 'pg';
import type { Row, Statement } from './statement.js';

export interface Lanes {
  query<R extends Row>(statement: Statement, values: unknown[]): Promise<R[]>;
  close(): Promise<void>;
}

/** Enough that a commit's wait for the disk on one does not stop the others. */
const LANES = 4;
/** Milliseconds after which an unanswered statement ends its connection: the server's own timeouts come first. */
const QUERY_TIMEOUT = 5_000;

export function openLanes(config: pg.ClientConfig, onError: (error: Error) => void): Lanes {
  const lanes: Array<Promise<pg.Client> | undefined> = Array(LANES).fill(undefined);
  let turn = 0;
  let closed = false;

  const open = (lane: number): Promise<pg.Client> => {
    const client = new pg.Client({ ...config, pipeline: true, query_timeout: QUERY_TIMEOUT } as pg.ClientConfig);
    const opening = client.connect().then(() => client);
    // The next statement on this lane opens a new connection.
    const drop = () => {
      if (lanes[lane] === opening) lanes[lane] = undefined;
    };
    client.on('error', (error) => {
      drop();
      if (!closed) onError(error);
    });
    client.on('end', drop);
    opening.catch(() => {
      drop();
      client.end().catch(() => {});
    });
    lanes[lane] = opening;
    return opening;
  };
  const take = (): Promise<pg.Client> => {
    turn = (turn + 1) % LANES;
    return lanes[turn] ?? open(turn);
  };

  return {
    async query<R extends Row>(statement: Statement, values: unknown[]) {
      if (closed) throw new Error('Client was closed and is not queryable');
      const client = await take();
      const { rows } = await client.query<R>({ name: statement.name, text: statement.text, values });
      return rows;
    },
    async close() {
      closed = true;
      await Promise.allSettled(lanes.map(async (lane) => (await lane)?.end()));
    },
  };
}
