import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PNG } from 'pngjs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { accountCommands } from '../../src/cli/accounts.js';
import { type Command, Options, type Outcome, UsageError } from '../../src/cli/command.js';
import { send } from '../support/http.js';
import type { Phone } from '../support/phone.js';
import {
  colourAt,
  exif,
  fromJpeg,
  jpegSegment,
  paint,
  quarters,
  toJpeg,
  toPng,
  withSegments,
} from '../support/pictures.js';
import { oauthSite, type WechatSite, wechatSite } from '../support/relying-party.js';
import { startApp, type TestApp } from '../support/start-app.js';
import { forgetScans, login, person } from '../support/story.js';

/** WeChat's last path segment, and the pixels it stands for. */
const SIZES = { 0: 640, 46: 46, 64: 64, 96: 96, 132: 132 };
const MARK = 'SECRET-48.8584N-2.2945E';

describe('a person with a picture of their own', () => {
  let server: TestApp;
  let site: WechatSite;
  let phone: Phone & { accountId: string; username: string };
  let folder: string;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'picture-'));
    server = await startApp();
    site = await wechatSite(server.app, server);
    phone = await person(server.app, server);
  });
  afterAll(async () => {
    await server?.stop();
    rmSync(folder, { recursive: true });
  });

  const admin = (command: Command, ...args: string[]): Promise<Outcome> =>
    command.prepare(Options.parse(args, command))(server.app);
  const file = (name: string, content: Buffer) => {
    const path = join(folder, name);
    writeFileSync(path, content);
    return path;
  };
  /** What the command line says of the picture, as an address. */
  const upload = async (content: Buffer) => {
    const { json } = await admin(accountCommands.picture, phone.username, '--file', file('any name.txt', content));
    return server.url + (json as { picture: string }).picture;
  };
  const accessToken = async () => {
    await forgetScans(server.database);
    const { code } = await login(server, phone, site.request());
    return (await site.exchange(code)).json<{ access_token: string }>().access_token;
  };
  const headimgurl = async (token: string) => (await site.userinfo(token)).json<{ headimgurl: string }>().headimgurl;
  const get = async (url: string) => {
    const answer = await fetch(url);
    return { status: answer.status, headers: answer.headers, body: Buffer.from(await answer.arrayBuffer()) };
  };

  it('is shown to a WeChat site at each of the five sizes', async () => {
    const token = await accessToken();
    expect(await headimgurl(token)).toMatch(/\/picture\/pattern-\d+\/132$/);
    const address = await upload(toJpeg(quarters(700, 500)));
    const url = await headimgurl(token);
    expect(url).toBe(address);
    expect(url).toMatch(new RegExp(`^${server.url}/picture/[\\w-]{22}/132$`));
    for (const [segment, pixels] of Object.entries(SIZES)) {
      const answer = await get(url.replace(/132$/, segment));
      expect(answer.status).toBe(200);
      expect(answer.headers.get('content-type')).toBe('image/jpeg');
      const { width, height } = fromJpeg(answer.body);
      expect([width, height]).toEqual([pixels, pixels]);
    }
  });

  it('is shown to an OpenID Connect site as the claim picture', async () => {
    const address = await upload(toPng(quarters(300)));
    await forgetScans(server.database);
    const tea = await oauthSite(server.app, server);
    const { query, verifier } = tea.request();
    const { code } = await login(server, phone, query);
    const { access_token: token } = (await tea.exchange(code, verifier)).json<{ access_token: string }>();
    const claims = (await tea.userinfo(token)).json<{ picture: string; updated_at: number }>();
    expect(claims.picture).toBe(address);
    const [row] = await server.database.sql<{ at: number }>(
      'SELECT floor(extract(epoch FROM updated_at))::int AS at FROM account WHERE id = $1',
      [phone.accountId],
    );
    expect(claims.updated_at).toBe(row?.at);
  });

  it('is at no other size and under no other name', async () => {
    const address = await upload(toPng(quarters(50)));
    for (const segment of ['640', '1', '132.jpg', '0132', '-1', '', '46%00', '__proto__']) {
      expect((await get(address.replace(/132$/, segment))).status, segment).toBe(404);
    }
    const name = address.split('/').at(-2) as string;
    for (const other of [name.slice(1), `${name}x`, name.toUpperCase(), phone.accountId, phone.username]) {
      expect((await get(address.replace(name, other))).status, other).toBe(404);
    }
    expect(address).not.toContain(phone.accountId);
  });

  it('has an address that dies when the picture changes, and another that dies when it is taken away', async () => {
    const token = await accessToken();
    const first = await upload(toPng(paint(60, 60, () => [200, 20, 20, 255])));
    const second = await upload(toPng(paint(60, 60, () => [20, 20, 200, 255])));
    expect(second).not.toBe(first);
    expect(await headimgurl(token)).toBe(second);
    for (const segment of Object.keys(SIZES)) {
      const old = await get(first.replace(/132$/, segment));
      expect([old.status, old.headers.get('cache-control')]).toEqual([404, 'no-store']);
    }
    const [red, , blue] = colourAt(fromJpeg((await get(second)).body), 0.5, 0.5) as [number, number, number];
    expect(blue - red).toBeGreaterThan(150);

    await admin(accountCommands.picture, phone.username, '--remove');
    const drawn = await headimgurl(token);
    expect(drawn).toMatch(/\/picture\/pattern-\d+\/132$/);
    expect((await get(second)).status).toBe(404);
    expect(PNG.sync.read((await get(drawn)).body).width).toBe(132);
    expect(await server.database.sql('SELECT 1 FROM account_picture WHERE account_id = $1', [phone.accountId])).toEqual(
      [],
    );
  });

  it('is served as a picture and nothing else, and kept by caches for an hour', async () => {
    const address = await upload(toJpeg(quarters(100)));
    const { headers } = await get(address);
    expect(Object.fromEntries(headers)).toMatchObject({
      'content-type': 'image/jpeg',
      'cache-control': 'public, max-age=3600',
      'x-content-type-options': 'nosniff',
      'cross-origin-resource-policy': 'cross-origin',
      'content-security-policy': expect.stringContaining("default-src 'none'"),
    });
    expect(headers.get('set-cookie')).toBeNull();
    // fetch would ask for a fresh answer beside the tag; a browser's cache does not.
    const known = { headers: { 'if-none-match': String(headers.get('etag')) } };
    const again = await send(address, known);
    expect([again.status, again.body]).toEqual([304, '']);
    expect((await send(address, { headers: { 'if-none-match': '"another"' } })).status).toBe(200);
    await upload(toJpeg(quarters(100)));
    expect((await send(address, known)).status).toBe(404);
  });

  it('T60 gives away nothing that stood in the file, nor does the audit log or any other log', async () => {
    const secret = Buffer.concat([Buffer.from('Exif\0\0'), exif(6, { secret: MARK })]);
    const address = await upload(withSegments(toJpeg(quarters(200)), jpegSegment(0xe1, secret)));
    for (const segment of Object.keys(SIZES)) {
      expect((await get(address.replace(/132$/, segment))).body.includes(MARK)).toBe(false);
    }
    const [event] = await server.database.sql(
      'SELECT actor, action, target, detail FROM audit_event ORDER BY id DESC LIMIT 1',
    );
    expect(event).toEqual({
      actor: 'command line',
      action: 'account.picture',
      target: phone.accountId,
      detail: { picture: 'uploaded' },
    });
    expect(server.log()).not.toContain('SECRET');
    expect(server.log()).not.toContain(address.split('/').at(-2));
  });

  it('T60 keeps the picture they had when a new one is refused', async () => {
    const address = await upload(toPng(quarters(64)));
    for (const wrong of [
      Buffer.from('<svg xmlns="http://www.w3.org/2000/svg"/>'),
      toPng(quarters(64)).subarray(0, 90),
    ]) {
      await expect(upload(wrong)).rejects.toMatchObject({ code: 'invalid_request' });
    }
    expect((await get(address)).status).toBe(200);
  });

  it('may have it from the start; a picture that is refused makes no account', async () => {
    const words = ['--username', 'fresh', '--password', 'a long enough one', '--picture'];
    await expect(
      admin(accountCommands.create, ...words, file('a.png', Buffer.from('no picture'))),
    ).rejects.toMatchObject({
      code: 'invalid_request',
    });
    expect(await server.app.accounts.findByUsername('fresh')).toBeUndefined();
    const made = (await admin(accountCommands.create, ...words, file('b.gif', toPng(quarters(20))))).json as {
      picture: string;
    };
    expect(fromJpeg((await get(server.url + made.picture)).body).width).toBe(132);
    const shown = (await admin(accountCommands.show, 'fresh')).json as { picture: string };
    const listed = (await admin(accountCommands.list)).json as Array<{ username: string; picture: string }>;
    expect(shown.picture).toBe(made.picture);
    expect(listed.find(({ username }) => username === 'fresh')?.picture).toBe(made.picture);
  });

  it('is told what is wrong with a command', async () => {
    const picture = file('fine.png', toPng(quarters(20)));
    const huge = file('huge.png', Buffer.alloc(5 * 1024 * 1024 + 1));
    for (const [args, words] of [
      [[phone.username], /--file F.*or.*--remove/],
      [[phone.username, '--file', picture, '--remove'], /one of the two/],
      [[phone.username, '--file', join(folder, 'missing.png')], /--file cannot be read: ENOENT/],
      [[phone.username, '--file', folder], /is not a file/],
      [[phone.username, '--file', '/dev/zero'], /is not a file/],
      [[phone.username, '--file', huge], /larger than the 5 MiB/],
      [['--remove'], /<username> is missing/],
    ] as const) {
      expect(() => accountCommands.picture.prepare(Options.parse([...args], accountCommands.picture))).toThrow(
        UsageError,
      );
      expect(() => accountCommands.picture.prepare(Options.parse([...args], accountCommands.picture))).toThrow(words);
    }
    for (const rest of [['--file', picture], ['--remove']]) {
      await expect(admin(accountCommands.picture, 'nobody-here', ...rest)).rejects.toMatchObject({ code: 'not_found' });
    }
  });
});
