/** `resources create | list | show | update | disable | enable`: the APIs that access tokens are made for. */
import type { Services } from '../app.js';
import type { NewResourceServer } from '../resource/resource-rules.js';
import { type ResourceServer, TOKEN_ALGS, TOKEN_FORMATS, TOKEN_SECONDS } from '../resource/resource-server.js';
import type { ResourceChange } from '../resource/resource-service.js';
import { type Command, type Options, UsageError } from './command.js';
import { record, table } from './layout.js';

const IDENTIFIER = { identifier: { type: 'string' } } as const;
const SETTINGS = {
  name: { type: 'string' },
  scope: { type: 'string', multiple: true },
  format: { type: 'string' },
  alg: { type: 'string' },
  'token-seconds': { type: 'string' },
  'introspected-by': { type: 'string', multiple: true },
} as const;

const create: Command = {
  usage:
    'resources create --identifier https://api.example --name N --scope read[=description] [--scope ...]\n' +
    `  [--format ${TOKEN_FORMATS.join('|')}] [--alg ${TOKEN_ALGS.join('|')}] [--token-seconds N]\n` +
    '  [--introspected-by CLIENT_ID ...] [--json]\n\n' +
    'The identifier is what clients name as "resource" and tokens as "aud", to the last character. People who are asked\n' +
    'to allow a scope are shown its description. A client may ask for it once its own --scope names it.',
  summary: 'register an API that access tokens are made for',
  options: { ...IDENTIFIER, ...SETTINGS },
  prepare(options) {
    const scopes = scopesOf(options);
    if (scopes.length === 0) throw new UsageError('--scope is missing');
    const input: NewResourceServer = {
      identifier: options.required('identifier'),
      name: options.required('name'),
      scopes,
      ...tokens(options),
      introspectedBy: options.list('introspected-by'),
    };
    return async ({ resources }) => {
      const { server, warnings } = await resources.register('command line', input);
      return { json: { ...toJson(server), warnings }, text: shown(server, warnings) };
    };
  },
};

const list: Command = {
  usage: 'resources list [--json]',
  summary: 'all APIs',
  options: {},
  prepare: () => async (services) => {
    const servers = await services.resources.list();
    const rows = servers.map((one) => [one.identifier, one.name, names(one).join(' '), one.tokenFormat, status(one)]);
    return {
      json: servers.map(toJson),
      text: rows.length > 0 ? table(['IDENTIFIER', 'NAME', 'SCOPES', 'TOKENS', 'STATUS'], rows) : NONE_YET,
    };
  },
};

const show: Command = {
  usage: 'resources show <identifier> [--json]',
  summary: 'one API',
  options: IDENTIFIER,
  positional: 'identifier',
  prepare(options) {
    const identifier = options.required('identifier');
    return async ({ resources }) => {
      const server = await resources.get(identifier);
      const warnings = await resources.warnings(server);
      return { json: { ...toJson(server), warnings }, text: shown(server, warnings) };
    };
  },
};

const update: Command = {
  usage:
    'resources update <identifier> [--name N] [--scope read[=description] ...]\n' +
    `  [--format ${TOKEN_FORMATS.join('|')}] [--alg ${TOKEN_ALGS.join('|')}] [--token-seconds N]\n` +
    '  [--introspected-by CLIENT_ID ...] [--json]\n\n' +
    'Only what is named changes. --scope and --introspected-by replace the whole list; an empty --introspected-by ("")\n' +
    'takes it away. The identifier cannot change: register another API and disable this one.',
  summary: 'change settings of an API',
  options: { ...IDENTIFIER, ...SETTINGS },
  positional: 'identifier',
  prepare(options) {
    const identifier = options.required('identifier');
    const change = toChange(options);
    return async ({ resources }) => {
      const { server, warnings, changed } = await resources.update('command line', identifier, change);
      const what = changed.length > 0 ? `Changed: ${changed.join(', ')}.` : 'Nothing changed: it was so already.';
      return { json: { ...toJson(server), changed, warnings }, text: shown(server, warnings, what) };
    };
  },
};

const disable = turn(
  'disable',
  'make no more tokens for an API',
  ({ resources }, identifier) => resources.disable('command line', identifier),
  ({ tokenFormat, tokenSeconds }) =>
    tokenFormat === 'jwt'
      ? `is disabled: no more tokens are made for it. Those there are stay good for ${tokenSeconds} seconds at most.`
      : 'is disabled: no more tokens are made for it, and it may not introspect those there are.',
);

const enable = turn(
  'enable',
  'make tokens for a disabled API again',
  ({ resources }, identifier) => resources.enable('command line', identifier),
  () => 'is active.',
);

export const resourceCommands = { create, list, show, update, disable, enable };

const NONE_YET =
  'No APIs yet. Register one with: npm run admin -- resources create --identifier https://api.example --name N --scope read';

function turn(
  verb: string,
  summary: string,
  change: (services: Services, identifier: string) => Promise<ResourceServer>,
  said: (server: ResourceServer) => string,
): Command {
  return {
    usage: `resources ${verb} <identifier> [--json]`,
    summary,
    options: IDENTIFIER,
    positional: 'identifier',
    prepare(options) {
      const identifier = options.required('identifier');
      return async (services) => {
        const server = await change(services, identifier);
        return { json: toJson(server), text: `"${server.name}" (${server.identifier}) ${said(server)}` };
      };
    },
  };
}

/** Only what was named. */
function toChange(options: Options): ResourceChange {
  const scopes = scopesOf(options);
  const introspectedBy = options.list('introspected-by');
  const change: ResourceChange = {
    name: options.optional('name'),
    ...(scopes.length > 0 ? { scopes } : {}),
    ...tokens(options),
    ...(introspectedBy.length > 0 ? { introspectedBy: introspectedBy.filter((id) => id !== '') } : {}),
  };
  if (Object.values(change).some((value) => value !== undefined)) return change;
  throw new UsageError('name at least one setting to change');
}

/** `read=Read your orders`: what follows the first equals sign is shown to people. */
function scopesOf(options: Options): NewResourceServer['scopes'] {
  return options.list('scope').map((given) => {
    const at = given.indexOf('=');
    return at < 0 ? { name: given } : { name: given.slice(0, at), description: given.slice(at + 1) };
  });
}

function tokens(options: Options): Pick<ResourceChange, 'tokenFormat' | 'signingAlg' | 'tokenSeconds'> {
  const seconds = options.optional('token-seconds');
  if (seconds !== undefined && !/^\d{1,6}$/.test(seconds))
    throw new UsageError(
      `--token-seconds must be a number from ${TOKEN_SECONDS.least} to ${TOKEN_SECONDS.most}; it is "${seconds}"`,
    );
  return {
    tokenFormat: options.choice('format', TOKEN_FORMATS),
    signingAlg: options.choice('alg', TOKEN_ALGS),
    tokenSeconds: seconds === undefined ? undefined : Number(seconds),
  };
}

function toJson(server: ResourceServer) {
  return {
    identifier: server.identifier,
    name: server.name,
    scopes: server.scopes,
    token_format: server.tokenFormat,
    signing_alg: server.signingAlg,
    token_seconds: server.tokenSeconds,
    introspected_by: server.introspectedBy,
    disabled: server.disabled,
    created_at: server.createdAt.toISOString(),
  };
}

function shown(server: ResourceServer, warnings: readonly string[], what?: string): string {
  const { tokenFormat, signingAlg, tokenSeconds } = server;
  const lines = record([
    ['Identifier', server.identifier],
    ['Name', server.name],
    ['Scopes', server.scopes.map(({ name, description }) => (description === name ? name : `${name}: ${description}`))],
    ['Tokens', `${tokenFormat === 'jwt' ? `JWT, ${signingAlg}` : 'opaque'}, ${tokenSeconds} seconds`],
    ['Introspected by', server.introspectedBy],
    ['Created', server.createdAt.toISOString()],
    ['Status', status(server)],
  ]);
  return [lines, ...(what ? ['', what] : []), ...warnings.map((warning) => `Note: ${warning}.`)].join('\n');
}

function names({ scopes }: ResourceServer): string[] {
  return scopes.map(({ name }) => name);
}

function status({ disabled }: ResourceServer): string {
  return disabled ? 'disabled' : 'active';
}
