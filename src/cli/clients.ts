/** `clients create | list | show`, beside the verbs that change one. */
import type { Services } from '../app.js';
import type { Client } from '../client/client.js';
import { clientToJson, isExposed } from '../client/client-json.js';
import { warningsOf } from '../client/registration.js';
import { fields, notes, SHOWN_ONCE, status } from './client-record.js';
import { SETTING_OPTIONS, settingsUsage, toNewClient } from './client-settings.js';
import { disable, enable, rotateSecret, update } from './clients-change.js';
import { checkRedirectUri } from './clients-check.js';
import { deleteClient } from './clients-delete.js';
import type { Command } from './command.js';
import { record, table } from './layout.js';
import { tell } from './voice.js';

const create: Command = {
  usage:
    'clients create --name N --redirect-uri U [--redirect-uri U ...] [--dialect wechat|oauth] [--type web|native] [--json]\n' +
    settingsUsage('create'),
  summary: 'register a site or an app',
  options: { ...SETTING_OPTIONS, dialect: { type: 'string' }, type: { type: 'string' } },
  prepare(options) {
    const input = toNewClient(options);
    return async ({ clients, widgets }) => {
      const { client, secret, ...known } = await clients.register('command line', input);
      const warnings = known.warnings.map(tell);
      return {
        json: { ...clientToJson(client, secret ?? null), warnings },
        text: createdText(client, secret, warnings, script(client, widgets)),
      };
    };
  },
};

const list: Command = {
  usage: 'clients list [--json]',
  summary: 'all sites and apps',
  options: {},
  prepare: () => async (services) => {
    const clients = await services.clients.list();
    const rows = clients.map((c) => [c.id, c.name, c.dialect, c.redirectUris[0] ?? c.callbackDomain ?? '', status(c)]);
    return {
      json: clients.map((client) => clientToJson(client)),
      text:
        rows.length > 0
          ? [table(['ID', 'NAME', 'DIALECT', 'REDIRECTS TO', 'STATUS'], rows), ...rotations(clients)].join('\n')
          : NONE_YET,
    };
  },
};

const show: Command = {
  usage: 'clients show <id> [--json]',
  summary: 'one site or app; its secret is never shown again',
  options: { id: { type: 'string' } },
  positional: 'id',
  prepare(options) {
    const id = options.required('id');
    return async ({ clients }) => {
      const client = await clients.get(id);
      const warnings = warningsOf(client).map(tell);
      return {
        json: { ...clientToJson(client), warnings },
        text: [record(fields(client)), ...notes(warnings), ...rotations([client])].join('\n'),
      };
    };
  },
};

export const clientCommands = {
  create,
  list,
  show,
  update,
  disable,
  enable,
  'rotate-secret': rotateSecret,
  delete: deleteClient,
  'check-redirect-uri': checkRedirectUri,
};

const NONE_YET = 'No clients yet. Register one with: npm run admin -- clients create --name N --redirect-uri U';

/** What to do about each secret that was seen in a query string. */
function rotations(clients: readonly Client[]): string[] {
  return clients.filter(isExposed).map(({ id }) => `Exposed, rotate it: npm run admin -- clients rotate-secret ${id}`);
}

/** What its pages load for <qr-connect>, pinned to the build that this version serves. */
function script({ dialect, redirectUris, applicationType }: Client, { snippet }: Services['widgets']) {
  return dialect === 'oauth' && applicationType === 'web' && redirectUris.length > 0 ? snippet : undefined;
}

function createdText(
  client: Client,
  secret: string | undefined,
  warnings: readonly string[],
  snippet: string | undefined,
): string {
  const none =
    client.authMethod === 'none'
      ? 'This client has no secret.'
      : 'This client has no secret: it signs with its own key.';
  const next = secret ? SHOWN_ONCE : none;
  const lines = record([...fields(client, secret), ['Script', snippet]]);
  return [lines, '', next, ...notes(warnings)].join('\n');
}
