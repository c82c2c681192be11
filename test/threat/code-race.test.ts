import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Cluster, startCluster } from '../support/cluster.js';
import { DOORS } from '../support/door.js';
import type { Phone } from '../support/phone.js';
import { forgetScans, person } from '../support/story.js';

describe('a code against two server processes', () => {
  const [ROUNDS, AT_ONCE] = [12, 20];
  let cluster: Cluster;
  let phone: Phone;
  beforeAll(async () => {
    cluster = await startCluster();
    phone = await person(cluster.registry.app, cluster.a);
  });
  afterAll(() => cluster?.stop());

  it.each(DOORS)(
    'T40: $dialect: twenty exchanges at once, twelve times, give one answer each, which dies with the race',
    async (door) => {
      const site = await door.register(cluster.registry.app, cluster.a);
      for (let round = 0; round < ROUNDS; round += 1) {
        await forgetScans(cluster.registry.database);
        const grant = await site.login(phone, { where: cluster.either(round) });
        const outcomes = await Promise.all(
          Array.from({ length: AT_ONCE }, (_, i) => site.exchange(grant, cluster.either(i))),
        );
        const won = outcomes.filter(({ ok }) => ok);
        expect(won).toHaveLength(1);
        for (const lost of outcomes.filter(({ ok }) => !ok)) {
          expect(lost.status).toBe(door.dialect === 'oauth' ? 400 : 200);
          expect(lost.error).toBe(door.says.used);
        }
        const { access_token: token, refresh_token: refresh } = won[0]?.body ?? {};
        // Tokens saved after a loser had ended the grant are left without one: as dead, in WeChat's words by another name.
        const dead = [door.says.tokenDead, door.says.refreshDead, door.says.grantGone];
        for (const node of [cluster.a, cluster.b]) {
          expect(dead).toContain((await site.userinfo(String(token), node)).error);
          if (refresh) expect(dead).toContain((await site.refresh(String(refresh), node)).error);
        }
      }
    },
  );

  it.each(DOORS)(
    'T40: $dialect: a replay at the other process ends the first answer, at once and after 30 s',
    async (door) => {
      const site = await door.register(cluster.registry.app, cluster.a);
      for (const later of [0, 30]) {
        await forgetScans(cluster.registry.database);
        const grant = await site.login(phone, { where: cluster.a });
        const first = await site.exchange(grant, cluster.a);
        expect(first.ok).toBe(true);
        await cluster.registry.database.sql(
          `UPDATE engine_record SET consumed_at = consumed_at - make_interval(secs => $1), expires_at = expires_at - make_interval(secs => $1)
         WHERE kind = 'AuthorizationCode' AND expires_at > now()`,
          [later],
        );
        expect((await site.exchange(grant, cluster.b)).error).toBe(door.says.used);
        expect((await site.userinfo(String(first.body.access_token), cluster.a)).error).toBe(door.says.tokenDead);
      }
    },
  );
});
