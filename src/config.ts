/** Environment -> one frozen Config. The only reader of process.env; every mistake is reported at once. */
import { networkInterfaces } from 'node:os';
import { resolve } from 'node:path';
import { weakPasswordReason } from './password-strength.js';

export interface Config {
  readonly port: number;
  readonly host: string;
  /** The issuer: scheme, host and port, no trailing slash. Every absolute URL is built from it. */
  readonly publicUrl: string;
  /** Undefined: the server keeps a private Postgres under dataDir. */
  readonly databaseUrl: string | undefined;
  readonly dataDir: string;
  readonly demo: boolean;
  readonly demoPort: number;
  /** Addresses or CIDR ranges whose X-Forwarded-For is believed. */
  readonly trustedProxies: readonly string[];
  /** Header in which a trusted proxy names the visitor's country (ISO 3166 alpha-2). */
  readonly countryHeader: string | undefined;
  /** Names the header in which a trusted proxy hands on a client's certificate. */
  readonly certificateHeader: string | undefined;
  readonly logLevel: LogLevel;
  readonly admin: { readonly username: string; readonly password: string } | undefined;
  /** `Secure` and `__Host-` cookies: off only on plain http to a private address, in demo mode. */
  readonly secureCookies: boolean;
  /** Seconds an unscanned ticket lives. */
  readonly ticketSeconds: number;
  /** Tickets that may be open at once, on all nodes together. */
  readonly ticketLimits: { readonly perAddress: number; readonly perClient: number; readonly inAll: number };
  /** Waiting pages that are held at once, from one address and by one node; more of them ask every few seconds instead. */
  readonly waiters: { readonly perAddress: number; readonly perNode: number };
  /** What the server's keys are sealed with in the database; undefined: they lie there as they are. */
  readonly keysSecret: string | undefined;
  /** How long a key signs before its successor does; 0: until a command says so. */
  readonly keyRotationDays: number;
}

const LOG_LEVELS = ['debug', 'info', 'warn', 'error', 'silent'] as const;
type LogLevel = (typeof LOG_LEVELS)[number];

/** All settings that were wrong, one line each. The process exits with status 78 (EX_CONFIG). */
export class ConfigError extends Error {
  constructor(readonly mistakes: string[]) {
    super(`The settings have ${mistakes.length} mistake(s):\n${mistakes.map((m) => `  - ${m}`).join('\n')}`);
    this.name = 'ConfigError';
  }
}

export function loadConfig(env: Record<string, string | undefined> = process.env): Config {
  const mistakes: string[] = [];
  const read = (name: string) => {
    const value = env[name]?.trim();
    return value === '' ? undefined : value;
  };
  const wrong = (name: string, what: string) => {
    mistakes.push(`${name}: ${what}`);
  };

  const production = read('NODE_ENV') === 'production';
  const databaseUrl = read('DATABASE_URL');
  if (databaseUrl && !/^postgres(ql)?:\/\//.test(databaseUrl)) {
    wrong('DATABASE_URL', 'must begin with postgres:// (or leave it unset for the private database)');
  }
  const demo = readSwitch(read('DEMO'), databaseUrl === undefined && !production, (m) => wrong('DEMO', m));
  const port = readInteger(read('PORT'), 3000, 1, 65535, (m) => wrong('PORT', m));
  const demoPort = readInteger(read('DEMO_PORT'), port < 65535 ? port + 1 : 3001, 1, 65535, (m) =>
    wrong('DEMO_PORT', m),
  );
  if (demo && demoPort === port) wrong('DEMO_PORT', 'must differ from PORT');
  const ticketSeconds = readInteger(read('TICKET_SECONDS'), 120, 60, 300, (m) => wrong('TICKET_SECONDS', m));
  const limit = (name: string, fallback: number) =>
    readInteger(read(name), fallback, 1, 10_000_000, (m) => wrong(name, m));
  const ticketLimits = {
    perAddress: limit('TICKETS_PER_ADDRESS', 100),
    perClient: limit('TICKETS_PER_CLIENT', 10_000),
    inAll: limit('TICKETS_IN_ALL', 50_000),
  };
  const waiters = {
    perAddress: readInteger(read('WAITERS_PER_ADDRESS'), 100, 1, 100_000, (m) => wrong('WAITERS_PER_ADDRESS', m)),
    perNode: readInteger(read('WAITERS_PER_NODE'), 8000, 1, 100_000, (m) => wrong('WAITERS_PER_NODE', m)),
  };
  const publicUrl = readPublicUrl(read('PUBLIC_URL') ?? `http://localhost:${port}`, demo, (m) =>
    wrong('PUBLIC_URL', m),
  );
  if (production && !demo && !read('PUBLIC_URL')) {
    wrong('PUBLIC_URL', 'must be set in production: the https address people reach this server under');
  }
  const logLevel = (read('LOG_LEVEL') ?? 'info') as LogLevel;
  if (!LOG_LEVELS.includes(logLevel)) wrong('LOG_LEVEL', `must be one of ${LOG_LEVELS.join(', ')}`);
  const trustedProxies = (read('TRUSTED_PROXIES') ?? '')
    .split(',')
    .map((s) => s.trim())
    .filter(Boolean);
  for (const proxy of trustedProxies) {
    if (!/^[0-9a-f.:]+(\/\d{1,3})?$/i.test(proxy) && !['loopback', 'linklocal', 'uniquelocal'].includes(proxy)) {
      wrong(
        'TRUSTED_PROXIES',
        `"${proxy.slice(0, 60)}" is not an address, a CIDR range, loopback, linklocal or uniquelocal`,
      );
    }
  }
  const countryHeader = read('COUNTRY_HEADER')?.toLowerCase();
  if (countryHeader && trustedProxies.length === 0) {
    wrong('COUNTRY_HEADER', 'is believed only from a trusted proxy: set TRUSTED_PROXIES as well');
  }
  const certificateHeader = read('CLIENT_CERTIFICATE_HEADER')?.toLowerCase();
  if (certificateHeader && trustedProxies.length === 0) {
    wrong('CLIENT_CERTIFICATE_HEADER', 'is believed only from a trusted proxy: set TRUSTED_PROXIES as well');
  }
  const keyRotationDays = readInteger(read('KEY_ROTATION_DAYS'), 90, 0, 3650, (m) => wrong('KEY_ROTATION_DAYS', m));
  const keysSecret = readKeysSecret(read('KEYS_SECRET'), (m) => wrong('KEYS_SECRET', m));
  const admin = readAdmin(read('ADMIN_USERNAME'), env.ADMIN_PASSWORD || undefined, wrong);
  if (mistakes.length > 0) throw new ConfigError(mistakes);

  const local = isLoopbackHost(new URL(publicUrl).hostname);
  return Object.freeze({
    port,
    host: read('HOST') ?? (local ? localAddress(publicUrl) : '0.0.0.0'),
    publicUrl,
    databaseUrl,
    dataDir: resolve(read('DATA_DIR') ?? 'data'),
    demo,
    demoPort,
    trustedProxies,
    countryHeader,
    certificateHeader,
    logLevel,
    admin,
    secureCookies: publicUrl.startsWith('https:') || new URL(publicUrl).hostname === 'localhost',
    ticketSeconds,
    ticketLimits,
    waiters,
    keysSecret,
    keyRotationDays,
  });
}

/** The address to give as PUBLIC_URL so that a phone on the same network can reach this machine. */
export function lanUrl(port: number): string | undefined {
  const addresses = Object.values(networkInterfaces()).flatMap((list) => list ?? []);
  const lan = addresses.find((a) => a.family === 'IPv4' && !a.internal && isPrivateHost(a.address));
  return lan && `http://${lan.address}:${port}`;
}

export function isLoopbackHost(hostname: string): boolean {
  return hostname === 'localhost' || hostname === '[::1]' || /^127(\.\d{1,3}){3}$/.test(hostname);
}

/** RFC 1918 addresses and mDNS names: where plain http may be tried from a real phone in demo mode. */
export function isPrivateHost(hostname: string): boolean {
  return (
    /^(10\.|192\.168\.|172\.(1[6-9]|2\d|3[01])\.|169\.254\.)[\d.]+$/.test(hostname) ||
    /^[a-z0-9-]+\.local$/i.test(hostname)
  );
}

function localAddress(publicUrl: string): string {
  return new URL(publicUrl).hostname === '[::1]' ? '::1' : '127.0.0.1';
}

function readInteger(
  value: string | undefined,
  fallback: number,
  min: number,
  max: number,
  wrong: (m: string) => void,
) {
  if (value === undefined) return fallback;
  const number = Number(value);
  if (/^\d+$/.test(value) && number >= min && number <= max) return number;
  wrong(`must be a whole number from ${min} to ${max}`);
  return fallback;
}

function readSwitch(value: string | undefined, fallback: boolean, wrong: (m: string) => void) {
  if (value === undefined) return fallback;
  if (['1', 'true', 'on', 'yes'].includes(value.toLowerCase())) return true;
  if (['0', 'false', 'off', 'no'].includes(value.toLowerCase())) return false;
  wrong('must be on or off');
  return fallback;
}

function readPublicUrl(value: string, demo: boolean, wrong: (m: string) => void): string {
  const fallback = 'http://localhost:3000';
  const url = URL.parse(value);
  if (!url || !['http:', 'https:'].includes(url.protocol)) {
    wrong('must be an absolute http(s) URL such as https://login.example.com');
    return fallback;
  }
  if (url.pathname !== '/' || url.search || url.hash || url.username || url.password) {
    wrong('must be only scheme, host and port, without a path, query, fragment or user name');
    return fallback;
  }
  if (url.protocol === 'http:' && !isLoopbackHost(url.hostname)) {
    if (!isPrivateHost(url.hostname)) wrong('must be https, except on localhost');
    else if (!demo) wrong('plain http on a private address works only with DEMO=on; use https');
  }
  return url.origin;
}

function readAdmin(username: string | undefined, password: string | undefined, wrong: (n: string, m: string) => void) {
  if (!username && !password) return undefined;
  if (!username || !password) {
    wrong(username ? 'ADMIN_PASSWORD' : 'ADMIN_USERNAME', 'must be set together with the other one');
    return undefined;
  }
  if (!/^[a-zA-Z0-9._@-]{1,64}$/.test(username)) wrong('ADMIN_USERNAME', 'may hold letters, digits and . _ @ - only');
  const weak = weakPasswordReason(password, username);
  if (weak) wrong('ADMIN_PASSWORD', weak);
  return { username, password };
}

/** It is no password and nobody types it: only its length and variety are asked for. */
function readKeysSecret(value: string | undefined, wrong: (m: string) => void): string | undefined {
  if (value === undefined || (value.length >= 32 && new Set(value).size >= 10)) return value;
  wrong('must be at least 32 random characters, such as "openssl rand -base64 32" makes');
  return undefined;
}
