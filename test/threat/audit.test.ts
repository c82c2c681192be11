/** T67: who changed what, when, from where; whole, without a secret, and for good. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createAuditLog } from '../../src/audit/audit-log.js';
import { type AtConsole, makeAdministrator, signInToConsole } from '../support/administrator.js';
import { startApp, type TestApp } from '../support/start-app.js';

let server: TestApp;
let admin: AtConsole;
beforeAll(async () => {
  server = await startApp({ TRUSTED_PROXIES: 'loopback' });
  await makeAdministrator(server);
  admin = await signInToConsole(server);
});
afterAll(() => server?.stop());

interface Event {
  actor: string;
  action: string;
  target: string;
  detail: Record<string, unknown>;
  address: string | null;
}
const events = () => server.database.sql<Event & Record<string, unknown>>('SELECT * FROM audit_event ORDER BY id');

describe('the audit log', () => {
  it('T67 takes no row back and changes none, for the role of the server either', async () => {
    for (const statement of [
      "UPDATE audit_event SET actor = 'somebody else'",
      'DELETE FROM audit_event',
      'TRUNCATE audit_event',
    ]) {
      await expect(server.database.sql(statement)).rejects.toThrow(/only ever added/);
    }
    expect((await events()).length).toBeGreaterThan(0);
  });

  it('T74 forgets an address after 30 days and a row after a year, and nothing before', async () => {
    const { sql } = server.database;
    const add = (age: string) =>
      sql(
        `INSERT INTO audit_event (actor, action, target, address, at) VALUES ('test', 'old', $1::text, '192.0.2.1', now() - $1::text::interval)`,
        [age],
      );
    for (const age of ['29 days', '31 days', '364 days', '367 days']) await add(age);
    const left = () => sql("SELECT target, address FROM audit_event WHERE action = 'old' ORDER BY at DESC");
    await expect(sql("UPDATE audit_event SET address = NULL WHERE target = '29 days'")).rejects.toThrow(
      /only ever added/,
    );
    await expect(sql("UPDATE audit_event SET target = 'x', address = NULL WHERE target = '31 days'")).rejects.toThrow();
    await expect(sql("UPDATE audit_event SET address = '192.0.2.2' WHERE target = '31 days'")).rejects.toThrow();
    await expect(sql("DELETE FROM audit_event WHERE target = '364 days'")).rejects.toThrow(/only ever added/);
    expect(await left()).toHaveLength(4);
    const log = createAuditLog(server.app.database);
    while ((await log.sweep()) > 0);
    expect(await left()).toEqual([
      { target: '29 days', address: '192.0.2.1' },
      { target: '31 days', address: null },
      { target: '364 days', address: null },
    ]);
    expect((await events()).filter(({ address }) => address === '127.0.0.1').length).toBeGreaterThan(0);
  });

  it('T67 has one row of each change, with who, what it was and is, and from where', async () => {
    const from = { 'X-Forwarded-For': '192.0.2.44' };
    let target = '';
    const change = async (method: string, path: string, body?: unknown): Promise<Event> => {
      const before = (await events()).length;
      const answer = await admin.call(method, `/admin/api/clients${path.replace(':id', target)}`, body, from);
      expect([path, answer.status < 300]).toEqual([path, true]);
      if (target === '') target = String(answer.body.client_id);
      const added = (await events()).slice(before);
      expect(added).toHaveLength(1);
      const event = added[0] as Event;
      expect(event).toMatchObject({ actor: 'administrator root', target, address: '192.0.2.44' });
      const secret = String(answer.body.client_secret ?? 'no secret in this answer');
      expect(JSON.stringify(event)).not.toContain(secret);
      return event;
    };
    const shop = { name: 'Shop', redirect_uris: ['https://shop.example/a'], match_code: 'off' };
    expect(await change('POST', '', shop)).toMatchObject({
      action: 'client.create',
      detail: { dialect: 'oauth', ...shop, embed_origins: ['https://shop.example'] },
    });
    const moved = ['https://shop.example/b'];
    expect(await change('PATCH', '/:id', { redirect_uris: moved, default_max_age: 60 })).toMatchObject({
      action: 'client.update',
      detail: {
        changed: ['default_max_age', 'redirect_uris'],
        before: { default_max_age: null, redirect_uris: shop.redirect_uris },
        after: { default_max_age: 60, redirect_uris: moved },
      },
    });
    expect((await change('POST', '/:id/rotate-secret', { grace_seconds: 60 })).action).toBe('client.rotate-secret');
    expect((await change('POST', '/:id/disable', {})).action).toBe('client.disable');
    expect((await change('POST', '/:id/enable', {})).action).toBe('client.enable');
    await change('POST', '/:id/disable', {});
    expect(await change('DELETE', '/:id')).toMatchObject({
      action: 'client.delete',
      detail: { dialect: 'oauth', name: 'Shop', redirect_uris: moved },
    });
  });

  it('T67 has a row of each sign-in and sign-out, with how and from where', async () => {
    const before = (await events()).length;
    const own = await signInToConsole(server);
    await own.call('POST', '/admin/sign-out', {}, { 'X-Forwarded-For': '192.0.2.45' });
    const added = (await events()).slice(before);
    expect(added).toMatchObject([
      { actor: 'console', action: 'administrator.sign-in', detail: { method: 'password' }, address: '127.0.0.1' },
      { actor: 'administrator root', action: 'administrator.sign-out', address: '192.0.2.45' },
    ]);
    const [session] = added.map(({ detail }) => detail.session);
    expect(added.every(({ detail }) => detail.session === session)).toBe(true);
  });

  it('T67 has no row of what was refused', async () => {
    const before = await events();
    await admin.call('POST', '/admin/api/clients', { name: '' });
    await admin.call(
      'POST',
      '/admin/api/clients',
      { name: 'x', redirect_uris: ['https://a.example/'] },
      { Origin: '' },
    );
    await admin.call('DELETE', '/admin/api/clients/none');
    expect(await events()).toEqual(before);
  });
});
