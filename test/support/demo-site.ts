/** The example relying party on an origin of its own, with a client of each dialect registered for it. */
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { projectRoot } from '../../src/project-root.js';
import { freePort, startApp, type TestApp } from './start-app.js';

export interface DemoSite {
  readonly url: string;
  readonly host: string;
  stop(): Promise<void>;
}

interface Example {
  createRelyingParty(options: {
    qrconnectUrl: string;
    url: string;
    wechat: { appid: string; secret: string };
    oauth: { clientId: string; clientSecret: string };
  }): { listen(port: number, host: string): Promise<unknown>; close(): Promise<void> };
}

export async function startDemoSite({ app, url: qrconnectUrl }: TestApp): Promise<DemoSite> {
  const port = await freePort();
  // Another host name than the server's: to a browser that is another site, not only another origin.
  const url = `http://127.0.0.1:${port}`;
  const register = (dialect: 'wechat' | 'oauth', name: string) =>
    app.clients.register('test', {
      name,
      dialect,
      redirectUris: [`${url}/callback/${dialect}`],
      unionName: 'demo',
    });
  const wechat = await register('wechat', 'Book shop');
  const oauth = await register('oauth', 'Tea house');
  const file = pathToFileURL(join(projectRoot, 'examples', 'relying-party', 'server.mjs'));
  const { createRelyingParty } = (await import(file.href)) as Example;
  const site = createRelyingParty({
    qrconnectUrl,
    url,
    wechat: { appid: wechat.client.id, secret: wechat.secret as string },
    oauth: { clientId: oauth.client.id, clientSecret: oauth.secret as string },
  });
  await site.listen(port, '127.0.0.1');
  return { url, host: `127.0.0.1:${port}`, stop: () => site.close() };
}

export interface Person {
  readonly username: string;
  readonly password: string;
  readonly nickname: string;
}

let people = 0;

/** A fresh account; each may scan ten times in ten minutes. */
export async function newPerson({ app }: TestApp, nickname = '张三😀'): Promise<Person> {
  people += 1;
  const person = { username: `visitor${people}`, password: 'a long enough one', nickname };
  await app.accounts.create('test', person);
  return person;
}

/** A server with the example site beside it: two origins, two sites. */
export async function startSites() {
  const server = await startApp();
  const site = await startDemoSite(server);
  return {
    server,
    site,
    stop: async () => {
      await site.stop();
      await server.stop();
    },
  };
}
