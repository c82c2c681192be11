/** Answers to devices where races can be held still: between what was read and what is written. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createDeviceAnswers, type DeviceAnswers, type DeviceAnswersDeps } from '../../src/engine/device-answers.js';
import { hashSecret } from '../../src/secret.js';
import { ageDevice, type Device, deviceOf, type Shown } from '../support/device.js';
import { engineOf, type TestEngine } from '../support/engine.js';
import type { Phone } from '../support/phone.js';
import { type OauthSite, oauthSite } from '../support/relying-party.js';
import { startApp, type TestApp } from '../support/start-app.js';
import { person } from '../support/story.js';

describe('the answer to a device', () => {
  let server: TestApp;
  let engine: TestEngine;
  let site: OauthSite;
  let device: Device;
  let phone: Phone & { accountId: string };
  beforeAll(async () => {
    server = await startApp();
    engine = await engineOf(server);
    site = await oauthSite(server.app, server, { deviceFlow: true });
    device = deviceOf(server, site);
    phone = await person(server.app, server);
  });
  afterAll(() => server?.stop());

  const answers = (more: Partial<DeviceAnswersDeps> = {}): DeviceAnswers =>
    createDeviceAnswers(engine.provider, {
      records: engine.records,
      findClient: (id) => server.app.clients.active(id),
      activeAccount: (id) => server.app.accounts.active(id),
      sessionLives: async (id) => id === 'living',
      scopesOfResource: async () => undefined,
      openid: engine.subjects.openid,
      ...more,
    });
  /** Something happens after the last look at the request, and before the answer is written. */
  const answersAfter = (meanwhile: () => Promise<unknown>): DeviceAnswers =>
    answers({
      records: {
        ...engine.records,
        decide: async (...decision) => {
          await meanwhile();
          return engine.records.decide(...decision);
        },
      },
    });
  const subject = () => ({ accountId: phone.accountId, authTime: 1_700_000_000, amr: ['pwd', 'qr'] });
  const keyOf = (shown: Shown) => hashSecret(shown.device_code);
  const ask = async () => (await device.ask()).shown;
  const grants = async () => (await server.database.sql(`SELECT 1 FROM engine_record WHERE kind = 'Grant'`)).length;
  const errorOf = async (shown: Shown) => (await device.poll(shown)).json().error;

  it('holds when and how the person signed in', async () => {
    const shown = await ask();
    await answers().allow(keyOf(shown), subject(), 'living');
    const { id_token: idToken } = (await device.poll(shown)).json<{ id_token: string }>();
    const claims = JSON.parse(Buffer.from(idToken.split('.')[1] as string, 'base64url').toString());
    expect(claims).toMatchObject({ auth_time: 1_700_000_000, amr: ['pwd', 'qr'] });
    expect(claims.sub).toBe(engine.subjects.openid(site.clientId, phone.accountId));
  });

  it('T20 is none when the phone’s session has ended, and leaves no grant', async () => {
    const [shown, before] = [await ask(), await grants()];
    await expect(answers().allow(keyOf(shown), subject(), 'ended')).rejects.toMatchObject({ code: 'gone' });
    expect([await grants(), await errorOf(shown)]).toEqual([before, 'authorization_pending']);
  });

  it('T20 is none of an account that may no longer sign in', async () => {
    const shown = await ask();
    const cutOff = answers({ activeAccount: async () => undefined });
    await expect(cutOff.allow(keyOf(shown), subject(), 'living')).rejects.toMatchObject({ code: 'forbidden' });
    expect(await errorOf(shown)).toBe('authorization_pending');
  });

  it('is none to a client that may have devices no longer', async () => {
    const shown = await ask();
    const changed = answers({
      findClient: async (id) => {
        const client = await server.app.clients.active(id);
        return client && { ...client, deviceFlow: false };
      },
    });
    expect(await changed.find(shown.user_code.replace('-', ''))).toBeUndefined();
    await expect(changed.allow(keyOf(shown), subject(), 'living')).rejects.toMatchObject({ code: 'gone' });
  });

  it('T5 is worth tokens to one of two polls that both found it, and then to neither', async () => {
    const [shown, before] = [await ask(), await grants()];
    await answers().allow(keyOf(shown), subject(), 'living');
    const find = () => engine.provider.DeviceCode.find(shown.device_code);
    const [one, two] = [await find(), await find()];
    await one?.consume();
    await expect(two?.consume()).rejects.toMatchObject({ error: 'invalid_grant' });
    expect(await grants()).toBe(before);
  });

  it('comes too late when the code ends in between', async () => {
    const [shown, before] = [await ask(), await grants()];
    const late = answersAfter(() => ageDevice(server.database.sql, shown));
    await expect(late.allow(keyOf(shown), subject(), 'living')).rejects.toMatchObject({ code: 'gone' });
    await expect(late.refuse(keyOf(shown))).rejects.toMatchObject({ code: 'gone' });
    expect([await grants(), await errorOf(shown)]).toEqual([before, 'expired_token']);
  });

  it.each(['allowed', 'denied'] as const)('comes too late when it is %s in between', async (how) => {
    const [shown, before] = [await ask(), await grants()];
    const first = () =>
      how === 'allowed' ? answers().allow(keyOf(shown), subject(), 'living') : answers().refuse(keyOf(shown));
    const late = answersAfter(first);
    await expect(late.allow(keyOf(shown), subject(), 'living')).rejects.toMatchObject({ code: 'gone' });
    expect(await grants()).toBe(how === 'allowed' ? before + 1 : before);
    const answer = await device.poll(shown);
    expect(answer.status === 200 ? 'tokens' : answer.json().error).toBe(how === 'allowed' ? 'tokens' : 'access_denied');
  });
});
