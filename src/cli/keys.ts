/** `keys list | rotate`. */
import { GRACE, type Series, SIGNING_SERIES } from '../key/key-life.js';
import type { KeyInfo, Rotation } from '../key/key-service.js';
import { type Command, type Options, UsageError } from './command.js';
import { table } from './layout.js';

const list: Command = {
  usage: 'keys list [--json]',
  summary: 'the keys that sign tokens and cookies: next, current, old',
  options: {},
  prepare: () => async (services) => {
    const keys = await services.keys.list();
    const sealed = keys.every((key) => key.sealed);
    return { json: keys.map(toJson), text: [keyTable(keys), '', sealed ? SEALED : NOT_SEALED].join('\n') };
  },
};

const rotate: Command = {
  usage:
    'keys rotate [--alg RS256|PS256|ES256|EdDSA | --cookies] [--grace HOURS] [--now | --emergency] [--json]\n\n' +
    'Makes the next key of every signature algorithm, or of one; with --cookies, of the cookies. It is published at\n' +
    'once and signs after 24 hours, so that every site has seen it by then. The key it follows stays published for\n' +
    '24 more hours, or --grace (1 to 2160): what it signed is accepted until then. Nobody notices.\n\n' +
    '--now         signs in two minutes, when every node knows the key. Sites that keep our key set for long and do\n' +
    '              not fetch it again for an unknown key fail until they do.\n' +
    '--emergency   for a key that was stolen. The new key signs at once, the old ones are dropped at once: every ID\n' +
    '              token and JWT access token signed with them is refused, and with --cookies every browser is signed out.\n' +
    '              Nodes follow within 30 seconds; sites when they fetch the key set again.',
  summary: 'replace keys: in peace, now, or in an emergency',
  options: {
    alg: { type: 'string' },
    cookies: { type: 'boolean' },
    grace: { type: 'string' },
    now: { type: 'boolean' },
    emergency: { type: 'boolean' },
  },
  prepare(options) {
    const series = seriesOf(options);
    const graceSeconds = grace(options);
    const [soon, emergency] = [options.flag('now'), options.flag('emergency')];
    if (emergency && (soon || graceSeconds !== undefined)) {
      throw new UsageError('--emergency drops the old keys at once: leave --now and --grace away');
    }
    return async ({ keys }) => {
      if (emergency) {
        const made = await keys.replaceAtOnce('command line', series);
        return { json: made.map((key) => ({ ...toJson(key), outcome: 'replaced' })), text: emergencyText(made) };
      }
      const done: Rotation[] = [];
      for (const one of series) done.push(await keys.rotate('command line', one, { graceSeconds, soon }));
      return {
        json: done.map(({ key, outcome }) => ({ ...toJson(key), outcome })),
        text: done.map(said).join('\n'),
      };
    };
  },
};

export const keyCommands = { list, rotate };

const COOKIES: readonly Series[] = ['cookie'];
const SEALED = 'They lie sealed in the database.';
const NOT_SEALED = 'Not all of them lie sealed in the database: set KEYS_SECRET and restart every node.';

function seriesOf(options: Options): readonly Series[] {
  const alg = options.choice('alg', SIGNING_SERIES);
  if (!options.flag('cookies')) return alg ? [alg] : SIGNING_SERIES;
  if (alg) throw new UsageError('--cookies and --alg name different keys: rotate them one after the other');
  return COOKIES;
}

/** Seconds. */
function grace(options: Options): number | undefined {
  const text = options.optional('grace');
  if (text === undefined) return undefined;
  const seconds = /^\d{1,4}$/.test(text) ? Number(text) * 3600 : Number.NaN;
  if (seconds >= GRACE.least && seconds <= GRACE.most) return seconds;
  throw new UsageError(`--grace must be ${GRACE.least / 3600} to ${GRACE.most / 3600} hours; it is "${text}"`);
}

function said({ key, outcome }: Rotation): string {
  const when = `signs from ${key.signsAt.toISOString()} on`;
  if (outcome === 'made') return `${key.series}: ${key.name} is known from now on and ${when}.`;
  if (outcome === 'brought_forward') return `${key.series}: ${key.name} was waiting, and ${when}.`;
  return key.state === 'next'
    ? `${key.series}: ${key.name} waits already and ${when}; --now makes it sooner.`
    : `${key.series}: ${key.name} has just begun to sign.`;
}

function emergencyText(made: readonly KeyInfo[]): string {
  const cookies = made.some(({ series }) => series === 'cookie');
  return [
    ...made.map(({ series, name }) => `${series}: ${name} signs from now on; every other key is dropped.`),
    '',
    'Every node follows within 30 seconds.',
    cookies
      ? 'Browsers that were signed in, or in the middle of signing in, begin again.'
      : 'ID tokens and JWT access tokens signed before are refused; opaque tokens and sign-ins go on.\n' +
        'Sites that keep our key set fetch it again when they meet the new key; tell those that do not.',
  ].join('\n');
}

function keyTable(keys: readonly KeyInfo[]): string {
  const rows = keys.map(({ name, series, state, createdAt, signsAt, endsAt }) => {
    const dates = [createdAt, signsAt, endsAt].map((date) => date?.toISOString() ?? '');
    return [series, name, state, ...dates];
  });
  return table(['ALG', 'KEY', 'STATE', 'MADE', 'SIGNS FROM', 'KNOWN UNTIL'], rows);
}

function toJson({ name, series, state, createdAt, signsAt, endsAt, sealed }: KeyInfo) {
  const isCookie = series === 'cookie';
  return {
    ...(isCookie ? { use: 'cookie', id: name } : { use: 'sig', alg: series, kid: name }),
    state,
    created_at: createdAt.toISOString(),
    signs_at: signsAt.toISOString(),
    ends_at: endsAt?.toISOString() ?? null,
    sealed,
  };
}
