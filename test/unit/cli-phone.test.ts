import { describe, expect, it } from 'vitest';
import { PhoneClient, readPageData } from '../../src/cli/phone-client.js';

const URL_OF_CODE = { origin: 'https://id.example', scanToken: 'token' };
const DECIDE_PAGE =
  '<p>x</p><script type="application/json" id="page-data" nonce="n">{"scanToken":"token","csrf":"c\\u003c1"}</script>';

interface Call {
  method: string;
  path: string;
  headers: Headers;
  body: unknown;
}

/** A server of canned answers that notes what it was asked. */
function server(answer: (call: Call) => Response, kept: string[] = []) {
  const calls: Call[] = [];
  const fetcher = async (url: string | URL | Request, init: RequestInit = {}) => {
    const call = {
      method: init.method ?? 'GET',
      path: new URL(String(url)).pathname,
      headers: new Headers(init.headers),
      body: init.body ? JSON.parse(String(init.body)) : undefined,
    };
    calls.push(call);
    return answer(call);
  };
  // One file for all clients made with the same notes: a second call of the command.
  const file = { read: () => kept.at(-1), write: (cookie: string) => void kept.push(cookie) };
  return { calls, client: new PhoneClient(URL_OF_CODE, fetcher as typeof fetch, () => file) };
}

function honest({ path, headers }: Call): Response {
  if (path === '/phone/sign-in')
    return Response.json({}, { headers: { 'set-cookie': '__Host-phone=s3cret; Path=/; HttpOnly' } });
  if (path === '/s/token') return new Response(headers.get('cookie') ? DECIDE_PAGE : '<p>sign in</p>');
  if (path === '/phone/scan') return Response.json({ scan_grant: 'g', match_code: 'required', expires_in: 60 });
  return Response.json({ status: path === '/phone/confirm' ? 'confirmed' : 'denied' });
}

describe('the phone command', () => {
  it('opens the page, signs in, scans and confirms, with cookie, csrf token and Origin', async () => {
    const { calls, client } = server(honest);
    const { scan_grant } = await client.scan('ming', 'pw');
    expect(await client.confirm(scan_grant, '42')).toEqual({ status: 'confirmed' });
    expect(calls.map(({ method, path }) => `${method} ${path}`)).toEqual([
      'GET /s/token',
      'POST /phone/sign-in',
      'GET /s/token',
      'POST /phone/scan',
      'POST /phone/confirm',
    ]);
    expect(calls[1]?.headers.get('origin')).toBe('https://id.example');
    expect(calls[1]?.body).toEqual({ username: 'ming', password: 'pw' });
    expect(calls[3]?.body).toEqual({ scan_token: 'token', csrf: 'c<1' });
    expect(calls[4]?.headers.get('cookie')).toBe('__Host-phone=s3cret');
    expect(calls[4]?.body).toEqual({ scan_grant: 'g', csrf: 'c<1', match_code: '42' });
  });

  it('is the same phone in a later call: it scans with the session of the first, without signing in again', async () => {
    const kept: string[] = [];
    await server(honest, kept).client.scan('ming', 'pw');
    const { calls, client } = server(honest, kept);
    await client.scan('ming', 'pw');
    expect(calls.map(({ path }) => path)).toEqual(['/s/token', '/phone/scan']);
    expect(calls[1]?.headers.get('cookie')).toBe('__Host-phone=s3cret');
  });

  it('proves itself with its password where the site asks for a fresh sign-in, and remembers only when told', async () => {
    let proven = false;
    const { calls, client } = server((call) => {
      if (call.path === '/phone/prove') proven = true;
      if (call.path === '/phone/confirm' && !proven)
        return Response.json({ error: 'step_up_required', error_description: 'Prove it.' }, { status: 403 });
      return call.path === '/phone/prove' ? Response.json({}) : honest(call);
    });
    await client.scan('ming', 'pw');
    expect(await client.confirm('g', '42', { remember: true })).toEqual({ status: 'confirmed' });
    expect(calls.slice(-3).map(({ path, body }) => [path, body])).toEqual([
      ['/phone/confirm', { scan_grant: 'g', csrf: 'c<1', match_code: '42', remember: true }],
      ['/phone/prove', { scan_grant: 'g', csrf: 'c<1', password: 'pw' }],
      ['/phone/confirm', { scan_grant: 'g', csrf: 'c<1', match_code: '42', remember: true }],
    ]);
  });

  it('sends no match code where none is asked', async () => {
    const { calls, client } = server(honest);
    await client.scan('ming', 'pw');
    await client.confirm('g', undefined);
    expect(calls.at(-1)?.body).toEqual({ scan_grant: 'g', csrf: 'c<1' });
  });

  it('forgets a cookie the server deletes', async () => {
    const { calls, client } = server((call) =>
      call.path === '/phone/scan'
        ? Response.json({ scan_grant: 'g' }, { headers: { 'set-cookie': '__Host-phone=; Max-Age=0' } })
        : honest(call),
    );
    await client.scan('ming', 'pw');
    await client.deny('g');
    expect(calls.at(-1)?.headers.get('cookie')).toBeNull();
  });

  it.each([
    ['used', 410, 'gone', 'has been used'],
    ['taken', 410, 'conflict', 'another phone'],
    ['unknown', 404, 'not_found', 'does not know'],
  ])('says that a code is %s', async (reason, status, code, text) => {
    const page = `<meta name="qrconnect-gone" content="${reason}">`;
    const { client } = server(() => new Response(page, { status }));
    await expect(client.scan('ming', 'pw')).rejects.toMatchObject({ code, message: expect.stringContaining(text) });
  });

  it("passes the server's own error on, with the time to wait", async () => {
    const { client } = server((call) =>
      call.path === '/phone/sign-in'
        ? Response.json(
            { error: 'too_many_requests', error_description: 'Later.' },
            { status: 429, headers: { 'retry-after': '7' } },
          )
        : honest(call),
    );
    await expect(client.scan('ming', 'pw')).rejects.toMatchObject({
      code: 'too_many_requests',
      message: 'Later. (Retry-After: 7 seconds)',
    });
  });

  it('calls it network when nobody answers, and follows no redirect', async () => {
    const { client } = server(() => {
      throw new TypeError('fetch failed', { cause: new Error('connect ECONNREFUSED') });
    });
    await expect(client.scan('ming', 'pw')).rejects.toMatchObject({
      code: 'network',
      message: expect.stringContaining('ECONNREFUSED'),
    });
    const other = server(() => new Response(null, { status: 302, headers: { location: 'https://evil.example/' } }));
    await expect(other.client.scan('ming', 'pw')).rejects.toMatchObject({ code: 'unexpected' });
    expect(other.calls).toHaveLength(1);
  });

  it('reads no page data from a page that has none', () => {
    expect(readPageData('<p>hello</p>')).toEqual({});
    expect(readPageData('<script type="application/json" id="page-data">{broken</script>')).toEqual({});
  });
});
