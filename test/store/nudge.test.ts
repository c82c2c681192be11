import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type Database, openDatabase } from '../../src/database/database.js';
import { createNudge, type Nudge } from '../../src/ticket/nudge.js';
import { createTestDatabase, type TestDatabase } from '../support/database.js';
import { until } from '../support/start-app.js';
import { startWireProxy, type WireProxy } from '../support/wire-proxy.js';

/** Two nodes' ends of it; what each hears, `undefined` for "any may have moved". */
interface End {
  readonly nudge: Nudge;
  readonly heard: Array<string | undefined>;
  readonly errors: unknown[];
  close(): Promise<void>;
}

let test: TestDatabase;
let here: End;
let there: End;

async function openEnd(database: Database, askMs?: number): Promise<End> {
  const [heard, errors]: [Array<string | undefined>, unknown[]] = [[], []];
  const nudge = await createNudge(database, (error) => errors.push(error), askMs);
  nudge.subscribe((id) => heard.push(id));
  const close = async () => {
    await nudge.close();
    await database.close();
  };
  return { nudge, heard, errors, close };
}
const listeners = () =>
  test.sql<{ pid: number; asked: Date }>(
    `SELECT pid, query_start AS asked FROM pg_stat_activity
     WHERE datname = current_database() AND query LIKE 'LISTEN%'`,
  );

beforeAll(async () => {
  test = await createTestDatabase();
});
afterAll(() => test?.drop());

describe('nudges between two nodes', () => {
  beforeAll(async () => {
    [here, there] = [await openEnd(openDatabase(test.url)), await openEnd(openDatabase(test.url))];
  });
  afterAll(() => Promise.all([here?.close(), there?.close()]));
  afterEach(() => {
    for (const { heard, errors } of [here, there]) [heard.length, errors.length] = [0, 0];
  });

  it('reach the other node and our own, each ticket, however many move at once', async () => {
    const moved = Array.from({ length: 500 }, (_, i) => `ticket-${i}`);
    await Promise.all(moved.map((id) => here.nudge.publish(id)));
    for (const { heard } of [here, there]) {
      await until(() => heard.length >= moved.length, 'not all were heard of');
      expect([...heard].sort()).toEqual([...moved].sort());
    }
  });

  it('T75: go on after the connection was cut, and everything counts as moved meanwhile', async () => {
    const before = await listeners();
    expect(before).toHaveLength(2);
    await test.sql('SELECT pg_terminate_backend(pid) FROM unnest($1::int[]) AS lost (pid)', [
      before.map(({ pid }) => pid),
    ]);
    await until(() => there.errors.length > 0, 'nobody noticed');
    // Said by a node that can still reach the database, and heard by nobody.
    await here.nudge.publish('unheard');
    await until(() => there.heard.includes(undefined), 'the node does not listen again');
    await here.nudge.publish('heard');
    await until(() => there.heard.includes('heard'), 'what is said now is not heard');
    expect(await listeners()).toHaveLength(2);
  });
});

describe('a node', () => {
  let wire: WireProxy;
  beforeAll(async () => {
    const { port, searchParams } = new URL(test.url);
    const folder = searchParams.get('host');
    wire = await startWireProxy([folder ? `${folder}/.s.PGSQL.${port || 5432}` : Number(port || 5432)]);
  });
  afterAll(() => wire?.stop());
  const overTheWire = () => {
    const url = new URL(test.url);
    url.searchParams.delete('host');
    [url.hostname, url.port] = ['127.0.0.1', String(wire.port)];
    return openDatabase(url.href);
  };

  it('T75: finds out by itself that its connection is dead though nobody told it', async () => {
    const node = await openEnd(overTheWire(), 400);
    const [first] = await listeners();
    await until(async () => Number((await listeners())[0]?.asked) > Number(first?.asked), 'it never asks');
    // One that answers is left alone.
    expect(node.errors).toEqual([]);
    wire.set('silent');
    wire.set('up');
    await until(() => node.heard.includes(undefined), 'it waits for a dead connection');
    expect(node.errors).toEqual([new Error('the LISTEN connection does not answer')]);
    await node.nudge.publish('heard');
    await until(() => node.heard.includes('heard'), 'what is said now is not heard');
    await node.close();
  });

  it('says that a nudge failed and does not refuse the change it is about', async () => {
    const node = await openEnd(overTheWire());
    wire.backends = [];
    await node.nudge.publish('lost');
    expect(node.errors).toHaveLength(1);
    await node.close();
  });
});
