/** How many tickets are open, counted by the database for all nodes together (T76). */
import type { Database } from '../database/database.js';
import type { Statement } from '../database/statement.js';

/** Tickets whose time is not over: what is cancelled still counts, or opening and cancelling would fill the table. */
export interface OpenTickets {
  readonly taken: number;
  /** Until the first of them ends; 0 when there are none. */
  readonly seconds: number;
}

export interface TicketCapStore {
  /** Counts to `most` and no further; under the address itself. */
  ofAddress(addressKey: string, most: number): Promise<ReadonlyMap<string, OpenTickets>>;
  /** Under the clients' ids. */
  ofClients(): Promise<ReadonlyMap<string, OpenTickets>>;
}

const SECONDS = `COALESCE(ceil(extract(epoch FROM min(expires_at) - clock_timestamp())), 0)::int AS seconds`;
const OF_ADDRESS: Statement = {
  name: 'ticket-cap-address',
  text: `SELECT count(*)::int AS taken, ${SECONDS} FROM
           (SELECT expires_at FROM ticket WHERE address_key = $1 AND expires_at > now()
            ORDER BY expires_at LIMIT $2) AS open`,
};
const OF_CLIENTS: Statement = {
  name: 'ticket-cap-clients',
  text: `SELECT client_id, count(*)::int AS taken, ${SECONDS} FROM ticket
         WHERE expires_at > now() GROUP BY client_id`,
};

export function createTicketCapStore(database: Database): TicketCapStore {
  return {
    async ofAddress(addressKey, most) {
      const rows = await database.query<{ taken: number; seconds: number }>(OF_ADDRESS, [addressKey, most]);
      return new Map(rows.map((open) => [addressKey, open]));
    },
    async ofClients() {
      const rows = await database.query<{ client_id: string; taken: number; seconds: number }>(OF_CLIENTS);
      return new Map(rows.map(({ client_id: id, taken, seconds }) => [id, { taken, seconds }]));
    },
  };
}
