/** `administrators list | create | reset | remove`: who may sign in at the console. */
import type { Administrator } from '../administrator/administrator.js';
import type { Command } from './command.js';
import { record, table } from './layout.js';
import { PASSWORD_OPTIONS, readPassword } from './password-option.js';

const USERNAME = { username: { type: 'string' } } as const;
const RULES =
  'The password has at least 12 characters, does not contain the user name, and holds no word that is tried first.';
const TOKENS = 'API tokens belong to nobody and go on: "tokens list" shows them, "tokens revoke" ends one.';

const list: Command = {
  usage: 'administrators list [--json]',
  summary: 'everybody who may sign in at the console',
  options: {},
  prepare: () => async (services) => {
    const all = await services.administrators.list();
    const rows = all.map(({ administrator: { username, createdAt }, passkeys }) => [
      username,
      createdAt.toISOString().slice(0, 10),
      passkeys === 0 ? 'none' : String(passkeys),
    ]);
    return {
      json: all.map(({ administrator, passkeys }) => toJson(administrator, passkeys)),
      text: rows.length > 0 ? table(['USER NAME', 'SINCE', 'PASSKEYS'], rows) : NONE_YET,
    };
  },
};

const create: Command = {
  usage: `administrators create --username U (--password P | --password-file F) [--json]\n\n${RULES}`,
  summary: 'let somebody sign in at the console',
  options: { ...USERNAME, ...PASSWORD_OPTIONS },
  prepare(options) {
    const username = options.required('username');
    const password = readPassword(options);
    return async ({ administrators, publicUrl }) => {
      const administrator = await administrators.create('command line', username, password);
      const lines = record([
        ['Id', administrator.id],
        ['User name', administrator.username],
        ['Console', `${publicUrl}/admin`],
      ]);
      return {
        json: toJson(administrator, 0),
        text: `${lines}\n\nThis person signs in there with the password once and adds a passkey. From then on the password opens nothing.`,
      };
    };
  },
};

const reset: Command = {
  usage:
    'administrators reset <username> (--password P | --password-file F) [--json]\n\n' +
    `For somebody who lost the password or every passkey, or from whom they were stolen. ${RULES}`,
  summary: 'give an administrator a new password, delete their passkeys and sign them out everywhere',
  options: { ...USERNAME, ...PASSWORD_OPTIONS },
  positional: 'username',
  prepare(options) {
    const username = options.required('username');
    const password = readPassword(options);
    return async ({ administrators, publicUrl }) => {
      const { administrator, passkeys } = await administrators.reset('command line', username, password);
      return {
        json: { ...toJson(administrator, 0), passkeys_deleted: passkeys },
        text: [
          `"${administrator.username}" has a new password. ${deleted(passkeys)} and every session of theirs is over.`,
          `They sign in at ${publicUrl}/admin with the password once and add a passkey. From then on the password opens nothing.`,
          TOKENS,
        ].join('\n'),
      };
    };
  },
};

const remove: Command = {
  usage: 'administrators remove <username> [--json]\n\nThe last administrator stays.',
  summary: 'let somebody sign in at the console no more, and end their sessions',
  options: USERNAME,
  positional: 'username',
  prepare(options) {
    const username = options.required('username');
    return async ({ administrators }) => {
      const administrator = await administrators.remove('command line', username);
      return {
        json: { ...toJson(administrator, 0), removed: true },
        text: `"${administrator.username}" is no administrator any more; their passkeys and sessions are gone.\n${TOKENS}`,
      };
    };
  },
};

export const administratorCommands = { list, create, reset, remove };

const NONE_YET =
  'No administrators yet. Open the link that the start prints, or make one with: npm run admin -- administrators create --username U --password-file F';

function deleted(passkeys: number): string {
  if (passkeys === 0) return 'There was no passkey,';
  return passkeys === 1 ? 'The passkey is deleted,' : `All ${passkeys} passkeys are deleted,`;
}

function toJson({ id, username, createdAt }: Administrator, passkeys: number) {
  return { id, username, created_at: createdAt.toISOString(), passkeys };
}
