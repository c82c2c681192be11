/** What strangers send to the example sites: people copy them, and the demo runs one of them in the server's own process. */
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { projectRoot } from '../../src/project-root.js';
import { send } from '../support/http.js';
import { freePort } from '../support/start-app.js';

interface Site {
  listen(port: number, host: string): Promise<unknown>;
  close(): Promise<void>;
}

/** Stands for the server: the browser client, and a ticket for whoever asks. */
let server: Server;
let qrconnectUrl: string;
let opened = 0;
const SCRIPT = 'export {};';
beforeAll(async () => {
  server = createServer((request, response) => {
    const module = {
      url: `${qrconnectUrl}/qrconnect.js`,
      integrity: `sha384-${createHash('sha384').update(SCRIPT).digest('base64')}`,
    };
    if (request.url === '/widget.json') return response.end(JSON.stringify({ module }));
    if (request.url === '/qrconnect.js') return response.end(SCRIPT);
    opened += 1;
    response.end(JSON.stringify({ ticket_id: 'id', wait_secret: 'secret', qr_svg: '', expires_in: 120 }));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  qrconnectUrl = `http://127.0.0.1:${(server.address() as { port: number }).port}`;
});
afterAll(() => new Promise((resolve) => server.close(resolve)));

const EXAMPLES = {
  'relying-party/server.mjs': 'createRelyingParty',
  'headless/server.mjs': 'createHeadlessSite',
  'single-page/site.mjs': 'createSinglePageSite',
};

async function withSite(path: string, work: (url: string) => Promise<void>, scheme = 'http'): Promise<void> {
  const module = await import(pathToFileURL(join(projectRoot, 'examples', path)).href);
  const port = await freePort();
  const site: Site = await module[EXAMPLES[path as keyof typeof EXAMPLES]]({
    qrconnectUrl,
    url: `${scheme}://127.0.0.1:${port}`,
    clientId: 'id',
    clientSecret: 'secret',
    wechat: { appid: 'id', secret: 'secret' },
    oauth: { clientId: 'id', clientSecret: 'secret' },
    entry: join(projectRoot, 'examples/react/app.jsx'),
  });
  await site.listen(port, '127.0.0.1');
  try {
    await work(`http://127.0.0.1:${port}`);
  } finally {
    await site.close();
  }
}

describe.each(Object.keys(EXAMPLES))('the example %s', (path) => {
  it('answers whatever stands in the first line of a request', async () => {
    await withSite(path, async (url) => {
      for (const target of ['//', '///', 'http://[', 'http://', '*', '/%', '//[/callback?state=x', '/\\\\']) {
        const { status } = await send(url, { path: target, headers: { host: 'x' } });
        expect([target, status]).toEqual([target, 404]);
      }
      expect((await send(`${url}/`)).status).toBe(200);
    });
  });

  it('keeps its cookie to its own host, where it has https', async () => {
    await withSite(
      path,
      async (url) => {
        const { headers } = await send(`${url}/`);
        expect(String(headers['set-cookie'])).toMatch(
          /^__Host-[a-z]+=[\w-]{43}; Path=\/; HttpOnly; SameSite=Lax; Secure$/,
        );
      },
      'https',
    );
  });
});

describe('the example headless/server.mjs', () => {
  it('lets no single address take up the codes of its client', async () => {
    const errors = vi.spyOn(console, 'error').mockImplementation(() => {});
    const ask = (url: string, origin: string, from: string) =>
      send(`${url}/sign-in`, { method: 'POST', headers: { origin, 'x-forwarded-for': from } });
    await withSite('headless/server.mjs', async (url) => {
      opened = 0;
      for (let turn = 0; turn < 40; turn += 1) await ask(url, url, `192.0.2.${turn}`);
      expect(opened).toBe(30);
    });
    const behindProxy = async (url: string) => {
      opened = 0;
      const origin = url.replace('http:', 'https:');
      for (let turn = 0; turn < 40; turn += 1) await ask(url, origin, `192.0.2.${turn}, 198.51.100.1`);
      expect(opened).toBe(30);
      expect((await ask(url, origin, '198.51.100.2')).status).toBe(200);
    };
    await withSite('headless/server.mjs', behindProxy, 'https');
    errors.mockRestore();
  });
});

describe('the example single-page/site.mjs', () => {
  it('writes one line of log for one refusal, whatever it says', async () => {
    const errors = vi.spyOn(console, 'error').mockImplementation(() => {});
    await withSite('single-page/site.mjs', async (url) => {
      const page = await send(`${url}/`);
      const state = /"state":"([\w-]+)"/.exec(page.body)?.[1] as string;
      const cookie = String(page.headers['set-cookie']).split(';')[0] as string;
      const document = JSON.stringify({ issuer: qrconnectUrl });
      vi.stubGlobal('fetch', async () => new Response(document));
      const answer = new URLSearchParams({ state, iss: qrconnectUrl, error: 'x\n\u001b[2Jforged' });
      await send(`${url}/callback?${answer}`, { headers: { cookie } });
      vi.unstubAllGlobals();
    });
    expect(errors.mock.calls).toEqual([['/callback: x??[2Jforged']]);
    errors.mockRestore();
  });
});
