import { describe, expect, it } from 'vitest';
import { ConfigError, isLoopbackHost, isPrivateHost, loadConfig } from '../../src/config.js';

const mistakesOf = (env: Record<string, string>): string[] => {
  try {
    loadConfig(env);
    return [];
  } catch (error) {
    if (error instanceof ConfigError) return error.mistakes;
    throw error;
  }
};
/** Names of the settings that are reported, in order. */
const wrongIn = (env: Record<string, string>) => mistakesOf(env).map((mistake) => mistake.split(':')[0]);

describe('settings', () => {
  it('all have a default, and together they make a demo on this machine with a private database', () => {
    const config = loadConfig({});
    expect(config).toMatchObject({
      port: 3000,
      host: '127.0.0.1',
      publicUrl: 'http://localhost:3000',
      databaseUrl: undefined,
      demo: true,
      demoPort: 3001,
      trustedProxies: [],
      countryHeader: undefined,
      certificateHeader: undefined,
      logLevel: 'info',
      admin: undefined,
      secureCookies: true,
      ticketSeconds: 120,
      ticketLimits: { perAddress: 100, perClient: 10_000, inAll: 50_000 },
      keysSecret: undefined,
      keyRotationDays: 90,
    });
    expect(config.dataDir).toMatch(/\/data$/);
    expect(Object.isFrozen(config)).toBe(true);
  });

  it('are the same when they are empty or blank', () => {
    const names = [
      'PORT',
      'HOST',
      'PUBLIC_URL',
      'DATABASE_URL',
      'DATA_DIR',
      'DEMO',
      'LOG_LEVEL',
      'TRUSTED_PROXIES',
      'ADMIN_USERNAME',
      'ADMIN_PASSWORD',
      'KEYS_SECRET',
      'KEY_ROTATION_DAYS',
    ];
    expect(loadConfig(Object.fromEntries(names.map((name) => [name, ''])))).toEqual(loadConfig({}));
    expect(loadConfig({ PORT: ' 8080 ' }).port).toBe(8080);
  });

  it('report all mistakes together, each with its name', () => {
    const env = {
      PORT: '0',
      PUBLIC_URL: 'login.example.com',
      DATABASE_URL: 'mysql://localhost/x',
      LOG_LEVEL: 'verbose',
      DEMO: 'maybe',
      TICKET_SECONDS: '59',
      TICKETS_PER_ADDRESS: '0',
      TICKETS_PER_CLIENT: '-1',
      TICKETS_IN_ALL: 'many',
      KEYS_SECRET: 'too short',
      KEY_ROTATION_DAYS: 'never',
      TRUSTED_PROXIES: 'my-proxy',
      ADMIN_USERNAME: 'root',
    };
    expect(new Set(wrongIn(env))).toEqual(
      new Set([...Object.keys(env).filter((n) => n !== 'ADMIN_USERNAME'), 'ADMIN_PASSWORD']),
    );
    try {
      loadConfig(env);
    } catch (error) {
      for (const mistake of (error as ConfigError).mistakes) expect((error as Error).message).toContain(mistake);
    }
  });

  it.each<[string, string[]]>([
    ['PORT', ['0', '65536', '-1', '80.5', '0x50', 'http', '1e3', '+80']],
    ['DEMO_PORT', ['0', '65536', 'x']],
    ['TICKET_SECONDS', ['59', '301', '', '60.5', '1e2'].filter(Boolean)],
    ['KEY_ROTATION_DAYS', ['-1', '3651', '90d', '1.5', 'off']],
    ['KEYS_SECRET', ['short', 'x'.repeat(31), 'x'.repeat(64), 'abcabcabc'.repeat(8)]],
    ['LOG_LEVEL', ['trace', 'INFO', '0']],
    ['DEMO', ['maybe', '2']],
    ['DATABASE_URL', ['mysql://x', 'localhost:5432', 'http://x']],
    ['TRUSTED_PROXIES', ['proxy.internal', '10.0.0.0/8, anywhere', '10.0.0.0/1234']],
  ])('%s is refused when it cannot be what it says', (name, values) => {
    for (const value of values) expect(wrongIn({ [name]: value }), value).toContain(name);
  });

  it.each<[string, string[]]>([
    ['PORT', ['1', '65535', '8080']],
    ['TICKET_SECONDS', ['60', '300']],
    ['KEY_ROTATION_DAYS', ['0', '1', '90', '3650']],
    ['KEYS_SECRET', ['0123456789abcdef'.repeat(2), 'Vq0b7J1sXoZk3yQ9wT5uRfLm8NcHdPeA+/=']],
    ['LOG_LEVEL', ['debug', 'info', 'warn', 'error', 'silent']],
    ['DEMO', ['on', 'off', '1', '0', 'TRUE', 'no']],
    ['DATABASE_URL', ['postgres://u:p@db/x', 'postgresql://db/x', 'postgres:///x?host=/run/postgresql']],
    ['TRUSTED_PROXIES', ['10.0.0.1', '10.0.0.0/8,::1', 'loopback', 'fd00::/8 , uniquelocal']],
  ])('%s is taken when it can', (name, values) => {
    for (const value of values) expect(wrongIn({ [name]: value }), value).not.toContain(name);
  });

  it('turn the demo on for a private database outside production only, unless told', () => {
    const database = { DATABASE_URL: 'postgres://db/x' };
    const production = { NODE_ENV: 'production', PUBLIC_URL: 'https://login.example.com' };
    expect(loadConfig({}).demo).toBe(true);
    expect(loadConfig(database).demo).toBe(false);
    expect(loadConfig(production).demo).toBe(false);
    expect(loadConfig({ ...database, DEMO: 'on' }).demo).toBe(true);
    expect(loadConfig({ DEMO: 'off' }).demo).toBe(false);
  });

  it('keep the demo on another port than the server', () => {
    expect(wrongIn({ PORT: '4000', DEMO_PORT: '4000' })).toEqual(['DEMO_PORT']);
    expect(loadConfig({ PORT: '65535' }).demoPort).toBe(3001);
    expect(wrongIn({ PORT: '4000', DEMO_PORT: '4000', DEMO: 'off' })).toEqual([]);
  });
});

describe('PUBLIC_URL', () => {
  it.each([
    ['https://login.example.com', 'https://login.example.com'],
    ['https://login.example.com/', 'https://login.example.com'],
    ['HTTPS://Login.Example.COM:443', 'https://login.example.com'],
    ['https://login.example.com:8443', 'https://login.example.com:8443'],
    ['http://localhost:3000', 'http://localhost:3000'],
    ['http://127.0.0.1:3000', 'http://127.0.0.1:3000'],
  ])('%s becomes the issuer %s', (value, expected) => {
    expect(loadConfig({ PUBLIC_URL: value }).publicUrl).toBe(expected);
  });

  it.each([
    'login.example.com',
    'ftp://login.example.com',
    'https://login.example.com/auth',
    'https://login.example.com/?x=1',
    'https://login.example.com/#x',
    'https://user:pass@login.example.com',
    'http://login.example.com',
    'http://8.8.8.8',
    'javascript:alert(1)',
  ])('%s is refused', (value) => {
    expect(wrongIn({ PUBLIC_URL: value })).toEqual(['PUBLIC_URL']);
  });

  it('may be plain http on a private address while the demo is on, and then cookies are not Secure', () => {
    for (const value of [
      'http://192.168.1.20:3000',
      'http://10.0.0.5',
      'http://172.31.0.1',
      'http://laptop.local:3000',
    ]) {
      expect(loadConfig({ PUBLIC_URL: value }).secureCookies, value).toBe(false);
      expect(wrongIn({ PUBLIC_URL: value, DEMO: 'off' }), value).toEqual(['PUBLIC_URL']);
    }
    for (const value of ['http://172.32.0.1', 'http://192.169.1.1', 'http://11.0.0.1']) {
      expect(wrongIn({ PUBLIC_URL: value }), value).toEqual(['PUBLIC_URL']);
    }
  });

  it('decides what the server listens on: this machine only, or the network', () => {
    expect(loadConfig({ PUBLIC_URL: 'https://login.example.com' }).host).toBe('0.0.0.0');
    expect(loadConfig({ PUBLIC_URL: 'http://127.0.0.1:3000' }).host).toBe('127.0.0.1');
    expect(loadConfig({ HOST: '::' }).host).toBe('::');
  });

  it('must be said in production', () => {
    expect(wrongIn({ NODE_ENV: 'production' })).toEqual(['PUBLIC_URL']);
  });

  it('makes Secure cookies on https and on localhost', () => {
    expect(loadConfig({ PUBLIC_URL: 'https://login.example.com' }).secureCookies).toBe(true);
    expect(loadConfig({ PUBLIC_URL: 'http://localhost:3000' }).secureCookies).toBe(true);
  });
});

describe('COUNTRY_HEADER', () => {
  it('is believed only from a proxy that is trusted', () => {
    expect(wrongIn({ COUNTRY_HEADER: 'CF-IPCountry' })).toEqual(['COUNTRY_HEADER']);
    expect(loadConfig({ COUNTRY_HEADER: 'CF-IPCountry', TRUSTED_PROXIES: 'loopback' }).countryHeader).toBe(
      'cf-ipcountry',
    );
  });
});

describe('ADMIN_USERNAME and ADMIN_PASSWORD', () => {
  it('come together or not at all', () => {
    expect(wrongIn({ ADMIN_USERNAME: 'root' })).toEqual(['ADMIN_PASSWORD']);
    expect(wrongIn({ ADMIN_PASSWORD: 'correct horse battery staple' })).toEqual(['ADMIN_USERNAME']);
    expect(loadConfig({ ADMIN_USERNAME: 'root', ADMIN_PASSWORD: 'correct horse battery staple' }).admin).toEqual({
      username: 'root',
      password: 'correct horse battery staple',
    });
  });

  it.each([
    'short',
    'elevenchars',
    'password-password',
    'ChangeMe-ChangeMe',
    'example-of-a-secret',
    'qrconnect-2026-x',
    'root-is-in-here-1',
    'aaaaaaaaaaaaaaaa',
    'abababababababab',
    'x1y2'.repeat(70),
  ])('T61: a weak or published password is refused, with or without production: %s', (password) => {
    const production: Record<string, string> = { NODE_ENV: 'production', PUBLIC_URL: 'https://login.example.com' };
    for (const env of [{}, production]) {
      const mistakes = mistakesOf({ ...env, ADMIN_USERNAME: 'root', ADMIN_PASSWORD: password });
      expect(mistakes).toHaveLength(1);
      expect(mistakes[0]).toContain('ADMIN_PASSWORD');
      expect(mistakes[0]).not.toContain(password);
    }
  });

  it('keep the blanks a password begins or ends with', () => {
    const password = '  correct horse battery  ';
    expect(loadConfig({ ADMIN_USERNAME: 'root', ADMIN_PASSWORD: password }).admin?.password).toBe(password);
  });
});

describe('the hosts that are this machine or its network', () => {
  it.each(['localhost', '127.0.0.1', '127.1.2.3', '[::1]'])('%s is this machine', (host) => {
    expect(isLoopbackHost(host)).toBe(true);
  });

  it.each(['localhost.evil.example', '127.0.0.1.evil.example', '0.0.0.0', '128.0.0.1', '::1', ''])(
    '%s is not',
    (host) => {
      expect(isLoopbackHost(host)).toBe(false);
    },
  );

  it.each(['10.0.0.1.evil.example', '192.168.evil.example', 'evil.example', 'a.b.local', '8.8.8.8'])(
    '%s is not in the network',
    (host) => {
      expect(isPrivateHost(host)).toBe(false);
    },
  );
});

describe('KEYS_SECRET', () => {
  it('is kept as it is, and a wrong one is not repeated in the report', () => {
    const secret = '0123456789abcdef'.repeat(4);
    expect(loadConfig({ KEYS_SECRET: ` ${secret}\n` }).keysSecret).toBe(secret);
    expect(mistakesOf({ KEYS_SECRET: 'a-short-secret' })).toEqual([expect.stringContaining('openssl rand')]);
    expect(mistakesOf({ KEYS_SECRET: 'a-short-secret' })[0]).not.toContain('a-short-secret');
  });
});
