/** `clients update | disable | enable | rotate-secret`. */

import type { Services } from '../app.js';
import type { Client } from '../client/client.js';
import { clientToJson, oldSecretEnds } from '../client/client-json.js';
import { GRACE_SECONDS } from '../client/client-secret.js';
import { fields, notes, SHOWN_ONCE } from './client-record.js';
import { SETTING_OPTIONS, settingsUsage, toChange } from './client-settings.js';
import { type Command, type Options, UsageError } from './command.js';
import { record } from './layout.js';
import { tell } from './voice.js';

const ID = { id: { type: 'string' } } as const;

export const update: Command = {
  usage:
    `clients update <id> [--new-unionids] [--json]\n${settingsUsage('change')}\n\n` +
    'Only what is named changes. A list ("...") is replaced whole; --no-… switches off; an empty value ("") takes away\n' +
    'a union, callback domain, scope, age, key set, URI or list. Who begins to authenticate with a key has no secret any\n' +
    'more; who begins to do so with a secret gets a new one.\n\n' +
    'With another union, or none, every person gets another unionid at this client; a site that knows people by it\n' +
    'loses them. Such a change needs --new-unionids.',
  summary: 'change settings of a site or an app',
  options: { ...ID, ...SETTING_OPTIONS, 'new-unionids': { type: 'boolean' } },
  positional: 'id',
  prepare(options) {
    const id = options.required('id');
    const change = toChange(options);
    return async ({ clients }) => {
      const { client, secret, changed, ...known } = await clients.update('command line', id, change);
      const warnings = known.warnings.map(tell);
      const what = changed.length > 0 ? `Changed: ${changed.join(', ')}.` : 'Nothing changed: it was so already.';
      return {
        json: { ...clientToJson(client, secret), changed, warnings },
        text: [record(fields(client, secret)), '', what, ...(secret ? [SHOWN_ONCE] : []), ...notes(warnings)].join(
          '\n',
        ),
      };
    };
  },
};

export const disable = turn(
  'disable',
  'refuse a site or an app everywhere, with every token it holds',
  (services, id) => services.clients.disable('command line', id),
  'is disabled: its sign-ins, codes and tokens are refused from now on.',
);

export const enable = turn(
  'enable',
  'let a disabled site or app in again',
  (services, id) => services.clients.enable('command line', id),
  'is active.',
);

export const rotateSecret: Command = {
  usage: 'clients rotate-secret <id> [--grace 7d|12h|30m|0] [--json]',
  summary: 'give a site or an app a new secret; the old one works for seven more days, or as --grace says',
  options: { ...ID, grace: { type: 'string' } },
  positional: 'id',
  prepare(options) {
    const id = options.required('id');
    const seconds = grace(options);
    return async ({ clients }) => {
      const { client, secret, ...known } = await clients.rotateSecret('command line', id, seconds);
      const warnings = known.warnings.map(tell);
      const end = oldSecretEnds(client);
      const old = end ? `The old secret is accepted until ${end}.` : 'Every older secret is refused from now on.';
      return {
        json: { ...clientToJson(client, secret), warnings },
        text: [record(fields(client, secret)), '', SHOWN_ONCE, old, ...notes(warnings)].join('\n'),
      };
    };
  },
};

function turn(
  verb: string,
  summary: string,
  change: (services: Services, id: string) => Promise<Client>,
  said: string,
): Command {
  return {
    usage: `clients ${verb} <id> [--json]`,
    summary,
    options: ID,
    positional: 'id',
    prepare(options) {
      const id = options.required('id');
      return async (services) => {
        const client = await change(services, id);
        return { json: clientToJson(client), text: `"${client.name}" (${client.id}) ${said}` };
      };
    },
  };
}

const UNITS = { d: 86_400, h: 3600, m: 60 } as const;

/** Seconds. */
function grace(options: Options): number {
  const text = options.optional('grace');
  if (text === undefined) return GRACE_SECONDS.fallback;
  const [, count, unit] = /^(\d{1,4})([dhm])$/.exec(text) ?? [];
  const seconds = text === '0' ? 0 : Number(count) * UNITS[unit as keyof typeof UNITS];
  if (seconds >= 0 && seconds <= GRACE_SECONDS.most) return seconds;
  throw new UsageError(
    `--grace must be 0, or up to ${GRACE_SECONDS.most / UNITS.d} days such as 7d, 12h or 30m; it is "${text}"`,
  );
}
