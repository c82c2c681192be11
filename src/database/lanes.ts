/**
 * A few connections that every single statement shares, pipelined: a statement is sent while others are still being
 * answered. Each statement is still its own transaction. Anything that holds a connection (transactions, LISTEN) or may
 * take long uses the pool instead.
 */
import pg from 'pg';
import type { Row, Statement } from './statement.js';

export interface Lanes {
  query<R extends Row>(statement: Statement, values: unknown[]): Promise<R[]>;
  close(): Promise<void>;
}

export interface LaneHooks {
  /** An idle connection broke; the next statement opens another. */
  onError: (error: Error) => void;
  /** What a failed statement is told as. */
  meaningOf: (error: unknown) => unknown;
}

interface Lane {
  readonly opening: Promise<pg.Client>;
  /** Set once it is open. */
  client?: pg.Client;
}

/** Enough that a commit's wait for the disk on one does not stop the others. */
const LANES = 4;
/** Milliseconds after which an unanswered statement ends its connection: the server's own timeouts come first. */
const QUERY_TIMEOUT = 5_000;

export function openLanes(config: pg.ClientConfig, { onError, meaningOf }: LaneHooks): Lanes {
  const lanes: Array<Lane | undefined> = Array(LANES).fill(undefined);
  let turn = 0;
  let closed = false;

  const open = (index: number): Lane => {
    const client = new pg.Client({ ...config, pipeline: true, query_timeout: QUERY_TIMEOUT } as pg.ClientConfig);
    const lane: Lane = {
      opening: client.connect().then(() => {
        lane.client = client;
        return client;
      }),
    };
    // The next statement on this lane opens a new connection.
    const drop = () => {
      if (lanes[index] === lane) lanes[index] = undefined;
    };
    client.on('error', (error) => {
      drop();
      if (!closed) onError(error);
    });
    client.on('end', drop);
    lane.opening.catch(() => {
      drop();
      client.end().catch(() => {});
    });
    lanes[index] = lane;
    return lane;
  };

  return {
    // One promise a statement, by callback: under async hooks each further one costs more than the call.
    query<R extends Row>(statement: Statement, values: unknown[]) {
      return new Promise<R[]>((resolve, reject) => {
        const send = (client: pg.Client) =>
          client.query<R>({ name: statement.name, text: statement.text, values }, (error: Error | null, result) =>
            error ? reject(meaningOf(error)) : resolve(result.rows),
          );
        if (closed) return reject(meaningOf(new Error('Client was closed and is not queryable')));
        turn = (turn + 1) % LANES;
        const lane = lanes[turn] ?? open(turn);
        if (lane.client) send(lane.client);
        else lane.opening.then(send).catch((error: unknown) => reject(meaningOf(error)));
      });
    },
    async close() {
      closed = true;
      await Promise.allSettled(lanes.map(async (lane) => (await lane?.opening)?.end()));
    },
  };
}
