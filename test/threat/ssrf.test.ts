/** T60: a URL that a site registered leads nowhere but to that site. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer as createTcpServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { engineFetch } from '../../src/engine/engine-fetch.js';
import { createOutgoing, OutgoingFailed, type OutgoingOptions } from '../../src/outgoing/outgoing.js';
import { projectRoot } from '../../src/project-root.js';
import { newCertificate } from '../support/certificate.js';
import { watchConnections } from '../support/connection-watch.js';
import { startSink } from '../support/sink.js';
import { freePort } from '../support/start-app.js';

const FORM = { logout_token: 'x.y.z' };
const PUBLIC = { address: '93.184.216.34', family: 4 };

const addresses = (...list: string[]) => list.map((address) => ({ address, family: address.includes(':') ? 6 : 4 }));

describe('a request to a URL that a site named', () => {
  const cleanups: Array<() => unknown> = [];
  afterEach(async () => {
    for (const clean of cleanups.splice(0).reverse()) await clean();
  });

  const sink = async (...given: Parameters<typeof startSink>) => {
    const one = await startSink(...given);
    cleanups.push(() => one.stop());
    return one;
  };
  const watch = (land?: () => number) => {
    const one = watchConnections(land);
    cleanups.push(() => one.stop());
    return one;
  };
  /** The one failure, whatever went wrong; its cause, for the test's own eyes. */
  const failure = async (url: string, options: Partial<OutgoingOptions> = {}): Promise<string> => {
    const error = await createOutgoing({ allowLoopback: false, ...options })
      .post(url, FORM)
      .then(
        ({ status }) => new Error(`delivered: ${status}`),
        (thrown: unknown) => thrown as Error,
      );
    expect({ url, error, text: String(error) }).toEqual({
      url,
      error: expect.any(OutgoingFailed),
      text: 'OutgoingFailed: the request could not be delivered',
    });
    return String((error.cause as Error).message);
  };
  const demo = { allowLoopback: true } as const;

  it('T60: connects to no address that is written out, in whatever form', async () => {
    const target = await sink();
    const seen = watch();
    const hosts = [
      '127.0.0.1',
      '127.1',
      '2130706433',
      '0177.0.0.1',
      '017700000001',
      '0x7f000001',
      '0x7f.1',
      '１２７.０.０.１',
      '127。0。0。1',
      '0',
      '0.0.0.0',
      '[::]',
      '[::1]',
      '[::ffff:7f00:1]',
      '[::ffff:127.0.0.1]',
      '[::7f00:1]',
      '10.0.0.1',
      '172.16.0.1',
      '192.168.1.1',
      '100.100.100.200',
      '169.254.169.254',
      '2852039166',
      '[fe80::1]',
      '[fd00:ec2::254]',
      '[64:ff9b::7f00:1]',
      '[64:ff9b::a9fe:a9fe]',
      '[2002:7f00:1::]',
      '[2001:0:7f00:1::]',
      'localhost',
      'LOCALHOST.',
      'intranet',
      // Not forbidden, but no host name: nobody registers a certificate's address by accident.
      '93.184.216.34',
      '[2606:2800:220:1::1]',
    ];
    for (const host of hosts) {
      await failure(`https://${host}/`);
      await failure(`https://${host}:${target.port}/`);
      await failure(`http://${host}:${target.port}/`);
    }
    expect([seen.attempts(), target.connections()]).toEqual([[], 0]);
  });

  it('T60: wants https, port 443 and a bare host name', async () => {
    const seen = watch();
    const resolve = async () => [PUBLIC];
    const urls = [
      'http://shop.example/',
      'https://shop.example:80/',
      'https://shop.example:8443/',
      'https://anna@shop.example/',
      'https://anna:pw@shop.example/',
      'https://:pw@shop.example/',
      'https://shop.example./',
      'https://shop_1.example/',
      'https://shop..example/',
      'https://-shop.example/',
      'https://shop.example%00.evil.example/',
      `https://${'a'.repeat(64)}.example/`,
      `https://${'a.'.repeat(127)}example/`,
      'ftp://shop.example/',
      'file:///etc/passwd',
      'data:text/plain,x',
      'javascript:alert(1)',
      'unix:/var/run/docker.sock',
      '//shop.example/',
      'shop.example',
      '',
    ];
    for (const url of urls) {
      await failure(url, { resolve });
      await failure(url, { resolve, ...demo });
    }
    expect(seen.attempts()).toEqual([]);
  });

  it('T60: connects to none of the forbidden addresses that a name may have', async () => {
    const seen = watch();
    const inside = [
      '127.0.0.1',
      '::1',
      '::ffff:7f00:1',
      '::ffff:127.0.0.1',
      '0.0.0.0',
      '10.0.0.1',
      '169.254.169.254',
      '64:ff9b::a9fe:a9fe',
      'fd00:ec2::254',
      'fe80::1%lo',
      'localhost',
    ];
    for (const address of inside) {
      for (const allowLoopback of [false, true]) {
        const cause = await failure('https://shop.example/', {
          allowLoopback,
          resolve: async () => addresses(address),
        });
        expect(cause).toBe('the name has no address that may be connected to');
      }
    }
    await failure('https://shop.example/', { resolve: async () => addresses(...inside) });
    await failure('https://shop.example/', { resolve: async () => [] });
    expect(seen.attempts()).toEqual([]);
  });

  it('T60: takes only the allowed ones of a name with several, and few of many', async () => {
    const target = await sink();
    const seen = watch(() => target.port);
    await failure('https://shop.example/', { resolve: async () => addresses('10.0.0.1', PUBLIC.address, '::1') });
    expect(seen.attempts()).toEqual([`${PUBLIC.address}:443`]);
    const many = Array.from({ length: 200 }, (_, i) => `93.184.216.${i}`);
    await failure('https://shop.example/', { resolve: async () => addresses(...many) });
    expect(seen.attempts()).toHaveLength(4);
    expect(target.received).toEqual([]);
  });

  it('T60: asks for a name once, so that a second answer rebinds nothing', async () => {
    const target = await sink();
    const seen = watch(() => target.port);
    const answers = [addresses(PUBLIC.address), addresses('127.0.0.1'), addresses('127.0.0.1')];
    await failure('https://rebind.example/', { resolve: async () => answers.shift() ?? [] });
    expect(answers).toHaveLength(2);
    expect(seen.attempts()).toEqual([`${PUBLIC.address}:443`]);
    // A second request asks anew, and is refused.
    await failure('https://rebind.example/', { resolve: async () => answers.shift() ?? [] });
    expect(seen.attempts()).toEqual([]);
  });

  it('T60: writes nothing to a connection that ended at another address than the checked one', async () => {
    let bytes = 0;
    let ended = 0;
    const server = createTcpServer((socket) => {
      socket.on('data', (chunk) => {
        bytes += chunk.length;
      });
      socket.on('error', () => {});
      socket.on('close', () => {
        ended += 1;
      });
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    cleanups.push(() => server.close());
    watch(() => (server.address() as { port: number }).port);
    const cause = await failure('https://shop.example/', { resolve: async () => [PUBLIC] });
    expect(cause).toBe('connected to a forbidden address');
    await expect.poll(() => ended).toBe(1);
    expect(bytes).toBe(0);
  });

  it('T60: posts the form over a connection of its own in demo mode, and says who it is', async () => {
    const target = await sink((_req, res) => void res.writeHead(204).end());
    const outgoing = createOutgoing(demo);
    for (const host of ['localhost', '127.0.0.1']) {
      const answer = await outgoing.post(`http://${host}:${target.port}/bye?site=1`, { logout_token: 'a+b&c=d' });
      expect(answer).toEqual({ status: 204 });
    }
    expect(target.connections()).toBe(2);
    for (const { method, path, headers, body } of target.received) {
      expect([method, path, body]).toEqual(['POST', '/bye?site=1', 'logout_token=a%2Bb%26c%3Dd']);
      expect(headers).toEqual({
        host: expect.stringMatching(/^(localhost|127\.0\.0\.1):\d+$/),
        'content-type': 'application/x-www-form-urlencoded',
        'content-length': '26',
        'user-agent': 'qrconnect',
        connection: 'close',
      });
    }
  });

  it('T60: opens loopback alone in demo mode, by its own names', async () => {
    const target = await sink();
    const seen = watch();
    const hosts = ['0', '[::]', '[::ffff:7f00:1]', 'localhost.', '10.0.0.1', '192.168.1.1', 'shop.example'];
    for (const host of hosts) {
      await failure(`http://${host}:${target.port}/`, { ...demo, resolve: async () => addresses('127.0.0.1') });
    }
    await failure(`http://localhost:${target.port}/`, { ...demo, resolve: async () => addresses('10.0.0.1') });
    await failure(`http://anna@localhost:${target.port}/`, demo);
    await failure(`ftp://localhost:${target.port}/`, demo);
    expect([seen.attempts(), target.connections()]).toEqual([[], 0]);
  });

  it('T60: tells the site’s status, whatever it is, but follows no redirect', async () => {
    const inside = await sink();
    for (const status of [200, 400, 404, 500, 503]) {
      const target = await sink((_req, res) => void res.writeHead(status).end('answer'));
      expect(await createOutgoing(demo).post(`http://localhost:${target.port}/`, FORM)).toEqual({ status });
    }
    for (const status of [300, 301, 302, 303, 307, 308, 399]) {
      const location = `http://127.0.0.1:${inside.port}/latest/meta-data`;
      const target = await sink((_req, res) => void res.writeHead(status, { location }).end());
      await failure(`http://localhost:${target.port}/`, demo);
      expect(target.received).toHaveLength(1);
    }
    expect(inside.connections()).toBe(0);
  });

  it('T60: gives up on an answer without end, without a beginning, too large, or broken', async () => {
    const endless = await sink((_req, res) => {
      const timer = setInterval(() => res.write('.'), 50);
      res.on('close', () => clearInterval(timer));
    });
    const silent = await sink(() => {});
    const large = await sink((_req, res) => void res.end(Buffer.alloc(1024 * 1024)));
    const unmeasured = await sink((_req, res) => {
      const more = () => {
        while (!res.destroyed && res.write(Buffer.alloc(16 * 1024))) {}
      };
      res.on('drain', more);
      more();
    });
    const headers = await sink((_req, res) => void res.writeHead(200, { x: 'y'.repeat(32 * 1024) }).end());
    const cut = await sink((_req, res) => {
      res.writeHead(200, { 'content-length': '100' });
      res.write('half', () => res.destroy());
    });
    const odd = await sink((req) => void req.socket.end('HTTP/1.1 700 Odd\r\ncontent-length: 0\r\n\r\n'));
    const upgrade = await sink(
      (req) => void req.socket.end('HTTP/1.1 101 Now\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n'),
    );
    const noise = await sink((req) => void req.socket.end('+OK ready\r\n'));
    const to = ({ port }: { port: number }) => failure(`http://127.0.0.1:${port}/`, demo);
    const causes = await Promise.all([
      to(endless),
      to(silent),
      to(large),
      to(unmeasured),
      to(headers),
      to(cut),
      to(odd),
      to(upgrade),
      to(noise),
      to({ port: await freePort() }),
      failure('https://shop.example/', { resolve: () => new Promise(() => {}) }),
      failure('https://shop.example/', { resolve: () => Promise.reject(new Error('ENOTFOUND')) }),
    ]);
    expect(causes.slice(0, 4)).toEqual([
      'The operation was aborted',
      'The operation was aborted',
      'the answer is too large',
      'the answer is too large',
    ]);
    expect(causes.at(-2)).toBe('The operation was aborted');
    // Just as much as may be read.
    const full = await sink((_req, res) => void res.end(Buffer.alloc(64 * 1024)));
    const url = `http://127.0.0.1:${full.port}/`;
    await expect(createOutgoing(demo).post(url, FORM)).resolves.toEqual({ status: 200 });
  });

  it('T60: believes no certificate that nobody vouches for, whatever the environment says', async () => {
    const target = await sink(undefined, newCertificate('localhost'));
    await failure(`https://localhost:${target.port}/`, demo);
    process.env.NODE_TLS_REJECT_UNAUTHORIZED = '0';
    cleanups.push(() => {
      delete process.env.NODE_TLS_REJECT_UNAUTHORIZED;
    });
    await failure(`https://localhost:${target.port}/`, demo);
    expect(target.received).toEqual([]);
  });

  it('T60: believes a trusted certificate for its own name only, and takes no proxy', async () => {
    const [right, wrong] = [newCertificate('localhost'), newCertificate('other.example')];
    const trusted = await sink(undefined, right);
    const mistaken = await sink(undefined, wrong);
    const proxy = await sink();
    const folder = await mkdtemp(join(tmpdir(), 'outgoing-'));
    cleanups.push(() => rm(folder, { recursive: true }));
    const trust = join(folder, 'trust.pem');
    await writeFile(trust, right.cert + wrong.cert);
    // Node reads the certificates it trusts once, when it starts.
    const program = `
      import { createOutgoing } from './src/outgoing/outgoing.ts';
      const { post } = createOutgoing({ allowLoopback: true });
      const told = async (port) => post('https://localhost:' + port + '/', { a: 'b' }).then((r) => r.status, (e) => e.cause.code);
      console.log(JSON.stringify([await told(${trusted.port}), await told(${mistaken.port})]));`;
    const address = `http://127.0.0.1:${proxy.port}`;
    const child = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', program], {
      cwd: projectRoot,
      env: {
        PATH: process.env.PATH,
        NODE_EXTRA_CA_CERTS: trust,
        NODE_USE_ENV_PROXY: '1',
        HTTPS_PROXY: address,
        https_proxy: address,
        ALL_PROXY: address,
      },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let output = '';
    child.stdout.on('data', (chunk) => {
      output += chunk;
    });
    await once(child, 'close');
    expect(JSON.parse(output)).toEqual([200, 'ERR_TLS_CERT_ALTNAME_INVALID']);
    expect([trusted.received.length, mistaken.received.length, proxy.connections()]).toEqual([1, 0, 0]);
  });

  it('T60: is made by the engine for logout tokens only: it fetches nothing', async () => {
    const target = await sink((_req, res) => void res.writeHead(204).end());
    const fetch = engineFetch(createOutgoing(demo));
    const url = `http://localhost:${target.port}/keys`;
    const refused: Array<RequestInit | undefined> = [
      undefined,
      { method: 'GET' },
      { method: 'GET', body: new URLSearchParams(FORM) },
      { method: 'POST' },
      { method: 'POST', body: JSON.stringify(FORM), headers: { authorization: 'Bearer x' } },
      { method: 'PUT', body: new URLSearchParams(FORM) },
    ];
    for (const options of refused) await expect(fetch(url, options)).rejects.toThrow(OutgoingFailed);
    expect(target.connections()).toBe(0);
    const answer = await fetch(url, { method: 'POST', redirect: 'follow', body: new URLSearchParams(FORM) });
    expect([answer.status, target.received[0]?.body]).toEqual([204, 'logout_token=x.y.z']);
  });
});
