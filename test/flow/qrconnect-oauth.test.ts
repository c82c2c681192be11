import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { send } from '../support/http.js';
import { openPage, waiter } from '../support/page.js';
import type { Phone } from '../support/phone.js';
import { type OauthSite, oauthSite, REDIRECT_URI, wechatSite } from '../support/relying-party.js';
import { startApp, type TestApp } from '../support/start-app.js';
import { approve, forgetScans, login, person } from '../support/story.js';

describe('an OAuth site that embeds the QR page', () => {
  let server: TestApp;
  let site: OauthSite;
  let phone: Phone & { accountId: string };

  beforeAll(async () => {
    server = await startApp();
    site = await oauthSite(server.app, server);
    phone = await person(server.app, server, '李四');
  });
  afterAll(() => server?.stop());

  /** A page of the site, and what it asked for. */
  const open = async (more: Record<string, string> = {}) => {
    await forgetScans(server.database);
    const { query, verifier } = site.request(more);
    return { page: await openPage(server, query), query, verifier };
  };
  const scannedPage = async () => {
    const opened = await open();
    return { ...opened, scanned: await phone.scan(opened.page.qr) };
  };
  const age = (ticketId: string) =>
    server.database.sql("UPDATE ticket SET expires_at = now() - interval '1 second' WHERE id = $1", [ticketId]);
  const follow = (url: string) => send(url);
  const idTokenClaims = (token: unknown) =>
    JSON.parse(Buffer.from(String(token).split('.')[1] as string, 'base64url').toString()) as Record<string, unknown>;

  it('gets a code with its state and our iss, exchanges it with PKCE, and reads the profile', async () => {
    const { query, verifier } = site.request();
    const { code, redirectTo } = await login(server, phone, query);
    const url = new URL(redirectTo);
    expect(url.origin + url.pathname).toBe(REDIRECT_URI);
    expect(Object.fromEntries(url.searchParams)).toEqual({ code, state: query.state, iss: server.url });

    const answer = await site.exchange(code, verifier);
    expect(answer.status).toBe(200);
    const tokens = answer.json();
    const claims = idTokenClaims(tokens.id_token);
    expect(claims).toMatchObject({ iss: server.url, aud: site.clientId, nonce: query.nonce, amr: ['pwd', 'qr'] });
    const profile = (await site.userinfo(String(tokens.access_token))).json();
    expect(profile).toMatchObject({ sub: claims.sub, nickname: '李四' });
    expect(profile.sub).not.toBe(phone.accountId);
  });

  it('works for a page in a frame: the widget navigates by a one-time handle', async () => {
    const { page, query, verifier } = await open({ login_type: 'qr-connect' });
    await approve(phone, page);
    const handle = (await page.continue()).json<{ continue: string }>().continue;
    expect(handle).toMatch(new RegExp(`^${server.url}/connect/continue/[\\w-]+\\.[\\w-]+$`));
    const answer = await follow(handle);
    expect(answer.status).toBe(303);
    const url = new URL(String(answer.headers.location));
    expect(url.origin + url.pathname).toBe(REDIRECT_URI);
    expect(url.searchParams.get('state')).toBe(query.state);
    expect((await site.exchange(url.searchParams.get('code') as string, verifier)).status).toBe(200);
    expect((await follow(handle)).status).toBe(410);
    expect((await page.redeem()).status).toBe(410);
  });

  it('does not spend the handle on a prefetch, and forgets it after half a minute', async () => {
    const { page } = await open();
    await approve(phone, page);
    const handle = (await page.continue()).json<{ continue: string }>().continue;
    const prefetched = await send(handle, { headers: { 'sec-purpose': 'prefetch;prerender' } });
    expect([prefetched.status, prefetched.headers.location]).toEqual([204, undefined]);
    await age(page.ticketId);
    const late = await follow(handle);
    expect([late.status, late.headers.location]).toEqual([410, undefined]);
  });

  it('gets only the newest of two handles', async () => {
    const { page } = await open();
    await approve(phone, page);
    const [old, fresh] = [await page.continue(), await page.continue()].map(
      (a) => a.json<{ continue: string }>().continue,
    );
    expect((await follow(old as string)).status).toBe(404);
    expect((await follow(fresh as string)).status).toBe(303);
  });

  it('hears of a denial as access_denied with its state and our iss (RFC 6749 4.1.2.1, RFC 9207)', async () => {
    const { page, query, scanned } = await scannedPage();
    expect((await phone.deny(scanned)).json()).toEqual({ status: 'denied' });
    expect((await page.status()).json()).toEqual({ status: 'denied', expires_in: 0 });
    const { redirect_to: redirectTo, ...rest } = (await page.redeem()).json<{ redirect_to: string }>();
    expect(rest).toEqual({ error: 'access_denied', state: query.state, iss: server.url });
    expect(Object.fromEntries(new URL(redirectTo).searchParams)).toEqual(rest);
    // The request was answered: no fresh code can come of it.
    expect((await page.renew()).status).toBe(410);
    expect((await page.redeem()).status).toBe(410);
  });

  it('hears of a denial by handle as well', async () => {
    const { page, query, scanned } = await scannedPage();
    await phone.deny(scanned);
    const answer = await follow((await page.continue()).json<{ continue: string }>().continue);
    expect(answer.status).toBe(303);
    expect(Object.fromEntries(new URL(String(answer.headers.location)).searchParams)).toEqual({
      error: 'access_denied',
      state: query.state,
      iss: server.url,
    });
  });

  it('hears nothing of a wrong match code, and a WeChat site hears nothing of a denial', async () => {
    const { page, scanned } = await scannedPage();
    const { match_code: right } = (await page.status()).json<{ match_code: string }>();
    expect((await phone.confirm(scanned, right === '00' ? '01' : '00')).json()).toMatchObject({
      error: 'match_code_wrong',
    });
    expect([(await page.redeem()).status, (await page.continue()).status]).toEqual([409, 409]);

    const wechat = await wechatSite(server.app, server);
    const other = await openPage(server, wechat.request());
    await phone.deny(await phone.scan(other.qr));
    expect((await other.redeem()).status).toBe(409);
  });

  it('draws a fresh QR code for the same request, and the old one is over', async () => {
    const { page, query, verifier } = await open();
    const answer = await page.renew();
    expect(answer.status).toBe(201);
    const fresh = answer.json<{ ticket_id: string; wait_secret: string; qr_url: string; qr_svg: string }>();
    expect(fresh.qr_svg).toMatch(/^<svg /);
    expect((await page.status()).status).toBe(410);
    expect((await page.renew()).status).toBe(409);
    expect((await phone.open(page.qr)).status).toBe(410);

    const next = { ...page, ...waiter(server, fresh.ticket_id, fresh.wait_secret), qr: fresh.qr_url };
    await approve(phone, next);
    const { code, state } = (await next.redeem()).json<{ code: string; state: string }>();
    expect(state).toBe(query.state);
    expect((await site.exchange(code, verifier)).status).toBe(200);
  });

  it('draws none once the person has said yes, or once the request itself is over', async () => {
    const { page } = await open();
    await approve(phone, page);
    expect((await page.renew()).status).toBe(409);
    const late = (await open()).page;
    await server.database.sql('UPDATE ticket SET request_ends_at = now() WHERE id = $1', [late.ticketId]);
    expect((await late.renew()).status).toBe(410);
  });

  it('gives its ticket up: the phone learns that it is over', async () => {
    const { page, scanned } = await scannedPage();
    expect((await page.cancel()).status).toBe(204);
    expect((await page.status()).json()).toMatchObject({ error: 'gone' });
    expect((await phone.confirm(scanned, '00')).status).toBe(410);
    expect((await phone.open(page.qr)).status).toBe(410);
    expect((await page.cancel()).status).toBe(410);
  });

  it.each(['pending', 'scanned', 'confirmed'])(
    'finds a %s ticket expired by the clock of the database',
    async (status) => {
      const { page } = await open();
      const scanned = status === 'pending' ? undefined : await phone.scan(page.qr);
      const { match_code: matchCode } = (await page.status()).json<{ match_code: string }>();
      if (scanned && status === 'confirmed') await phone.confirm(scanned, matchCode);
      await age(page.ticketId);
      expect((await page.status()).status).toBe(410);
      expect((await page.redeem()).status).toBe(410);
      expect((await page.continue()).status).toBe(410);
      expect((await phone.open(page.qr)).status).toBe(410);
      if (scanned) expect((await phone.confirm(scanned, matchCode)).status).toBe(410);
      if (scanned) expect((await phone.deny(scanned)).status).toBe(410);
    },
  );

  it('is told of a scan, a confirmation and the end at once, while it waits', async () => {
    const { page } = await open();
    const onScan = page.status('?wait=25&seen=pending');
    const scanned = await phone.scan(page.qr);
    const { status, match_code: matchCode } = (await onScan).json<{ status: string; match_code: string }>();
    expect([status, matchCode]).toEqual(['scanned', expect.stringMatching(/^\d\d$/)]);
    const onConfirm = page.status('?wait=25&seen=scanned');
    await phone.confirm(scanned, matchCode);
    expect((await onConfirm).json()).toMatchObject({ status: 'confirmed' });
    const onEnd = page.status('?wait=25&seen=confirmed');
    await page.redeem();
    expect((await onEnd).json()).toEqual({ status: 'redeemed', expires_in: 0 });
  });

  it('is told of a denial and of a cancelled ticket while it waits', async () => {
    const { page, scanned } = await scannedPage();
    const onDeny = page.status('?wait=25&seen=scanned');
    await phone.deny(scanned);
    expect((await onDeny).json()).toEqual({ status: 'denied', expires_in: 0 });
    const other = (await open()).page;
    const onCancel = other.status('?wait=25&seen=pending');
    await other.cancel();
    expect((await onCancel).status).toBe(410);
  });

  it('is told at once what it has not seen, and waits no longer than it asks', async () => {
    const { page } = await scannedPage();
    expect((await page.status('?wait=25&seen=pending')).json()).toMatchObject({ status: 'scanned' });
    expect((await page.status('?wait=1&seen=scanned')).json()).toMatchObject({ status: 'scanned' });
    expect((await page.status('?wait=nonsense&seen=scanned')).json()).toMatchObject({ status: 'scanned' });
  });

  it('keeps one waiter a ticket: a newer one ends the older', async () => {
    const { page } = await open();
    const older = page.status('?wait=25&seen=pending');
    const newer = page.status('?wait=25&seen=pending');
    expect((await Promise.race([older, newer])).json()).toMatchObject({ status: 'pending' });
    await phone.scan(page.qr);
    const statuses = (await Promise.all([older, newer])).map((answer) => answer.json().status);
    expect(statuses.sort()).toEqual(['pending', 'scanned']);
  });

  it('needs no match code when it is registered so', async () => {
    const easy = await oauthSite(server.app, server, { matchCode: 'off' });
    const { query, verifier } = easy.request();
    const page = await openPage(server, query);
    const scanned = await phone.scan(page.qr);
    expect(scanned.answer.json()).toMatchObject({ match_code: 'off' });
    expect((await page.status()).json()).not.toHaveProperty('match_code');
    expect((await phone.confirm(scanned)).status).toBe(200);
    const { code } = (await page.redeem()).json<{ code: string }>();
    expect((await easy.exchange(code, verifier)).status).toBe(200);
  });

  it('refuses a page without a PKCE challenge (RFC 9700 2.1.1)', async () => {
    const { code_challenge: _, code_challenge_method: __, ...query } = site.request().query;
    const answer = await send(
      `${server.url}/connect/qrconnect?${new URLSearchParams(query as Record<string, string>)}`,
    );
    expect([answer.status, answer.headers.location]).toEqual([400, undefined]);
  });
});
