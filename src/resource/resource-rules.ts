/** What may be registered as a resource server. Each refusal names its fix (T26, T54). */
import { displayTextProblem } from '../account/account.js';
import { clientNameProblem } from '../client/client-rules.js';
import { SCOPES_OF } from '../client/dialect.js';
import { isLoopbackHost } from '../config.js';
import { say } from '../saying.js';
import {
  type ResourceScope,
  TOKEN_ALGS,
  TOKEN_FORMATS,
  TOKEN_SECONDS,
  type TokenAlg,
  type TokenFormat,
} from './resource-server.js';

export interface NewResourceServer {
  identifier: string;
  name: string;
  /** Without a description people are shown the name. */
  scopes: ReadonlyArray<{ name: string; description?: string }>;
  tokenFormat?: TokenFormat;
  signingAlg?: TokenAlg;
  tokenSeconds?: number;
  introspectedBy?: readonly string[];
}

/** What a token of a person opens here: an API's scope of that name would be taken for ours, or ours for it (T54). */
const OURS: ReadonlySet<string> = new Set([...SCOPES_OF.oauth, ...SCOPES_OF.wechat, 'email', 'address', 'phone']);
const MOST_SCOPES = 100;
const MOST_INTROSPECTORS = 20;

/** All of them at once; empty when the registration is good. */
export function resourceProblems(input: NewResourceServer, demo: boolean): string[] {
  const { tokenFormat, signingAlg, tokenSeconds, introspectedBy = [] } = input;
  const problems = [identifierProblem(input.identifier, demo), nameProblem(input.name)];
  problems.push(...scopesProblems(input.scopes));
  if (tokenFormat !== undefined && !TOKEN_FORMATS.includes(tokenFormat))
    problems.push(`the token format must be one of ${TOKEN_FORMATS.join(', ')}`);
  if (signingAlg !== undefined && !TOKEN_ALGS.includes(signingAlg))
    problems.push(`the signing algorithm must be one of ${TOKEN_ALGS.join(', ')}`);
  if (tokenSeconds !== undefined && !secondsAllowed(tokenSeconds))
    problems.push(`tokens live ${TOKEN_SECONDS.least} to ${TOKEN_SECONDS.most} whole seconds`);
  if (introspectedBy.length > MOST_INTROSPECTORS)
    problems.push(`at most ${MOST_INTROSPECTORS} clients may introspect its tokens`);
  return problems.filter((problem) => problem !== undefined);
}

function nameProblem(name: string): string | undefined {
  const problem = clientNameProblem(name.normalize('NFKC'));
  return problem && say(problem);
}

/** Why an identifier is refused, or undefined. It is compared as text, so one address has one spelling. */
export function identifierProblem(identifier: string, demo: boolean): string | undefined {
  const name = `the identifier "${identifier.slice(0, 200)}"`;
  if (identifier.length > 2000 || /[^\x21-\x7e]/.test(identifier))
    return `${name} must be at most 2000 printable ASCII characters`;
  const url = URL.parse(identifier);
  if (!url || !/^[a-z][a-z0-9+.-]*:\/\//i.test(identifier))
    return `${name} must be an absolute URI such as https://api.example`;
  if (url.protocol !== 'https:') {
    if (url.protocol !== 'http:' || !isLoopbackHost(url.hostname)) return `${name} must be https`;
    if (!demo) return `${name}: plain http on this machine needs demo mode (DEMO=on); else use https`;
  }
  if (identifier.includes('#'))
    return `${name} must not have a fragment (RFC 8707 2); leave out the # and what follows`;
  if (url.username || url.password || /^[a-z]+:\/\/[^/?]*@/i.test(identifier))
    return `${name} must not hold a user name`;
  if (identifier.includes('*')) return `${name} must not hold a wildcard; register each API by its whole address`;
  const bare = url.pathname === '/' && url.search === '' ? url.href.slice(0, -1) : url.href;
  return identifier === url.href || identifier === bare ? undefined : `${name} must be written ${bare}`;
}

/** Why the name of a scope is refused, or undefined (RFC 6749 3.3). */
export function scopeNameProblem(scope: string): string | undefined {
  const name = `the scope "${scope.slice(0, 60)}"`;
  if (!/^[\x21\x23-\x5b\x5d-\x7e]{1,100}$/.test(scope))
    return `${name} must be 1 to 100 printable ASCII characters, without spaces, " and \\`;
  if (OURS.has(scope) || scope.startsWith('snsapi_'))
    return `${name} has a meaning here already; take another name, such as api.${scope}`;
  return undefined;
}

/** Why the text people are shown is refused, or undefined. */
function descriptionProblem({ name, description }: { name: string; description?: string }): string | undefined {
  const forged = displayTextProblem(description ?? '', 200);
  const problem = forged ? say(forged) : invisible(description ?? '');
  return problem && `the description of the scope "${name.slice(0, 60)}" ${problem}`;
}

/** Some letters and marks (U+3164, U+034F, variation selectors) are drawn as nothing at all. */
function invisible(text: string): string | undefined {
  return /\p{Default_Ignorable_Code_Point}/u.test(text) ? 'holds invisible characters' : undefined;
}

function scopesProblems(scopes: NewResourceServer['scopes']): Array<string | undefined> {
  const names = scopes.map(({ name }) => name);
  const twice = names.find((name, place) => names.indexOf(name) !== place);
  return [
    scopes.length === 0 ? 'at least one scope is needed; it is what a client asks for' : undefined,
    scopes.length > MOST_SCOPES ? `at most ${MOST_SCOPES} scopes` : undefined,
    twice === undefined ? undefined : `the scope "${twice.slice(0, 60)}" is named twice; name it once`,
    ...names.map(scopeNameProblem),
    ...scopes.map(descriptionProblem),
  ];
}

function secondsAllowed(seconds: number): boolean {
  return Number.isInteger(seconds) && seconds >= TOKEN_SECONDS.least && seconds <= TOKEN_SECONDS.most;
}

/** As people will see them. */
export function toScopes(scopes: NewResourceServer['scopes']): ResourceScope[] {
  return scopes.map(({ name, description }) => ({ name, description: description?.normalize('NFC').trim() || name }));
}
