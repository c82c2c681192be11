/** `accounts create | list | show | reset | picture | disable | enable`. */
import type { Account, Profile } from '../account/account.js';
import { picturePath } from '../account/picture-address.js';
import { AppError } from '../error.js';
import { type Command, type Options, UsageError } from './command.js';
import { record, table } from './layout.js';
import { PASSWORD_OPTIONS, readPassword } from './password-option.js';
import { readPicture } from './picture-option.js';

const USERNAME = { username: { type: 'string' } } as const;

const create: Command = {
  usage:
    'accounts create --username U (--password P | --password-file F) [--nickname N] [--sex 0|1|2]\n' +
    '  [--city C] [--province P] [--country C] [--locale zh-CN|en] [--picture F] [--json]',
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
    picture: { type: 'string' },
  },
  prepare(options) {
    const input = {
      username: options.required('username'),
      password: readPassword(options),
      picture: readPicture(options, 'picture'),
      ...profile(options),
    };
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
  summary: 'give an account a new password, sign out its phones and end every token that sites hold for it',
  options: { ...USERNAME, ...PASSWORD_OPTIONS },
  positional: 'username',
  prepare(options) {
    const username = options.required('username');
    const password = readPassword(options);
    return async ({ accounts }) => {
      const account = await accounts.resetPassword('command line', username, password);
      return {
        json: toJson(account),
        text: `"${account.username}" has a new password. Every phone of this account must sign in again, and every site has lost its tokens.`,
      };
    };
  },
};

const picture: Command = {
  usage: 'accounts picture <username> (--file F | --remove) [--json]',
  summary: 'show a JPEG, PNG or WebP file as the picture of an account, or a drawn pattern again',
  options: { ...USERNAME, file: { type: 'string' }, remove: { type: 'boolean' } },
  positional: 'username',
  prepare(options) {
    const username = options.required('username');
    const bytes = readPicture(options, 'file');
    if ((bytes === undefined) !== options.flag('remove')) {
      throw new UsageError('give the picture with --file F, or take it away with --remove, one of the two');
    }
    return async ({ accounts }) => {
      const account = bytes
        ? await accounts.setPicture('command line', username, bytes)
        : await accounts.removePicture('command line', username);
      return {
        json: toJson(account),
        text: `"${account.username}" has a new picture, ${picturePath(account)}; an earlier upload is deleted.`,
      };
    };
  },
};

const disable = turn(
  'disable',
  'cut an account off: no sign-in, no scan, no token of it works, and its phones are signed out',
  'is disabled: sign-ins, scans, codes and tokens are refused from now on.',
);

const enable = turn('enable', 'let a disabled account in again', 'is active. Its phones have to sign in again.');

export const accountCommands = { create, list, show, reset, picture, disable, enable };

function turn(verb: 'disable' | 'enable', summary: string, said: string): Command {
  return {
    usage: `accounts ${verb} <username> [--json]`,
    summary,
    options: USERNAME,
    positional: 'username',
    prepare(options) {
      const username = options.required('username');
      return async ({ accounts }) => {
        const account = await accounts[verb]('command line', username);
        return { json: toJson(account), text: `"${account.username}" ${said}` };
      };
    },
  };
}

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
    picture: picturePath(account),
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
    ['Picture', picturePath(account)],
    ['Since', account.createdAt.toISOString()],
    ['Status', status(account)],
  ];
}

function status(account: Account): string {
  return account.disabled ? 'disabled' : 'active';
}
