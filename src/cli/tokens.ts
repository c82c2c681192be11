/** `tokens create | list | revoke`: what programs call the administration API with. Made here and nowhere else. */
import type { ApiToken } from '../administrator/api-token.js';
import { API_TOKEN_DAYS } from '../administrator/api-tokens.js';
import { type Command, type Options, UsageError } from './command.js';
import { record, table } from './layout.js';

const { least, most, fallback } = API_TOKEN_DAYS;

const create: Command = {
  usage:
    `tokens create --name N [--days ${fallback}] [--read-only] [--json]\n\n` +
    `The name tells you later what uses it. It lives ${least} to ${most} days, ${fallback} unless given. With --read-only it may look and\n` +
    'not change.',
  summary: 'make a token that a program calls the administration API with; it is shown once',
  options: { name: { type: 'string' }, days: { type: 'string' }, 'read-only': { type: 'boolean' } },
  prepare(options) {
    const input = { name: options.required('name'), days: days(options), readOnly: options.flag('read-only') };
    return async ({ apiTokens, publicUrl }) => {
      const { token, secret } = await apiTokens.create('command line', input);
      const lines = record([
        ['Id', token.id],
        ['Name', token.name],
        ['Token', secret],
        ['May', may(token)],
        ['Expires', token.expiresAt.toISOString()],
      ]);
      return {
        json: { ...toJson(token), token: secret },
        text: [
          lines,
          '',
          'The token is shown this once. Keep it where only the program that uses it can read it. It is sent so:',
          `  curl -H "Authorization: Bearer $TOKEN" ${publicUrl}/admin/api/clients`,
          `To end it before its time: npm run admin -- tokens revoke ${token.id}`,
        ].join('\n'),
      };
    };
  },
};

const list: Command = {
  usage: 'tokens list [--json]',
  summary: 'the tokens that live; what they are is never shown again',
  options: {},
  prepare: () => async (services) => {
    const tokens = await services.apiTokens.list();
    const rows = tokens.map((token) => [
      token.id,
      token.name,
      may(token),
      token.createdAt.toISOString().slice(0, 10),
      token.expiresAt.toISOString().slice(0, 10),
      token.lastUsedAt?.toISOString() ?? 'never',
    ]);
    return {
      json: tokens.map(toJson),
      text: rows.length > 0 ? table(['ID', 'NAME', 'MAY', 'SINCE', 'EXPIRES', 'LAST USED'], rows) : NONE,
    };
  },
};

const revoke: Command = {
  usage: 'tokens revoke <id> [--json]',
  summary: 'end a token before its time',
  options: { id: { type: 'string' } },
  positional: 'id',
  prepare(options) {
    const id = options.required('id');
    return async ({ apiTokens }) => {
      const token = await apiTokens.revoke('command line', id);
      return {
        json: toJson(token),
        text: `"${token.name}" (${token.id}) is revoked: whatever still sends it gets 401 from now on.`,
      };
    };
  },
};

export const tokenCommands = { create, list, revoke };

const NONE = 'No token lives. Make one with: npm run admin -- tokens create --name N';

function days(options: Options): number {
  const text = options.optional('days') ?? String(fallback);
  const number = /^\d{1,4}$/.test(text) ? Number(text) : Number.NaN;
  if (number >= least && number <= most) return number;
  throw new UsageError(`--days must be a number from ${least} to ${most}; it is "${text}"`);
}

function may({ readOnly }: ApiToken): string {
  return readOnly ? 'read' : 'read and change';
}

function toJson(token: ApiToken) {
  return {
    id: token.id,
    name: token.name,
    read_only: token.readOnly,
    created_at: token.createdAt.toISOString(),
    expires_at: token.expiresAt.toISOString(),
    last_used_at: token.lastUsedAt?.toISOString() ?? null,
  };
}
