/** Accounts: make, find, and the one answer to "may this person still sign in". */
import { AppError } from '../error.js';
import { say } from '../saying.js';
import { newSecret } from '../secret.js';
import {
  type Account,
  displayTextProblem,
  localeProblem,
  normalizeUsername,
  type Profile,
  usernameProblem,
} from './account.js';
import type { AccountStore } from './account-store.js';
import type { CredentialStore } from './credential-store.js';
import { pictureFor } from './default-picture.js';
import { hashPassword } from './password.js';
import type { PhoneSessionStore } from './phone-session-store.js';
import { encodePicture, type PictureSet } from './picture.js';
import type { PictureStore } from './picture-store.js';

export interface AccountServiceDeps {
  store: AccountStore;
  credentials: CredentialStore;
  sessions: PhoneSessionStore;
  pictures: PictureStore;
  /** Ends what the account's owner has allowed sites, collected or not: codes and tokens are dead at once. */
  endAllowed: (accountId: string) => Promise<void>;
  /** The browsers that the account's phones vouched for. */
  signOutBrowsers: (of: { accountId: string }) => Promise<void>;
  audit: (actor: string, action: string, target: string, detail?: Record<string, unknown>) => Promise<void>;
}

const MIN_PASSWORD = 8;

export class AccountService {
  readonly #deps: AccountServiceDeps;

  constructor(deps: AccountServiceDeps) {
    this.#deps = deps;
  }

  /** Throws `invalid_request` naming what is wrong, `conflict` when the user name is taken. */
  async create(
    actor: string,
    input: { username: string; password: string; picture?: Uint8Array } & Profile,
  ): Promise<Account> {
    const username = normalizeUsername(input.username);
    refuse(usernameProblem(username));
    refuse(passwordProblem(input.password));
    const nickname = (input.nickname ?? input.username).normalize('NFC');
    if (nickname.trim() === '') refuse('a nickname needs at least one visible character');
    for (const [name, text] of Object.entries({
      nickname,
      city: input.city,
      province: input.province,
      country: input.country,
    })) {
      const problem = displayTextProblem(text ?? '', 60);
      if (problem) refuse(`${name} ${say(problem)}`);
    }
    if (input.locale !== undefined) refuse(localeProblem(input.locale));
    const uploaded = input.picture && (await encodePicture(input.picture));
    const account: Account = {
      id: newSecret(16),
      username,
      nickname,
      sex: input.sex ?? 0,
      city: input.city ?? '',
      province: input.province ?? '',
      country: input.country ?? '',
      locale: input.locale,
      picture: pictureFor(newSecret(8)),
      createdAt: new Date(),
      updatedAt: new Date(),
      disabled: false,
    };
    if (!(await this.#deps.store.insert(account, await hashPassword(input.password)))) {
      throw new AppError('conflict', { message: `the user name "${username}" is taken` });
    }
    await this.#deps.audit(actor, 'account.create', account.id, { username });
    return uploaded ? this.#show(actor, account, newSecret(16), uploaded) : account;
  }

  find(id: string): Promise<Account | undefined> {
    return this.#deps.store.find(id);
  }

  findByUsername(username: string): Promise<Account | undefined> {
    return this.#deps.store.findByUsername(normalizeUsername(username));
  }

  list(): Promise<Account[]> {
    return this.#deps.store.list();
  }

  /** The account, if it exists and is not disabled. Asked at scan, redeem, exchange, refresh and user info (T20). */
  async active(id: string): Promise<Account | undefined> {
    const account = await this.#deps.store.find(id);
    return account && !account.disabled ? account : undefined;
  }

  /** A new password; every phone session of the account ends, and every token that sites hold for it (T20). */
  async resetPassword(actor: string, username: string, password: string): Promise<Account> {
    const account = await this.#named(username);
    refuse(passwordProblem(password));
    await this.#deps.credentials.setPasswordHash(account.id, await hashPassword(password));
    await this.#deps.sessions.endAllOf(account.id);
    await this.#deps.endAllowed(account.id);
    await this.#deps.signOutBrowsers({ accountId: account.id });
    await this.#deps.audit(actor, 'account.reset', account.id);
    return account;
  }

  /** Shows an uploaded picture under a new address; the old one is dead. Throws as `encodePicture` does. */
  async setPicture(actor: string, username: string, bytes: Uint8Array): Promise<Account> {
    const account = await this.#named(username);
    return this.#show(actor, account, newSecret(16), await encodePicture(bytes));
  }

  /** Back to a picture we draw; what was uploaded is deleted. */
  async removePicture(actor: string, username: string): Promise<Account> {
    return this.#show(actor, await this.#named(username), pictureFor(newSecret(8)));
  }

  /** Everything of the account is refused from now on; its phones sign in again once it is enabled (T20). */
  disable(actor: string, username: string): Promise<Account> {
    return this.#setDisabled(actor, username, true);
  }

  enable(actor: string, username: string): Promise<Account> {
    return this.#setDisabled(actor, username, false);
  }

  async #setDisabled(actor: string, username: string, disabled: boolean): Promise<Account> {
    const account = await this.#named(username);
    // Nobody changed anything if it was so already: nothing to tell the audit log.
    const moved = await this.#deps.store.setDisabled(account.id, disabled);
    if (disabled) {
      await this.#deps.sessions.endAllOf(account.id);
      await this.#deps.signOutBrowsers({ accountId: account.id });
    }
    if (moved) await this.#deps.audit(actor, disabled ? 'account.disable' : 'account.enable', account.id);
    return { ...account, disabled };
  }

  async #show(actor: string, { id, username }: Account, picture: string, set?: PictureSet): Promise<Account> {
    if (!(await this.#deps.pictures.replace(id, picture, set))) throw noAccount(username);
    await this.#deps.audit(actor, 'account.picture', id, { picture: set ? 'uploaded' : 'drawn' });
    return this.#named(username);
  }

  async #named(username: string): Promise<Account> {
    const account = await this.findByUsername(username);
    if (!account) throw noAccount(username);
    return account;
  }
}

function noAccount(username: string): AppError {
  return new AppError('not_found', { message: `there is no account "${username}"` });
}

function passwordProblem(password: string): string | undefined {
  if ([...password].length < MIN_PASSWORD) return `a password has at least ${MIN_PASSWORD} characters`;
  if (password.length > 256) return 'a password has at most 256 characters';
  return undefined;
}

function refuse(problem: string | undefined): void {
  if (problem) throw new AppError('invalid_request', { message: problem });
}
