/** The tickets' rows. Time is the database's; every change is one conditional UPDATE. */
import type { Database } from '../database/database.js';
import type { Row, Statement } from '../database/statement.js';
import type { OpenedFrom, Subject, Ticket, TicketDoor, TicketStatus } from './ticket.js';

/** A ticket with the database's clock at the moment it was read. */
export interface TicketReading {
  readonly ticket: Ticket;
  readonly now: Date;
}

/** What the caller chooses of a new ticket; the database's clock sets the rest. */
export interface NewTicket {
  readonly id: string;
  readonly door: TicketDoor;
  readonly requestUid: string;
  readonly clientId: string;
  readonly matchRequired: boolean;
  readonly scanTokenHash: string;
  readonly waitSecretHash: string;
  readonly openedFrom: OpenedFrom;
  readonly addressKey: string | undefined;
  readonly seconds: number;
  readonly requestEndsAt: Date;
}

/** What those who watch a ticket need of it. */
export interface TicketNews {
  readonly ticket: Pick<Ticket, 'id' | 'revision' | 'status' | 'matchCode' | 'expiresAt'>;
  readonly now: Date;
}

export interface TicketStore {
  insert(ticket: NewTicket): Promise<TicketReading>;
  find(id: string): Promise<TicketReading | undefined>;
  findByScanToken(hash: string): Promise<TicketReading | undefined>;
  /** Of these tickets, the ones that have another revision by now or whose time is over; in one statement. */
  newsOf(known: ReadonlyArray<Pick<Ticket, 'id' | 'revision'>>): Promise<TicketNews[]>;
  /** True for exactly one caller: the one that read this revision, in time. */
  replace(next: Ticket, expected: Ticket): Promise<boolean>;
  /** Cancels what is still unconfirmed of one request's tickets; returns their ids. */
  cancelLive(requestUid: string): Promise<string[]>;
  /** Cancels what nobody has scanned of these requests' tickets, but for the `keep` latest; returns their ids. */
  cancelOldest(requestUids: readonly string[], keep: number): Promise<string[]>;
  /** Expires what this account's phones have scanned or allowed and nobody has collected. */
  expireOf(accountId: string): Promise<void>;
  /** Every ticket of this client that could still become something, whoever has scanned it or not. */
  expireOfClient(clientId: string): Promise<void>;
  /** Marks a ticket as followed by a fresh one. True for exactly one caller. */
  claimRenewal(id: string): Promise<boolean>;
  /** What this account's phone did lately: scans in ten minutes, wrong match codes in an hour. */
  recentOf(accountId: string): Promise<{ scans: number; mismatches: number }>;
  /** Deletes tickets that ended a day ago; returns how many. */
  sweep(): Promise<number>;
}

const COLUMNS = `id, revision, door, request_uid, client_id, match_required, status, scan_token_hash, wait_secret_hash,
  scan_grant_hash, continue_hash, match_code, opened_from, address_key, scanned_account, scanned_session, denied_because, subject,
  created_at, scanned_at, ended_at, expires_at, request_ends_at, clock_timestamp() AS now`;

const INSERT: Statement = {
  name: 'ticket-insert',
  text: `INSERT INTO ticket (id, door, request_uid, client_id, match_required, status, scan_token_hash, wait_secret_hash,
           opened_from, created_at, expires_at, request_ends_at, address_key)
         VALUES ($1, $2, $3, $4, $5, 'pending', $6, $7, $8, now(), LEAST(now() + make_interval(secs => $9), $10), $10, $11)
         RETURNING ${COLUMNS}`,
};
const FIND: Statement = { name: 'ticket-find', text: `SELECT ${COLUMNS} FROM ticket WHERE id = $1` };
const FIND_BY_SCAN_TOKEN: Statement = {
  name: 'ticket-find-scan',
  text: `SELECT ${COLUMNS} FROM ticket WHERE scan_token_hash = $1`,
};
const NEWS: Statement = {
  name: 'ticket-news',
  text: `SELECT id, ticket.revision, status, match_code, expires_at, clock_timestamp() AS now
         FROM unnest($1::text[], $2::int[]) AS known (id, revision) JOIN ticket USING (id)
         WHERE ticket.revision <> known.revision OR expires_at <= clock_timestamp()`,
};
// A denied ticket may still take the address its denial is handed over by; nothing else final ever changes.
const REPLACE: Statement = {
  name: 'ticket-replace',
  text: `UPDATE ticket SET revision = revision + 1, status = $4, scan_grant_hash = $5, continue_hash = $6, match_code = $7,
           scanned_account = $8, scanned_session = $9, denied_because = $10, subject = $11, scanned_at = $12, ended_at = $13,
           expires_at = $14
         WHERE id = $1 AND revision = $2 AND status = $3 AND expires_at > clock_timestamp()
           AND (status IN ('pending', 'scanned', 'confirmed') OR (status = 'denied' AND $4 = 'denied'))
         RETURNING 1 AS won`,
};
const CANCEL_LIVE: Statement = {
  name: 'ticket-cancel-live',
  text: `UPDATE ticket SET revision = revision + 1, status = 'cancelled', ended_at = clock_timestamp()
         WHERE request_uid = $1 AND status IN ('pending', 'scanned') AND expires_at > clock_timestamp() RETURNING id`,
};
const CANCEL_OLDEST: Statement = {
  name: 'ticket-cancel-oldest',
  text: `UPDATE ticket SET revision = revision + 1, status = 'cancelled', ended_at = clock_timestamp()
         WHERE status = 'pending' AND id IN
           (SELECT id FROM ticket WHERE request_uid = ANY($1) AND status = 'pending' AND expires_at > clock_timestamp()
            ORDER BY created_at DESC OFFSET $2) RETURNING id`,
};
const EXPIRE_OF: Statement = {
  name: 'ticket-expire-of',
  text: `UPDATE ticket SET revision = revision + 1, expires_at = clock_timestamp()
         WHERE scanned_account = $1 AND status IN ('scanned', 'confirmed') AND expires_at > clock_timestamp()`,
};
const EXPIRE_OF_CLIENT: Statement = {
  name: 'ticket-expire-of-client',
  text: `UPDATE ticket SET revision = revision + 1, expires_at = clock_timestamp()
         WHERE client_id = $1 AND status IN ('pending', 'scanned', 'confirmed') AND expires_at > clock_timestamp()`,
};
const CLAIM_RENEWAL: Statement = {
  name: 'ticket-claim-renewal',
  text: 'UPDATE ticket SET renewed_at = now() WHERE id = $1 AND renewed_at IS NULL RETURNING 1 AS won',
};
const RECENT: Statement = {
  name: 'ticket-recent',
  text: `SELECT count(*) FILTER (WHERE scanned_at > now() - interval '10 minutes')::int AS scans,
           count(*) FILTER (WHERE denied_because = 'match_code')::int AS mismatches
         FROM ticket WHERE scanned_account = $1 AND scanned_at > now() - interval '1 hour'`,
};
const SWEEP: Statement = {
  name: 'ticket-sweep',
  text: `DELETE FROM ticket WHERE id IN
           (SELECT id FROM ticket WHERE expires_at < now() - interval '24 hours' LIMIT 1000) RETURNING 1 AS swept`,
};

export function createTicketStore(database: Database): TicketStore {
  const readOne = async (statement: Statement, values: unknown[]) => {
    const [row] = await database.query(statement, values);
    return row && toReading(row);
  };
  return {
    async insert(t) {
      const reading = await readOne(INSERT, [
        t.id,
        t.door,
        t.requestUid,
        t.clientId,
        t.matchRequired,
        t.scanTokenHash,
        t.waitSecretHash,
        JSON.stringify(t.openedFrom),
        t.seconds,
        t.requestEndsAt,
        t.addressKey ?? null,
      ]);
      return reading as TicketReading;
    },
    // No text in the database holds a NUL; Postgres would refuse the question, and that is no answer to a stranger.
    find: async (id) => (id.includes('\0') ? undefined : readOne(FIND, [id])),
    findByScanToken: (hash) => readOne(FIND_BY_SCAN_TOKEN, [hash]),
    async newsOf(known) {
      const rows = await database.query(NEWS, [known.map(({ id }) => id), known.map(({ revision }) => revision)]);
      return rows.map((row) => ({
        ticket: {
          id: row.id as string,
          revision: row.revision as number,
          status: row.status as TicketStatus,
          matchCode: (row.match_code as string | null) ?? undefined,
          expiresAt: row.expires_at as Date,
        },
        now: row.now as Date,
      }));
    },
    async replace(next, expected) {
      const rows = await database.query(REPLACE, [
        expected.id,
        expected.revision,
        expected.status,
        next.status,
        next.scanGrantHash ?? null,
        next.continueHash ?? null,
        next.matchCode ?? null,
        next.scannedBy?.accountId ?? null,
        next.scannedBy?.sessionId ?? null,
        next.deniedBecause ?? null,
        next.subject ? JSON.stringify(next.subject) : null,
        next.scannedAt ?? null,
        next.endedAt ?? null,
        next.expiresAt,
      ]);
      return rows.length === 1;
    },
    cancelLive: async (requestUid) =>
      (await database.query<{ id: string }>(CANCEL_LIVE, [requestUid])).map(({ id }) => id),
    cancelOldest: async (requestUids, keep) =>
      (await database.query<{ id: string }>(CANCEL_OLDEST, [requestUids, keep])).map(({ id }) => id),
    async expireOf(accountId) {
      await database.query(EXPIRE_OF, [accountId]);
    },
    async expireOfClient(clientId) {
      await database.query(EXPIRE_OF_CLIENT, [clientId]);
    },
    claimRenewal: async (id) => (await database.query(CLAIM_RENEWAL, [id])).length === 1,
    async recentOf(accountId) {
      const [row] = await database.query<{ scans: number; mismatches: number }>(RECENT, [accountId]);
      return row ?? { scans: 0, mismatches: 0 };
    },
    sweep: () => database.transaction(async (tx) => (await tx.query(SWEEP)).length),
  };
}

function toReading(row: Row): TicketReading {
  const optional = <T>(value: unknown) => (value === null ? undefined : (value as T));
  const ticket: Ticket = {
    id: row.id as string,
    revision: row.revision as number,
    door: row.door as TicketDoor,
    requestUid: row.request_uid as string,
    clientId: row.client_id as string,
    matchRequired: row.match_required as boolean,
    status: row.status as TicketStatus,
    scanTokenHash: row.scan_token_hash as string,
    waitSecretHash: row.wait_secret_hash as string,
    scanGrantHash: optional(row.scan_grant_hash),
    continueHash: optional(row.continue_hash),
    matchCode: optional(row.match_code),
    openedFrom: row.opened_from as OpenedFrom,
    addressKey: optional(row.address_key),
    scannedBy: row.scanned_account
      ? { accountId: row.scanned_account as string, sessionId: row.scanned_session as string }
      : undefined,
    deniedBecause: optional(row.denied_because),
    subject: optional<Subject>(row.subject),
    createdAt: row.created_at as Date,
    scannedAt: optional(row.scanned_at),
    endedAt: optional(row.ended_at),
    expiresAt: row.expires_at as Date,
    requestEndsAt: row.request_ends_at as Date,
  };
  return { ticket, now: row.now as Date };
}
