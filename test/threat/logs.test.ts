import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Cluster, startCluster } from '../support/cluster.js';
import { newProof, postToken } from '../support/door.js';
import { type RawAnswer, send } from '../support/http.js';
import { openPage, type WaitingPage } from '../support/page.js';
import { type Phone, type Scanned, signIn } from '../support/phone.js';
import { type OauthSite, oauthSite, type WechatSite, wechatSite } from '../support/relying-party.js';
import { until } from '../support/start-app.js';
import { forgetScans, login, person } from '../support/story.js';
import { findLeaks, tapWire, type Wire } from '../support/wire.js';

/** Everything two nodes and the app of this process write at debug level, while people sign in and things go wrong. */
describe('what the logs know', () => {
  let cluster: Cluster;
  let wire: Wire;
  let shop: WechatSite;
  let cafe: OauthSite;
  let phone: Phone & { username: string };
  beforeAll(async () => {
    // The engine and knex speak up at their own debug switch; even that must not tell.
    cluster = await startCluster({ NODE_DEBUG: 'http' });
    wire = tapWire();
    shop = await wechatSite(cluster.registry.app, cluster.a);
    cafe = await oauthSite(cluster.registry.app, cluster.a);
    phone = await person(cluster.registry.app, cluster.a);
  });
  afterAll(async () => {
    wire?.stop();
    await cluster?.stop();
  });

  const output = () => [cluster.a.output(), cluster.b.output(), cluster.registry.log()].join('\n');
  const ours = () =>
    output()
      .split('\n')
      .filter((line) => line.startsWith('{'));

  /** Every door, with every kind of secret in its hands, at whatever state the server is in. */
  const knockEverywhere = async (page: WaitingPage, scanned: Scanned, tokens: Record<string, string>) => {
    const at = cluster.a;
    const { query, verifier } = cafe.request();
    const answers: RawAnswer[] = [];
    const knock = async (work: Promise<RawAnswer>) => answers.push(await work);
    await knock(page.status());
    await knock(page.redeem());
    await knock(page.continue());
    await knock(page.renew());
    await knock(phone.open(page.qr));
    await knock(phone.post('/phone/scan', { scan_token: new URL(page.qr).pathname.slice(3), csrf: scanned.csrf }));
    await knock(phone.confirm(scanned, '00'));
    await knock(phone.deny(scanned));
    await knock(send(`${at.url}/connect/continue/${scanned.scanGrant}`, { port: at.port }));
    await knock(send(`${at.url}/connect/qrconnect?${new URLSearchParams(query)}`, { port: at.port }));
    await knock(send(`${at.url}/connect/qrconnect?${new URLSearchParams(shop.request())}`, { port: at.port }));
    await knock(send(`${at.url}/oauth/authorize?${new URLSearchParams(query)}`, { port: at.port }));
    await knock(shop.exchange(tokens.code as string));
    await knock(shop.refresh(tokens.refresh_token as string));
    await knock(shop.userinfo(tokens.access_token as string));
    await knock(shop.auth(tokens.access_token as string, tokens.openid as string));
    await knock(cafe.exchange(tokens.code as string, verifier));
    await knock(cafe.userinfo(tokens.access_token as string));
    await knock(cafe.refresh(tokens.refresh_token as string));
    await knock(phone.post('/phone/sign-in', { username: phone.username, password: 'a long enough one' }));
    await knock(
      phone.post('/admin/setup', { token: newProof().verifier, username: 'root', password: 'a wrong long one' }),
    );
    await knock(send(`${at.url}/admin/setup?token=${newProof().verifier}`, { port: at.port }));
    return answers;
  };
  const halfway = async () => {
    await forgetScans(cluster.registry.database);
    // Knocking everywhere signs in again, which ends the session before.
    phone = { ...(await signIn(cluster.a, phone.username, 'a long enough one')), username: phone.username };
    const { code } = await login(cluster.a, phone, shop.request());
    const tokens = (await shop.exchange(code)).json<Record<string, string>>();
    const page = await openPage(cluster.a, shop.request());
    const scanned = await phone.scan(page.qr);
    expect(scanned.answer.status).toBe(200);
    return { page, scanned, tokens: { ...tokens, code } };
  };
  const expectNoLeaks = async (lines: string) => {
    // Written when the answer is out: the last line may still be on its way.
    await until(() => output().includes(lines), `nothing was logged of ${lines}`);
    expect(findLeaks(output(), wire.secrets)).toEqual([]);
    expect(findLeaks(ours().join('\n'), wire.privates)).toEqual([]);
  };

  it('T86: whole logins in both dialects, at both nodes, leave no secret in any log', async () => {
    const { a, b } = cluster;
    for (const node of [a, b]) {
      const { code } = await login(node, phone, shop.request());
      const tokens = (await shop.exchange(code, {}, node)).json<Record<string, string>>();
      await shop.userinfo(tokens.access_token as string, { openid: tokens.openid as string }, node);
      await shop.refresh(tokens.refresh_token as string, {}, node);
      await shop.auth(tokens.access_token as string, tokens.openid as string, node);
      const { query, verifier } = cafe.request();
      const granted = await login(node, phone, query);
      const issued = (await cafe.exchange(granted.code, verifier, {}, node)).json<Record<string, string>>();
      await cafe.userinfo(issued.access_token as string, node);
      const again = await openPage(node, query);
      const scanned = await phone.scan(again.qr);
      await phone.deny(scanned);
      await again.redeem();
    }
    for (const name of ['code', 'access_token', 'refresh_token', 'id_token', 'password', 'scan_token', 'waitSecret']) {
      expect([...wire.secrets.keys()]).toContain(name);
    }
    for (const name of ['secret', 'csrf', 'scan_grant', 'code_verifier', 'cookie __Host-phone']) {
      expect([...wire.secrets.keys()]).toContain(name);
    }
    expect(ours().length).toBeGreaterThan(40);
    await expectNoLeaks('/sns/oauth2/access_token');
  });

  it('T86: refusals of every kind leave no secret in any log', async () => {
    const { page, scanned, tokens } = await halfway();
    const { url, port } = cluster.a;
    const statuses = (await knockEverywhere(page, scanned, tokens)).map(({ status }) => status);
    expect(statuses.filter((status) => status >= 400).length).toBeGreaterThan(8);
    await signIn(cluster.a, phone.username, 'not the password').catch(() => {});
    await postToken(cluster.a, { clientId: shop.clientId, secret: newProof().verifier }, { code: newProof().verifier });
    const headers = { 'content-type': 'application/json', origin: url, cookie: phone.cookie };
    const body = `{"password":"${newProof().verifier}", broken`;
    await send(`${url}/phone/sign-in`, { port, method: 'POST', headers, body });
    await send(`${url}/phone/sign-in`, { port, method: 'POST', headers, body: `{"token":"${'x'.repeat(70_000)}"}` });
    await send(`${url}/nowhere?access_token=${newProof().verifier}`, { port });
    await send(`${url}/nowhere?code=${newProof().verifier}`, { port });
    await send(`${url}/sns/userinfo?access_token=${newProof().verifier}&access_token=x`, { port });
    await send(`${url}/connect/qrconnect?${new URLSearchParams({ code: newProof().verifier })}`, { port });
    await send(`${url}/s/${newProof().verifier}`, { port });
    await expectNoLeaks('unknown');
  });

  it.each(['engine_record', 'ticket', 'client', 'account', 'password', 'phone_session', 'setup_token'])(
    'T86: an exception in every handler that needs the table %s leaves no secret in any log',
    async (table) => {
      const { page, scanned, tokens } = await halfway();
      const { database } = cluster.registry;
      await database.sql(`ALTER TABLE ${table} RENAME TO away`);
      let answers: RawAnswer[];
      try {
        answers = await knockEverywhere(page, scanned, tokens);
      } finally {
        await database.sql(`ALTER TABLE away RENAME TO ${table}`);
      }
      const broken = answers.filter(({ status, body }) => status === 500 || body.includes('"errcode":-1'));
      expect(broken.length).toBeGreaterThan(0);
      for (const { body } of broken) expect(body).not.toMatch(/relation|away|engine_record|SELECT|pg-pool|\.ts:|\.js:/);
      await expectNoLeaks(`relation \\"${table}\\" does not exist`);
    },
  );

  it('T86: a value the database itself complains about is not in the complaint', async () => {
    const { page, scanned, tokens } = await halfway();
    const { database } = cluster.registry;
    // Postgres names the failing row, with its values, in the error's detail.
    await database.sql("ALTER TABLE engine_record ADD CONSTRAINT never CHECK (key = '') NOT VALID");
    await database.sql("ALTER TABLE ticket ADD CONSTRAINT never CHECK (id = '') NOT VALID");
    try {
      const answers = await knockEverywhere(page, scanned, tokens);
      expect(answers.some(({ status }) => status === 500)).toBe(true);
    } finally {
      await database.sql('ALTER TABLE engine_record DROP CONSTRAINT never');
      await database.sql('ALTER TABLE ticket DROP CONSTRAINT never');
    }
    await expectNoLeaks('violates check constraint');
    expect(output()).not.toContain('Failing row');
  });

  it('T86: each line of ours has the fields of the allow-list, and a route template for an address', async () => {
    const lines = ours().map((line) => JSON.parse(line) as Record<string, unknown>);
    const requests = lines.filter(({ msg }) => msg === 'request');
    expect(requests.length).toBeGreaterThan(100);
    for (const line of requests) {
      expect(Object.keys(line).sort()).toEqual(['level', 'method', 'ms', 'msg', 'rid', 'route', 'status', 'time']);
      expect(line.route).toMatch(/^(\/[\w./:*-]*|engine|unknown|other)$/);
      expect(String(line.route)).not.toMatch(/[\w-]{22,}/);
    }
    for (const line of lines.filter(({ msg }) => msg !== 'request')) {
      for (const field of Object.keys(line))
        expect(['client', 'error', 'reason', 'level', 'time', 'rid', 'err', 'msg']).toContain(field);
    }
  });
});
