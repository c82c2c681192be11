import { once } from 'node:events';
import { afterAll, beforeAll, expect, it } from 'vitest';
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
