/** Somebody who runs this server, and their sign-in at its console. Apart from accounts: no account is ever one. */

import { displayTextProblem } from '../account/account.js';
import { type Saying, saying } from '../saying.js';

export interface Administrator {
  readonly id: string;
  readonly username: string;
  readonly createdAt: Date;
}

/** How a sign-in was proved. A QR code never opens one (T65). */
export type SignInMethod = 'password' | 'passkey';

export interface AdministratorSession {
  /** Not secret; the cookie holds another value, of which only the hash is stored. */
  readonly id: string;
  readonly administrator: Administrator;
  readonly method: SignInMethod;
  /** Whether the administrator has a passkey by now: a session that a password began is then worth nothing until one is shown. */
  readonly hasPasskey: boolean;
  /** Seconds since the administrator last proved who they are, by the database's clock. */
  readonly age: number;
}

/** Minutes. Section "Fixed numbers" of docs/security.md. */
export const ADMINISTRATOR_MINUTES = {
  idle: 30,
  absolute: 12 * 60,
  /** A change needs a proof no older than this (T65). */
  fresh: 15,
  /** Another passkey, or one less, needs one no older than this (T23). */
  freshForPasskeys: 5,
} as const;

/** Who did it, as the audit log names them. */
export function actorOf({ username }: Pick<Administrator, 'username'>): string {
  return `administrator ${username}`;
}

/** Why the name somebody gives a passkey or an API token is refused, or undefined. Lists of them show it (T26). */
export function givenNameProblem(name: string): Saying | undefined {
  const problem = displayTextProblem(name, 60);
  if (problem) return saying('the name {problem}', { problem });
  return /[^\s\p{C}]/u.test(name) ? undefined : saying('the name is empty');
}
