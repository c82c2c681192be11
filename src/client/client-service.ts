/** Registering and finding relying parties; the one way in for console, API and command line. */
import { AppError } from '../error.js';
import { hashSecret, newHex, newSecret, sameSecret } from '../secret.js';
import type { AuthMethod, Client, Dialect } from './client.js';
import {
  callbackDomainProblem,
  clientNameProblem,
  embedOriginProblem,
  type RegistrationContext,
  redirectUriProblem,
} from './client-rules.js';
import type { ClientStore } from './client-store.js';

export interface NewClient {
  name: string;
  dialect?: Dialect;
  redirectUris: string[];
  embedOrigins?: string[];
  callbackDomain?: string;
  unionName?: string;
  applicationType?: 'web' | 'native';
  authMethod?: AuthMethod;
  matchCode?: 'type' | 'off';
  refreshRequiresSecret?: boolean;
  /** Only for the demo's own clients. */
  id?: string;
}

export interface Registered {
  readonly client: Client;
  /** Shown this once; undefined for a public client. */
  readonly secret: string | undefined;
  /** What an administrator should know before going on. */
  readonly warnings: readonly string[];
}

export interface ClientServiceDeps {
  store: ClientStore;
  demo: boolean;
  /** Throws when the engine would not accept the client: what is saved is what will work. */
  validate: (client: Client) => Promise<void>;
  audit: (actor: string, action: string, target: string, detail?: Record<string, unknown>) => Promise<void>;
}

export class ClientService {
  readonly #deps: ClientServiceDeps;

  constructor(deps: ClientServiceDeps) {
    this.#deps = deps;
  }

  /** Throws `invalid_request` that lists everything wrong with the registration. */
  async register(actor: string, input: NewClient): Promise<Registered> {
    const { client, secret } = this.#build(input);
    await this.#deps.validate(client);
    if (!(await this.#deps.store.insert(client))) throw new AppError('conflict', { message: 'the client id is taken' });
    await this.#deps.audit(actor, 'client.create', client.id, { name: client.name, dialect: client.dialect });
    return { client, secret, warnings: warningsOf(client) };
  }

  /** The demo's client: registered once, then given fresh addresses and a fresh secret at each start. */
  async registerDemo(input: NewClient & { id: string }): Promise<Registered> {
    const { client, secret } = this.#build(input);
    await this.#deps.validate(client);
    if (!(await this.#deps.store.insert(client))) await this.#deps.store.replaceSecretsAndAddresses(client);
    return { client, secret, warnings: [] };
  }

  find(id: string): Promise<Client | undefined> {
    return this.#deps.store.find(id);
  }

  /** The client, unless unknown or disabled. */
  async active(id: string): Promise<Client | undefined> {
    const client = await this.#deps.store.find(id);
    return client && !client.disabled ? client : undefined;
  }

  list(): Promise<Client[]> {
    return this.#deps.store.list();
  }

  #build(input: NewClient): { client: Client; secret: string | undefined } {
    const dialect = input.dialect ?? 'oauth';
    const applicationType = input.applicationType ?? 'web';
    const embedOrigins = input.embedOrigins?.length
      ? input.embedOrigins
      : originsOf(input.redirectUris, input.callbackDomain);
    const problems = registrationProblems(input, { demo: this.#deps.demo, applicationType });
    if (problems.length > 0) throw new AppError('invalid_request', { message: problems.join('; ') });
    const authMethod = input.authMethod ?? (dialect === 'wechat' ? 'client_secret_post' : 'client_secret_basic');
    // WeChat's shapes: app secrets are 32 hex digits there. 256 bits everywhere else.
    const secret = authMethod === 'none' ? undefined : dialect === 'wechat' ? newHex(16) : newSecret();
    const client: Client = {
      id: input.id ?? (dialect === 'wechat' ? `wx${newHex(8)}` : `qc${newHex(8)}`),
      name: input.name.normalize('NFKC'),
      dialect,
      applicationType,
      authMethod,
      secrets: secret ? [{ hash: hashSecret(secret), createdAt: new Date().toISOString() }] : [],
      redirectUris: [...new Set(input.redirectUris)],
      callbackDomain: input.callbackDomain,
      embedOrigins: [...new Set(embedOrigins)],
      unionName: input.unionName,
      matchCode: input.matchCode ?? 'type',
      refreshRequiresSecret: input.refreshRequiresSecret ?? false,
      createdAt: new Date(),
      disabled: false,
    };
    return { client, secret };
  }
}

/** True when `secret` is one of the client's live secrets. Takes the same time for none, a wrong and a right one. */
export function secretMatches(client: Client | undefined, secret: string, now = new Date()): boolean {
  const presented = hashSecret(secret);
  let matches = false;
  for (const known of client?.secrets.length ? client.secrets : [{ hash: '-'.repeat(43), createdAt: '' }]) {
    const live = !('expiresAt' in known) || !known.expiresAt || new Date(known.expiresAt) > now;
    if (sameSecret(known.hash, presented) && live) matches = true;
  }
  return matches;
}

function registrationProblems(input: NewClient, context: RegistrationContext): string[] {
  const dialect = input.dialect ?? 'oauth';
  const problems: Array<string | undefined> = [clientNameProblem(input.name.normalize('NFKC'))];
  if (input.redirectUris.length === 0 && !input.callbackDomain) problems.push('at least one redirect URI is needed');
  if (input.redirectUris.length > 50) problems.push('at most 50 redirect URIs');
  for (const uri of input.redirectUris) problems.push(redirectUriProblem(uri, context));
  for (const origin of input.embedOrigins ?? []) problems.push(embedOriginProblem(origin, context));
  if (input.callbackDomain !== undefined) {
    if (dialect !== 'wechat')
      problems.push('a callback domain exists in the wechat dialect only; register exact redirect URIs');
    problems.push(callbackDomainProblem(input.callbackDomain, context));
  }
  if (input.unionName !== undefined && !/^[a-z0-9][a-z0-9._-]{0,63}$/i.test(input.unionName)) {
    problems.push('a union name has 1 to 64 letters, digits or . _ -');
  }
  if (dialect === 'wechat' && input.authMethod === 'none') problems.push('a wechat client always has a secret');
  return problems.filter((problem) => problem !== undefined);
}

/** The origins of web redirect URIs may frame the waiting page unless the administrator names others (T28). */
function originsOf(redirectUris: string[], callbackDomain: string | undefined): string[] {
  const origins = redirectUris.map((uri) => URL.parse(uri)).filter((url) => url && /^https?:$/.test(url.protocol));
  return [...origins.map((url) => (url as URL).origin), ...(callbackDomain ? [`https://${callbackDomain}`] : [])];
}

function warningsOf(client: Client): string[] {
  const warnings: string[] = [];
  if (client.dialect === 'wechat') {
    warnings.push('the wechat dialect puts the secret and tokens in query strings: keep them out of your proxy logs');
  }
  if (client.callbackDomain) {
    warnings.push(`a callback domain accepts any address on ${client.callbackDomain}: exact redirect URIs are safer`);
  }
  if (client.matchCode === 'off') {
    warnings.push(
      "without the match code, a person who is shown somebody else's QR code is one tap from letting them in",
    );
  }
  return warnings;
}
