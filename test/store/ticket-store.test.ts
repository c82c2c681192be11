import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Database, openDatabase } from '../../src/database/database.js';
import { type PhoneIdentity, type Ticket, transition } from '../../src/ticket/ticket.js';
import {
  createTicketStore,
  type NewTicket,
  type TicketReading,
  type TicketStore,
} from '../../src/ticket/ticket-store.js';
import { createTestDatabase, type TestDatabase } from '../support/database.js';

const RACERS = 24;
const ANNA: PhoneIdentity = { accountId: 'anna', sessionId: 'anna-1' };

describe('the ticket store', () => {
  let files: TestDatabase;
  let databases: Database[];
  /** Two pools, as two nodes have. */
  let stores: [TicketStore, TicketStore];

  beforeAll(async () => {
    files = await createTestDatabase();
    databases = [openDatabase(files.url), openDatabase(files.url)];
    stores = databases.map(createTicketStore) as [TicketStore, TicketStore];
  });
  afterAll(async () => {
    await Promise.all(databases?.map((database) => database.close()) ?? []);
    await files?.drop();
  });

  const insert = (more: Partial<NewTicket> = {}) => {
    const id = randomUUID();
    return stores[0].insert({
      id,
      door: 'embed',
      requestUid: 'request',
      clientId: 'client',
      matchRequired: true,
      scanTokenHash: `scan ${id}`,
      waitSecretHash: `wait ${id}`,
      openedFrom: { address: '192.0.2.1', country: 'DE', browser: { name: 'Firefox', system: 'Linux' } },
      addressKey: '192.0.2.1',
      seconds: 120,
      requestEndsAt: new Date(Date.now() + 900_000),
      ...more,
    });
  };
  const find = async (id: string) => (await stores[1].find(id)) as TicketReading;
  const scanBy = ({ ticket, now }: TicketReading, by = ANNA) =>
    transition(ticket, { type: 'scan', by, scanGrantHash: `grant ${by.sessionId}`, matchCode: '42' }, now);
  const age = (id: string, by = '1 second') =>
    files.sql('UPDATE ticket SET expires_at = clock_timestamp() - $2::interval WHERE id = $1', [id, by]);
  /** The ticket moved on through the store, event by event. */
  const moved = async (id: string, ...steps: Array<(reading: TicketReading) => Ticket>) => {
    for (const step of steps) {
      const reading = await find(id);
      if (!(await stores[0].replace(step(reading), reading.ticket))) throw new Error('the store refused a legal step');
    }
    return find(id);
  };
  const confirm = ({ ticket, now }: TicketReading) =>
    transition(
      ticket,
      {
        type: 'confirm',
        by: ANNA,
        grantMatches: true,
        matchCodeMatches: true,
        subject: { accountId: 'anna', authTime: 1_893_456_000, amr: ['pwd', 'qr'] },
      },
      now,
    );
  const redeem = ({ ticket, now }: TicketReading) => transition(ticket, { type: 'redeem' }, now);
  const deny = ({ ticket, now }: TicketReading) =>
    transition(ticket, { type: 'deny', by: ANNA, grantMatches: true }, now);

  it('finds a ticket by id and by scan token, with the clock of the database', async () => {
    const { ticket, now } = await insert();
    expect(ticket).toMatchObject({
      status: 'pending',
      revision: 0,
      openedFrom: { address: '192.0.2.1', country: 'DE' },
    });
    expect(ticket.expiresAt.getTime() - ticket.createdAt.getTime()).toBe(120_000);
    expect(Math.abs(now.getTime() - ticket.createdAt.getTime())).toBeLessThan(5_000);
    expect((await stores[1].find(ticket.id))?.ticket).toEqual(ticket);
    expect((await stores[1].findByScanToken(ticket.scanTokenHash))?.ticket).toEqual(ticket);
    expect(await stores[0].find('unknown')).toBeUndefined();
    expect(await stores[0].findByScanToken(ticket.waitSecretHash)).toBeUndefined();
  });

  it('finds nothing for an id no ticket can have', async () => {
    expect(await stores[0].find('a\u0000b')).toBeUndefined();
    expect(await stores[0].find('\ud800')).toBeUndefined();
  });

  it('lets no ticket outlive its request', async () => {
    const requestEndsAt = new Date(Date.now() + 30_000);
    expect((await insert({ requestEndsAt })).ticket.expiresAt).toEqual(requestEndsAt);
  });

  it('reads back everything a sign-in writes', async () => {
    const { ticket } = await insert();
    const scanned = await moved(ticket.id, scanBy);
    expect(scanned.ticket).toMatchObject({
      status: 'scanned',
      scannedBy: ANNA,
      scanGrantHash: 'grant anna-1',
      matchCode: '42',
      revision: 1,
    });
    const { ticket: end } = await moved(ticket.id, confirm, redeem);
    expect(end).toMatchObject({
      status: 'redeemed',
      subject: { accountId: 'anna', authTime: 1_893_456_000, amr: ['pwd', 'qr'] },
      revision: 3,
      requestUid: 'request',
      clientId: 'client',
    });
    expect(end.endedAt).toBeInstanceOf(Date);
  });

  it('T5 lets exactly one of many callers at two nodes make the same move', async () => {
    for (let round = 0; round < 5; round += 1) {
      const { ticket } = await insert();
      const reading = await moved(ticket.id, scanBy, confirm);
      const next = redeem(reading);
      const won = await Promise.all(
        Array.from({ length: RACERS }, (_, i) => (stores[i % 2] as TicketStore).replace(next, reading.ticket)),
      );
      expect(won.filter(Boolean)).toHaveLength(1);
      expect((await find(ticket.id)).ticket).toMatchObject({ status: 'redeemed', revision: 3 });
    }
  });

  it('T7 binds a ticket to exactly one of many phones, the one that was told so', async () => {
    for (let round = 0; round < 5; round += 1) {
      const reading = await insert();
      const phones = Array.from({ length: RACERS }, (_, i) => ({
        accountId: `account ${i}`,
        sessionId: `session ${i}`,
      }));
      const won = await Promise.all(
        phones.map((by, i) => (stores[i % 2] as TicketStore).replace(scanBy(reading, by), reading.ticket)),
      );
      expect(won.filter(Boolean)).toHaveLength(1);
      const { ticket } = await find(reading.ticket.id);
      expect(ticket.scannedBy).toEqual(phones[won.indexOf(true)]);
      expect(ticket.scanGrantHash).toBe(`grant session ${won.indexOf(true)}`);
    }
  });

  it('refuses a move that was decided on an older revision of the same status', async () => {
    const { ticket } = await insert();
    const old = await moved(ticket.id, scanBy);
    await moved(ticket.id, scanBy);
    expect(await stores[0].replace(confirm(old), old.ticket)).toBe(false);
    expect((await find(ticket.id)).ticket.status).toBe('scanned');
  });

  it('T6 refuses every move of a ticket that expired after it was read', async () => {
    const pending = await insert();
    await age(pending.ticket.id);
    expect(await stores[0].replace(scanBy(pending), pending.ticket)).toBe(false);
    const other = await insert();
    const confirmed = await moved(other.ticket.id, scanBy, confirm);
    await age(other.ticket.id);
    expect(await stores[0].replace(redeem(confirmed), confirmed.ticket)).toBe(false);
    expect((await find(other.ticket.id)).ticket.status).toBe('confirmed');
  });

  it('T8 writes over no final status, whatever it is asked', async () => {
    const { ticket } = await insert();
    const { ticket: denied } = await moved(ticket.id, scanBy, deny);
    expect(denied).toMatchObject({ status: 'denied', deniedBecause: 'person' });
    for (const status of ['pending', 'scanned', 'confirmed', 'redeemed', 'cancelled'] as const) {
      expect(await stores[0].replace({ ...denied, status }, denied), status).toBe(false);
    }
    const { ticket: other } = await insert();
    const { ticket: redeemed } = await moved(other.id, scanBy, confirm, redeem);
    for (const status of ['confirmed', 'redeemed', 'denied', 'scanned'] as const) {
      expect(await stores[0].replace({ ...redeemed, status }, redeemed), status).toBe(false);
    }
  });

  it('lets a denied ticket take the handle its denial is told by, and changes nothing else', async () => {
    const { ticket } = await insert();
    const denied = await moved(ticket.id, scanBy, deny);
    const next = transition(denied.ticket, { type: 'delegate', continueHash: 'handle' }, denied.now);
    expect(await stores[0].replace(next, denied.ticket)).toBe(true);
    expect((await find(ticket.id)).ticket).toMatchObject({
      status: 'denied',
      continueHash: 'handle',
      deniedBecause: 'person',
    });
  });

  it('lets exactly one of many callers renew a ticket', async () => {
    const { ticket } = await insert();
    const won = await Promise.all(
      Array.from({ length: RACERS }, (_, i) => (stores[i % 2] as TicketStore).claimRenewal(ticket.id)),
    );
    expect(won.filter(Boolean)).toHaveLength(1);
    expect(await stores[0].claimRenewal('unknown')).toBe(false);
  });

  it('counts what one account did lately: scans of ten minutes, wrong match codes of an hour', async () => {
    const by = { accountId: 'counted', sessionId: 's' };
    const wrong = ({ ticket, now }: TicketReading): Ticket => ({
      ...ticket,
      status: 'denied',
      deniedBecause: 'match_code',
      endedAt: now,
    });
    for (let i = 0; i < 3; i += 1) await moved((await insert()).ticket.id, (reading) => scanBy(reading, by), wrong);
    await moved((await insert()).ticket.id, (reading) => scanBy(reading, by));
    expect(await stores[0].recentOf('counted')).toEqual({ scans: 4, mismatches: 3 });
    await files.sql(
      "UPDATE ticket SET scanned_at = scanned_at - interval '11 minutes' WHERE scanned_account = 'counted'",
    );
    expect(await stores[0].recentOf('counted')).toEqual({ scans: 0, mismatches: 3 });
    await files.sql(
      "UPDATE ticket SET scanned_at = scanned_at - interval '50 minutes' WHERE scanned_account = 'counted'",
    );
    expect(await stores[0].recentOf('counted')).toEqual({ scans: 0, mismatches: 0 });
    expect(await stores[0].recentOf('nobody')).toEqual({ scans: 0, mismatches: 0 });
  });

  it('sweeps what ended a day ago, and nothing younger', async () => {
    const [old, young] = [await insert(), await insert()];
    await age(old.ticket.id, '24 hours 1 minute');
    await age(young.ticket.id, '23 hours');
    expect(await stores[0].sweep()).toBe(1);
    expect(await stores[0].find(old.ticket.id)).toBeUndefined();
    expect(await stores[0].find(young.ticket.id)).toBeDefined();
  });
});
