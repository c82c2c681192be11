/** `accounts create | list | show | reset`. */
import type { Account, Profile } from '../account/account.js';
import { AppError } from '../error.js';
import { type Command, type Options, UsageError } from './command.js';
import { record, table } from './layout.js';
import { PASSWORD_OPTIONS, readPassword } from './password-option.js';

const USERNAME = { username: { type: 'string' } } as const;

const create: Command = {
  usage:
    'accounts create --username U (--password P | --password-file F) [--nickname N] [--sex 0|1|2]\n' +
    '  [--city C] [--province P] [--country C] [--locale zh-CN|en] [--json]',
  summary: 'make an account for a person',
  options: {
    ...USERNAME,
    ...PASSWORD_OPTIONS,
    nickname: { type: 'string' },
    sex: { type: 'string' },
    city: { type: 'string' },
    province: { type: 'string' },
    country: { type: 'string' },
    locale: { type: 'string' },
  },
  prepare(options) {
    const input = { username: options.required('username'), password: readPassword(options), ...profile(options) };
    return async ({ accounts }) => {
      const account = await accounts.create('command line', input);
      return {
        json: toJson(account),
        text: `${record(fields(account))}\n\nThis person can now sign in on a phone: open a site's QR code with the camera.`,
      };
    };
  },
};

const list: Command = {
  usage: 'accounts list [--json]',
  summary: 'all accounts',
  options: {},
  prepare: () => async (services) => {
    const accounts = await services.accounts.list();
    const rows = accounts.map((a) => [a.username, a.nickname, a.createdAt.toISOString().slice(0, 10), status(a)]);
    return {
      json: accounts.map(toJson),
      text:
        rows.length > 0
          ? table(['USER NAME', 'NICKNAME', 'SINCE', 'STATUS'], rows)
          : 'No accounts yet. Make one with: npm run admin -- accounts create --username U --password P',
    };
  },
};

const show: Command = {
  usage: 'accounts show <username> [--json]',
  summary: 'one account',
  options: USERNAME,
  positional: 'username',
  prepare(options) {
    const username = options.required('username');
    return async ({ accounts }) => {
      const account = await accounts.findByUsername(username);
      if (!account) {
        throw new AppError('not_found', {
          message: `there is no account "${username}"; "accounts list" shows all of them`,
        });
      }
      return { json: toJson(account), text: record(fields(account)) };
    };
  },
};

const reset: Command = {
  usage: 'accounts reset <username> (--password P | --password-file F) [--json]',
  summary: 'give an account a new password and sign out its phones',
  options: { ...USERNAME, ...PASSWORD_OPTIONS },
  positional: 'username',
  prepare(options) {
    const username = options.required('username');
    const password = readPassword(options);
    return async ({ accounts }) => {
      const account = await accounts.resetPassword('command line', username, password);
      return {
        json: toJson(account),
        text: `"${account.username}" has a new password. Every phone of this account must sign in again.`,
      };
    };
  },
};

export const accountCommands = { create, list, show, reset };

function profile(options: Options): Profile {
  const sex = options.choice('sex', ['0', '1', '2']);
  return {
    nickname: options.optional('nickname'),
    sex: sex === undefined ? undefined : (Number(sex) as Profile['sex']),
    city: options.optional('city'),
    province: options.optional('province'),
    country: options.optional('country'),
    locale: locale(options.optional('locale')),
  };
}

/** A language tag (BCP 47) in its usual spelling; WeChat's underscore is understood. */
function locale(tag: string | undefined): string | undefined {
  if (tag === undefined) return undefined;
  try {
    return Intl.getCanonicalLocales(tag.replaceAll('_', '-'))[0];
  } catch {
    throw new UsageError(`--locale must be a language tag such as zh-CN or en; it is "${tag}"`);
  }
}

function toJson(account: Account) {
  return {
    id: account.id,
    username: account.username,
    nickname: account.nickname,
    sex: account.sex,
    city: account.city,
    province: account.province,
    country: account.country,
    locale: account.locale ?? null,
    disabled: account.disabled,
    created_at: account.createdAt.toISOString(),
    updated_at: account.updatedAt.toISOString(),
  };
}

function fields(account: Account): Array<[string, string | undefined]> {
  const place = [account.city, account.province, account.country].filter(Boolean).join(', ');
  return [
    ['Id', account.id],
    ['User name', account.username],
    ['Nickname', account.nickname],
    ['Sex', ['', 'male', 'female'][account.sex]],
    ['Place', place],
    ['Language', account.locale],
    ['Since', account.createdAt.toISOString()],
    ['Status', status(account)],
  ];
}

function status(account: Account): string {
  return account.disabled ? 'disabled' : 'active';
}
