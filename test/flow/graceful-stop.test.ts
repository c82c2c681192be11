import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createTestDatabase } from '../support/database.js';
import { openPage } from '../support/page.js';
import { wechatSite } from '../support/relying-party.js';
import { type Node, startApp, startNode, type TestApp } from '../support/start-app.js';

let server: TestApp;
let node: Node;

beforeAll(async () => {
  server = await startApp();
  node = await startNode({ databaseUrl: server.database.url, publicUrl: server.url });
});
afterAll(async () => {
  await node?.stop();
  await server?.stop();
});

it('answers a held poll when it is told to stop, and ends with status 0', async () => {
  const site = await wechatSite(server.app, server);
  const page = await openPage({ url: server.url, port: node.port }, site.request());
  const held = page.status('?wait=25&seen=pending');
  // Connections are taken in order: once this later one is answered, the held one has been received.
  await page.status();
  const ended = once(node.process, 'exit');
  let stopped = false;
  const answer = held.then((value) => {
    expect(stopped).toBe(true);
    return value;
  });
  stopped = node.process.kill('SIGTERM');
  expect((await answer).json()).toMatchObject({ status: 'pending' });
  expect((await ended)[0]).toBe(0);
});

it('ends though the database has fallen silent, and says no goodbye', async () => {
  const database = await createTestDatabase();
  const url = new URL(database.url);
  const folder = url.searchParams.get('host');
  const where = folder
    ? { path: `${folder}/.s.PGSQL.${url.port}` }
    : { host: url.hostname, port: Number(url.port || 5432) };
  const sockets: Socket[] = [];
  let isSilent = false;
  const proxy = createServer({ allowHalfOpen: true }, (front) => {
    const back = connect(where);
    sockets.push(front, back);
    for (const [from, to] of [
      [front, back],
      [back, front],
    ] as const) {
      from.on('data', (data) => !isSilent && to.write(data)).on('end', () => !isSilent && to.end());
      from.on('error', () => {});
    }
  }).listen(0, '127.0.0.1');
  await once(proxy, 'listening');
  url.searchParams.delete('host');
  [url.hostname, url.port] = ['127.0.0.1', String((proxy.address() as AddressInfo).port)];
  const lonely = await startApp({}, { ...database, url: url.href });
  isSilent = true;
  // A peer that is gone without a word does not hear that we hang up.
  for (const socket of sockets) socket.pause();
  await lonely.app.stop();
  for (const socket of sockets) socket.destroy();
  proxy.close();
  await database.drop();
}, 10_000);
