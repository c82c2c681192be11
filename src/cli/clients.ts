/** `clients create | list | show`. */
import type { Client } from '../client/client.js';
import type { NewClient } from '../client/client-service.js';
import { AppError } from '../error.js';
import type { Command, Options } from './command.js';
import { record, table } from './layout.js';

const create: Command = {
  usage:
    'clients create --name N --redirect-uri U [--redirect-uri U ...] [--dialect wechat|oauth] [--embed-origin O ...]\n' +
    '  [--union N] [--callback-domain D] [--type web|native] [--match-code type|off]\n' +
    '  [--auth-method client_secret_basic|client_secret_post|none] [--refresh-requires-secret] [--json]',
  summary: 'register a site or an app',
  options: {
    name: { type: 'string' },
    dialect: { type: 'string' },
    'redirect-uri': { type: 'string', multiple: true },
    'embed-origin': { type: 'string', multiple: true },
    union: { type: 'string' },
    'callback-domain': { type: 'string' },
    type: { type: 'string' },
    'auth-method': { type: 'string' },
    'match-code': { type: 'string' },
    'refresh-requires-secret': { type: 'boolean' },
  },
  prepare(options) {
    const input = toNewClient(options);
    return async ({ clients }) => {
      const { client, secret, warnings } = await clients.register('command line', input);
      const { client_id, name, ...rest } = toJson(client);
      return {
        json: { client_id, client_secret: secret ?? null, name, ...rest, warnings },
        text: createdText(client, secret, warnings),
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
      json: clients.map(toJson),
      text: rows.length > 0 ? table(['ID', 'NAME', 'DIALECT', 'REDIRECTS TO', 'STATUS'], rows) : NONE_YET,
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
      const client = await clients.find(id);
      if (!client) {
        throw new AppError('not_found', { message: `there is no client "${id}"; "clients list" shows all of them` });
      }
      return { json: toJson(client), text: record(fields(client)) };
    };
  },
};

export const clientCommands = { create, list, show };

const NONE_YET = 'No clients yet. Register one with: npm run admin -- clients create --name N --redirect-uri U';

function toNewClient(options: Options): NewClient {
  const callbackDomain = options.optional('callback-domain');
  const redirectUris = options.list('redirect-uri');
  if (redirectUris.length === 0 && callbackDomain === undefined) options.required('redirect-uri');
  return {
    name: options.required('name'),
    dialect: options.choice('dialect', ['oauth', 'wechat']),
    redirectUris,
    embedOrigins: options.list('embed-origin'),
    callbackDomain,
    unionName: options.optional('union'),
    applicationType: options.choice('type', ['web', 'native']),
    authMethod: options.choice('auth-method', ['client_secret_basic', 'client_secret_post', 'none']),
    matchCode: options.choice('match-code', ['type', 'off']),
    refreshRequiresSecret: options.flag('refresh-requires-secret'),
  };
}

function toJson(client: Client) {
  return {
    client_id: client.id,
    name: client.name,
    dialect: client.dialect,
    redirect_uris: client.redirectUris,
    embed_origins: client.embedOrigins,
    union: client.unionName ?? null,
    callback_domain: client.callbackDomain ?? null,
    application_type: client.applicationType,
    token_endpoint_auth_method: client.authMethod,
    match_code: client.matchCode,
    refresh_requires_secret: client.refreshRequiresSecret,
    disabled: client.disabled,
    created_at: client.createdAt.toISOString(),
  };
}

function fields(client: Client, secret?: string): Array<[string, string | readonly string[] | undefined]> {
  const wechat = client.dialect === 'wechat';
  return [
    [wechat ? 'App id' : 'Client id', client.id],
    [wechat ? 'App secret' : 'Client secret', secret],
    ['Name', client.name],
    ['Dialect', client.dialect],
    ['Redirect URIs', client.redirectUris],
    ['Callback domain', client.callbackDomain],
    ['Framed by', client.embedOrigins],
    ['Union', client.unionName],
    ['Type', client.applicationType],
    ['Token endpoint', wechat ? undefined : client.authMethod],
    ['Match code', client.matchCode],
    ['Refresh', client.refreshRequiresSecret ? 'requires the secret' : undefined],
    ['Created', client.createdAt.toISOString()],
    ['Status', status(client)],
  ];
}

function createdText(client: Client, secret: string | undefined, warnings: readonly string[]): string {
  const next = secret
    ? 'The secret is shown this once. Put it into the settings of the site now.'
    : 'This client has no secret.';
  return [record(fields(client, secret)), '', next, ...warnings.map((warning) => `Note: ${warning}.`)].join('\n');
}

function status(client: Client): string {
  return client.disabled ? 'disabled' : 'active';
}
