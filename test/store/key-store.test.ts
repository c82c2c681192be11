import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { ConfigError } from '../../src/config.js';
import { type Database, openDatabase } from '../../src/database/database.js';
import { migrationSource } from '../../src/database/migrations.js';
import { ALL_SERIES, type Series, SIGNING_SERIES } from '../../src/key/key-life.js';
import { type KeyRing, openKeyRing } from '../../src/key/key-ring.js';
import type { KeyService } from '../../src/key/key-service.js';
import { newKey, type ServerKeys } from '../../src/key/server-keys.js';
import { createTestDatabase, type TestDatabase } from '../support/database.js';
import { ageKeys, keyService } from '../support/keys.js';

const [SECRET, OTHER] = ['Vq0b7J1sXoZk3yQ9wT5uRfLm8NcHdPeA', 'Kd9sLw2mTzXc4vBn6yHu8jGf1qRe3aPo'];
const PRIVATE = ['d', 'p', 'q', 'dp', 'dq', 'qi'];
const NODES = 4;

let test: TestDatabase;
let databases: Database[];
let nodes: KeyService[];
beforeAll(async () => {
  test = await createTestDatabase({ keys: false });
  databases = Array.from({ length: NODES }, () => openDatabase(test.url));
  nodes = databases.map((database) => keyService(database));
  await Promise.all(nodes.map((node) => node.prepare()));
});
afterAll(async () => {
  await Promise.all((databases ?? []).map((database) => database.close()));
  await test?.drop();
});

const first = () => nodes[0] as KeyService;
const states = async (series: Series) =>
  (await first().list()).filter((key) => key.series === series).map(({ state }) => state);
const kids = ({ signing }: ServerKeys, alg: string) =>
  signing.filter((key) => key.alg === alg).map(({ kid }) => kid as string);
const audited = () => test.sql("SELECT actor, action, target, detail FROM audit_event WHERE action LIKE 'key.%'");

describe('the keys of a new server', () => {
  it('are one of each kind, however many nodes start at once, and each fit for one algorithm only', async () => {
    const [keys, ...others] = await Promise.all(nodes.map((node) => node.load()));
    for (const other of others) expect(other).toEqual(keys);
    expect(keys?.signing.map(({ alg, use, kty, crv }) => [alg, use, kty, crv])).toEqual([
      ['RS256', 'sig', 'RSA', undefined],
      ['PS256', 'sig', 'RSA', undefined],
      ['ES256', 'sig', 'EC', 'P-256'],
      ['EdDSA', 'sig', 'OKP', 'Ed25519'],
    ]);
    const moduli = keys?.signing.flatMap(({ n }) => (n === undefined ? [] : [n])) ?? [];
    expect(new Set(moduli).size).toBe(2);
    for (const n of moduli) expect(Buffer.from(n, 'base64url').length * 8).toBeGreaterThanOrEqual(2048);
    expect(new Set(keys?.signing.map(({ kid }) => kid)).size).toBe(4);
    for (const { kid } of keys?.signing ?? []) expect(kid).toMatch(/^[\w-]{12}$/);
    const secrets = [...(keys?.cookies ?? []), keys?.subject, keys?.csrf, keys?.dpop];
    expect(new Set(secrets).size).toBe(4);
    for (const secret of secrets) expect(Buffer.from(secret as string, 'base64url')).toHaveLength(32);
  });

  it('sign at once', async () => {
    for (const series of ALL_SERIES) expect(await states(series)).toEqual(['current']);
  });
});

describe('the keys of a server that is updated', () => {
  it('go on as the current ones, and those of new algorithms join them', async () => {
    const old = await createTestDatabase({ empty: true });
    const database = openDatabase(old.url);
    try {
      const known = (await migrationSource.getMigrations([])).filter((one) => one[0] < '0010');
      await database.knex.migrate.latest({ migrationSource: { ...migrationSource, getMigrations: async () => known } });
      const rows = [
        ['sign-ES256-1', 'sign', (await newKey({ purpose: 'sign', series: 'ES256' })).material],
        ['cookie-1', 'cookie', { secret: 'c'.repeat(43) }],
        ['subject-1', 'subject', { secret: 's'.repeat(43) }],
        ['csrf-1', 'csrf', { secret: 'f'.repeat(43) }],
      ] as const;
      for (const [id, purpose, material] of rows) {
        await old.sql(
          "INSERT INTO server_key (id, purpose, material, created_at) VALUES ($1, $2, $3, now() - interval '30 days')",
          [id, purpose, material],
        );
      }
      await database.migrate();
      const service = keyService(database);
      await service.prepare();
      const keys = await service.load();
      expect(kids(keys, 'ES256')).toEqual([(rows[0][2] as { kid?: string }).kid]);
      expect(keys.signing.map(({ alg }) => alg)).toEqual([...SIGNING_SERIES]);
      expect(keys).toMatchObject({ cookies: ['c'.repeat(43)], subject: 's'.repeat(43), csrf: 'f'.repeat(43) });
      // It has signed for thirty days already.
      expect((await service.rotateDue(31)).map(({ series }) => series)).toEqual(['ES256']);
    } finally {
      await database.close();
      await old.drop();
    }
  });
});

describe('a rotation', () => {
  afterEach(() => ageKeys(test, 24 * 40));

  it.each(ALL_SERIES.map((series) => [series]))('of %s by every node at once makes one key', async (series) => {
    // RSA keys take long to make.
    const rounds = series === 'RS256' || series === 'PS256' ? 1 : 3;
    for (let round = 0; round < rounds; round += 1) {
      const before = await test.sql('SELECT 1 FROM server_key WHERE series = $1', [series]);
      const done = await Promise.all(nodes.map((node) => node.rotate('test', series)));
      expect(done.map(({ outcome }) => outcome).sort()).toEqual(['made', 'waiting', 'waiting', 'waiting']);
      expect(new Set(done.map(({ key }) => key.name)).size).toBe(1);
      expect(await test.sql('SELECT 1 FROM server_key WHERE series = $1', [series])).toHaveLength(before.length + 1);
      await ageKeys(test, 24 * 40);
    }
  });

  it('that is due is made by one node of all, a lead before the old key has signed for its days', async () => {
    await ageKeys(test, 24 * 100);
    await first().sweep();
    for (let round = 0; round < 2; round += 1) {
      const due = await Promise.all(nodes.map((node) => node.rotateDue(90)));
      expect(
        due
          .flat()
          .map(({ series }) => series)
          .sort(),
      ).toEqual([...ALL_SERIES].sort());
      expect((await Promise.all(nodes.map((node) => node.rotateDue(90)))).flat()).toEqual([]);
      for (const series of ALL_SERIES) expect(await states(series)).toContain('next');
      // The key signs a day (cookies: two minutes) from now; 89 days after that its successor is made.
      await ageKeys(test, 24 * 89);
      expect((await first().rotateDue(90)).map(({ series }) => series)).toEqual([]);
      await ageKeys(test, 24 + 1);
    }
    expect(await audited()).toContainEqual(expect.objectContaining({ actor: 'server', action: 'key.rotate' }));
  });

  it('publishes the next key at once, lets it sign a day later, and forgets the old one a day after that', async () => {
    await ageKeys(test, 24 * 40);
    await first().sweep();
    const [before] = kids(await first().load(), 'ES256') as [string];
    const { key, outcome } = await first().rotate('test', 'ES256');
    expect(outcome).toBe('made');
    expect(kids(await first().load(), 'ES256')).toEqual([before, key.name]);
    await ageKeys(test, 23.9);
    expect(kids(await first().load(), 'ES256')).toEqual([before, key.name]);
    await ageKeys(test, 0.2);
    expect(kids(await first().load(), 'ES256')).toEqual([key.name, before]);
    await ageKeys(test, 23.7);
    expect(kids(await first().load(), 'ES256')).toEqual([key.name, before]);
    expect(await first().sweep()).toBe(0);
    await ageKeys(test, 0.4);
    expect(kids(await first().load(), 'ES256')).toEqual([key.name]);
    expect(await first().sweep()).toBe(1);
    expect(await states('ES256')).toEqual(['current']);
    expect(await audited()).toContainEqual({
      actor: 'test',
      action: 'key.rotate',
      target: key.name,
      detail: { series: 'ES256', signs_at: key.signsAt.toISOString(), grace_seconds: 86_400 },
    });
  });

  it('keeps the old key for as long as it is told', async () => {
    const { key } = await first().rotate('test', 'PS256', { graceSeconds: 3600 });
    const old = (await first().list()).find(({ series, state }) => series === 'PS256' && state === 'current');
    expect((old?.endsAt?.getTime() ?? 0) - key.signsAt.getTime()).toBe(3_600_000);
  });

  it('in a hurry signs when every node knows the key, also one that was waiting', async () => {
    const [before] = kids(await first().load(), 'EdDSA') as [string];
    const made = await first().rotate('test', 'EdDSA', { soon: true });
    expect(made.outcome).toBe('made');
    expect(made.key.signsAt.getTime() - made.key.createdAt.getTime()).toBe(120_000);
    await ageKeys(test, 121 / 3600);
    expect(kids(await first().load(), 'EdDSA').slice(0, 2)).toEqual([made.key.name, before]);

    const waiting = await first().rotate('test', 'EdDSA');
    await ageKeys(test, 1);
    expect((await first().rotate('test', 'EdDSA')).outcome).toBe('waiting');
    const forward = await first().rotate('test', 'EdDSA', { soon: true, graceSeconds: 7200 });
    expect([forward.outcome, forward.key.name]).toEqual(['brought_forward', waiting.key.name]);
    const [signer, old] = kids(await first().load(), 'EdDSA');
    expect([signer, old]).toEqual([waiting.key.name, made.key.name]);
    const oldKey = (await first().list()).find(({ name }) => name === old);
    expect((oldKey?.endsAt?.getTime() ?? 0) - forward.key.signsAt.getTime()).toBe(7_200_000);
  });

  it('never puts off a key that would sign sooner', async () => {
    const { key } = await first().rotate('test', 'RS256');
    await ageKeys(test, 24 - 1 / 60);
    const before = (await first().list()).find(({ name }) => name === key.name);
    const again = await first().rotate('test', 'RS256', { soon: true });
    expect(again.key.signsAt.getTime()).toBeLessThanOrEqual(before?.signsAt.getTime() ?? 0);
  });
});

describe('an emergency', () => {
  it('leaves one key that signs at once, whoever else rotates at that moment', async () => {
    for (let round = 0; round < 6; round += 1) {
      const before = kids(await first().load(), 'ES256');
      await Promise.all([
        nodes[1]?.rotate('test', 'ES256').catch(() => {}),
        nodes[0]?.replaceAtOnce('test', ['ES256']),
        nodes[2]?.rotate('test', 'ES256', { soon: true }).catch(() => {}),
        nodes[3]?.rotateDue(1).catch(() => {}),
      ]);
      const after = kids(await first().load(), 'ES256');
      for (const kid of before) expect(after).not.toContain(kid);
      // What rotated after it waits behind it.
      expect((await states('ES256')).filter((state) => state === 'current')).toHaveLength(1);
      expect(await test.sql("SELECT 1 FROM server_key WHERE series = 'ES256' AND ends_at IS NULL")).toHaveLength(1);
    }
  });

  it('by two at once ends with the keys of one of them', async () => {
    const done = await Promise.all(nodes.slice(0, 2).map((node) => node.replaceAtOnce('test', SIGNING_SERIES)));
    const names = done.flat().map(({ name }) => name);
    const living = await first().load();
    expect(living.signing).toHaveLength(4);
    for (const { kid } of living.signing) expect(names).toContain(kid);
    expect(await audited()).toContainEqual(expect.objectContaining({ actor: 'test', action: 'key.replace-at-once' }));
  });
});

describe('a node', () => {
  const rings: KeyRing[] = [];
  afterEach(() => {
    for (const ring of rings.splice(0)) ring.stop();
  });
  const open = async (node: KeyService, onError: (error: unknown) => void = () => {}, rotationDays = 0) => {
    const ring = await openKeyRing(node, { rotationDays, onError, everyMs: 20 });
    rings.push(ring);
    return ring;
  };
  beforeEach(() => ageKeys(test, 24 * 40));

  it('T70: learns by itself of what another did, in the same order', async () => {
    const [a, b] = [await open(nodes[0] as KeyService), await open(nodes[1] as KeyService)];
    const heard: number[] = [];
    b.onChange(({ cookies }) => heard.push(cookies.length));
    const { key } = await first().rotate('test', 'RS256');
    for (const ring of [a, b]) await expect.poll(() => kids(ring.current(), 'RS256')).toContain(key.name);
    await first().rotate('test', 'cookie');
    for (const ring of [a, b]) await expect.poll(() => ring.current().cookies.length).toBeGreaterThan(1);
    await expect.poll(() => heard.length).toBe(2);
    expect(a.current()).toEqual(b.current());
  });

  it('T70: makes what is due by itself, and the other node follows', async () => {
    await ageKeys(test, 24 * 100);
    const [a, b] = [
      await open(nodes[0] as KeyService, undefined, 90),
      await open(nodes[1] as KeyService, undefined, 90),
    ];
    for (const ring of [a, b]) await expect.poll(() => ring.current().signing.length).toBe(8);
    expect(a.current()).toEqual(b.current());
  });

  it('rotates nothing when it is told so', async () => {
    await ageKeys(test, 24 * 4000);
    await first().sweep();
    const ring = await open(first(), undefined, 0);
    const before = ring.current();
    await ring.refresh();
    await expect.poll(() => ring.current()).not.toBe(before);
    expect(ring.current()).toEqual(before);
  });

  it('keeps the keys it has while they cannot be read, and goes on when they can', async () => {
    const errors: unknown[] = [];
    const ring = await open(first(), (error) => errors.push(error));
    const before = ring.current();
    await test.sql('ALTER TABLE server_key RENAME TO hidden');
    await expect.poll(() => errors.length).toBeGreaterThan(1);
    await expect(ring.refresh()).rejects.toThrow();
    expect(ring.current()).toEqual(before);
    await test.sql('ALTER TABLE hidden RENAME TO server_key');
    const { key } = await first().rotate('test', 'ES256');
    await expect.poll(() => kids(ring.current(), 'ES256')).toContain(key.name);
  });

  it('tells a listener that failed once more', async () => {
    const errors: unknown[] = [];
    const ring = await open(first(), (error) => errors.push(error));
    let calls = 0;
    ring.onChange(() => {
      calls += 1;
      if (calls === 1) throw new Error('not now');
    });
    await first().rotate('test', 'ES256');
    await expect.poll(() => calls).toBe(2);
    expect(errors).toHaveLength(1);
  });
});

describe('T70: keys at rest', () => {
  let sealed: TestDatabase;
  let database: Database;
  beforeEach(async () => {
    sealed = await createTestDatabase({ keys: false });
    database = openDatabase(sealed.url);
  });
  afterEach(async () => {
    await database.close();
    await sealed.drop();
  });
  const dump = async () => JSON.stringify(await sealed.sql('SELECT * FROM server_key'));
  const secretsOf = ({ signing, cookies, subject, csrf, dpop }: ServerKeys) => [
    ...signing.flatMap((key) => PRIVATE.map((part) => (key as Record<string, unknown>)[part])),
    ...cookies,
    subject,
    csrf,
    dpop,
  ];
  const hidesAll = async (keys: ServerKeys) => {
    const rows = await dump();
    const secrets = secretsOf(keys).filter((secret): secret is string => typeof secret === 'string');
    expect(secrets.length).toBeGreaterThan(15);
    for (const secret of secrets) expect(rows.includes(secret)).toBe(false);
    for (const { material } of await sealed.sql<{ material: object }>('SELECT material FROM server_key')) {
      expect(Object.keys(material)).toEqual(['sealed']);
    }
  };

  it('T70: a copy of the database holds no private part of a key, first, next or replaced', async () => {
    const service = keyService(database, SECRET);
    await service.prepare();
    await hidesAll(await service.load());
    await service.rotate('test', 'ES256');
    await service.replaceAtOnce('test', ['RS256', 'cookie']);
    await hidesAll(await service.load());
    expect((await service.list()).every((key) => key.sealed)).toBe(true);
    expect(JSON.stringify(await sealed.sql('SELECT * FROM audit_event'))).not.toMatch(/"(d|p|q|secret|sealed)"/);
  });

  it('T70: keys that lay open are sealed at the start with a secret, and stay the same keys', async () => {
    const open = keyService(database);
    await open.prepare();
    const before = await open.load();
    expect(await dump()).toContain(before.subject);
    await Promise.all([keyService(database, SECRET).prepare(), keyService(database, SECRET).prepare()]);
    expect(await keyService(database, SECRET).load()).toEqual(before);
    await hidesAll(before);
  });

  it.each<[string, string | undefined]>([
    ['another KEYS_SECRET', OTHER],
    ['no KEYS_SECRET', undefined],
  ])('T70: %s for sealed keys is a wrong setting, and changes nothing', async (_what, secret) => {
    await keyService(database, SECRET).prepare();
    const before = await dump();
    // A kind of key that is missing must not be made with the wrong secret.
    await sealed.sql("DELETE FROM server_key WHERE series = 'PS256'");
    const without = await dump();
    await expect(keyService(database, secret).prepare()).rejects.toThrow(ConfigError);
    await expect(openKeyRing(keyService(database, secret), { rotationDays: 1, onError() {} })).rejects.toThrow(
      /KEYS_SECRET/,
    );
    expect(await dump()).toBe(without);
    expect(before).not.toBe(without);
  });

  it('T70: nodes with different secrets that start a new server together end with the keys of one', async () => {
    const outcomes = await Promise.all(
      [SECRET, OTHER].map((secret) =>
        keyService(database, secret)
          .prepare()
          .then(
            () => secret,
            (error: unknown) => error,
          ),
      ),
    );
    const winner = outcomes.find((outcome) => typeof outcome === 'string') as string;
    expect(outcomes.find((outcome) => typeof outcome !== 'string')).toBeInstanceOf(ConfigError);
    expect((await keyService(database, winner).load()).signing).toHaveLength(4);
  });
});
