import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Database, openDatabase } from '../../src/database/database.js';
import type { Statement } from '../../src/database/statement.js';
import { createTestDatabase, type TestDatabase } from '../support/database.js';
import { until } from '../support/start-app.js';

const WHO: Statement = { name: 'test-who', text: 'SELECT pg_backend_pid() AS pid' };

describe('a transaction', () => {
  let files: TestDatabase;
  let database: Database;
  beforeAll(async () => {
    files = await createTestDatabase();
    database = openDatabase(files.url);
  });
  afterAll(async () => {
    await database?.close();
    await files?.drop();
  });

  it('whose connection is cut between two statements fails as an outage, and the process lives on', async () => {
    const work = database.transaction(async (tx) => {
      const [row] = await tx.query<{ pid: number }>(WHO);
      await files.sql('SELECT pg_terminate_backend($1)', [row?.pid]);
      const isGone = async () =>
        (await files.sql('SELECT 1 FROM pg_stat_activity WHERE pid = $1', [row?.pid])).length === 0;
      await until(isGone, 'the connection is still there');
      // The cut arrives while nobody waits for an answer on it.
      await new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
      return tx.query(WHO);
    });
    await expect(work).rejects.toMatchObject({ code: 'unavailable' });
    await expect(database.transaction((tx) => tx.query(WHO))).resolves.toHaveLength(1);
  });
});

describe('a connection that is cut in the very packet that opens it', () => {
  /** A message of the wire protocol. */
  const message = (type: string, body: Buffer) => {
    const head = Buffer.alloc(5);
    head.write(type);
    head.writeInt32BE(body.length + 4, 1);
    return Buffer.concat([head, body]);
  };
  const welcome = [message('R', Buffer.alloc(4)), message('Z', Buffer.from('I'))];
  const farewell = message('E', Buffer.from('SFATAL\0C57P01\0Mterminating connection\0\0'));

  it('is an outage to whoever asks by it, for a transaction and for LISTEN, and the process lives on', async () => {
    const server = createServer((socket) => {
      socket.on('error', () => {});
      socket.once('data', () => socket.end(Buffer.concat([...welcome, farewell])));
    });
    await once(server.listen(0, '127.0.0.1'), 'listening');
    const database = openDatabase(`postgres://a@127.0.0.1:${(server.address() as AddressInfo).port}/a`);
    try {
      await expect(database.transaction((tx) => tx.query(WHO))).rejects.toMatchObject({ code: 'unavailable' });
      const client = await database.connect();
      await expect(client.query('LISTEN a')).rejects.toThrow();
    } finally {
      await database.close();
      server.close();
    }
  });
});
