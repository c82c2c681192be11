/**
 * Relying parties: registers, finds, changes, disables and enables them, gives them new secrets and marks exposed ones.
 * The one way in for console, API and command line.
 */
import { AppError, type ErrorCode } from '../error.js';
import { type Saying, saying } from '../saying.js';
import { newHex } from '../secret.js';
import { type Client, hasSecret } from './client.js';
import {
  applyRegistration,
  auditedChange,
  auditedWhole,
  type ClientChange,
  changedFields,
  changedRegistration,
  framingNotes,
  unionidProblems,
} from './client-change.js';
import { droppedEarly, freshSecret, liveSecret, rotated, secretFor } from './client-secret.js';
import type { ClientStore } from './client-store.js';
import { checkRedirectUri, type RedirectCheck } from './redirect-check.js';
import { type NewClient, registrationProblems, settingsOf, warningsOf } from './registration.js';

export interface Registered {
  readonly client: Client;
  /** Shown this once; undefined for a client without one. */
  readonly secret: string | undefined;
  /** What an administrator should know before going on. */
  readonly warnings: readonly Saying[];
}

export interface Changed extends Registered {
  /** Names of columns; empty when everything was so already. */
  readonly changed: readonly string[];
}

export interface ClientServiceDeps {
  store: ClientStore;
  demo: boolean;
  /** The scopes of all registered resource servers. */
  resourceScopes: () => Promise<ReadonlySet<string>>;
  /** Ends every QR code of a client, scanned or not (T52). */
  endTickets: (clientId: string) => Promise<void>;
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
    const { client, secret } = await this.#build(input);
    await this.#deps.validate(client);
    if (!(await this.#deps.store.insert(client))) throw refusal('conflict', saying('the client id is taken'));
    await this.#deps.audit(actor, 'client.create', client.id, auditedWhole(client));
    return { client, secret, warnings: warningsOf(client) };
  }

  /** The demo's client: registered once, then given fresh addresses and a fresh secret at each start. */
  async registerDemo(input: NewClient & { id: string }): Promise<Registered> {
    const { client, secret } = await this.#build(input);
    await this.#deps.validate(client);
    if (!(await this.#deps.store.insert(client))) await this.#deps.store.replaceSecretsAndAddresses(client);
    return { client, secret, warnings: [] };
  }

  /**
   * Only what is named changes, and only if the client is as good a registration then as a new one must be. A client
   * that begins to authenticate with a secret gets its first one; one that ceases to has none. Unionids change only when
   * told to. `revision`: what the change was made upon; `conflict` if the client is another by now.
   */
  async update(actor: string, id: string, change: ClientChange, revision?: number): Promise<Changed> {
    const client = await this.get(id);
    if (revision !== undefined && revision !== client.revision) throw changedMeanwhile();
    const asked = changedRegistration(client, change);
    refuse([...(await this.#problems(asked, client)), ...unionidProblems(client, asked, change)]);
    const next = applyRegistration(client, asked);
    const changed = changedFields(client, next);
    if (changed.length === 0) return { client, secret: undefined, warnings: warningsOf(client), changed };
    const secret = hasSecret(next) && !hasSecret(client) ? secretFor(client.dialect) : undefined;
    const secrets = secret ? [freshSecret(secret)] : hasSecret(next) ? client.secrets : [];
    const after = { ...next, secrets, revision: client.revision + 1 };
    await this.#deps.validate(after);
    if (!(await this.#deps.store.update(after, client.revision))) throw changedMeanwhile();
    await this.#deps.audit(actor, 'client.update', id, auditedChange(client, after, changed));
    const moved = change.redirectUris !== undefined || change.callbackDomain !== undefined;
    const notes = moved && !change.embedOrigins ? framingNotes(after) : [];
    return { client: after, secret, warnings: [...warningsOf(after), ...notes], changed };
  }

  /** From the next request on the client is refused everywhere, with every token it holds (T52). */
  disable(actor: string, id: string): Promise<Client> {
    return this.#setDisabled(actor, id, true);
  }

  enable(actor: string, id: string): Promise<Client> {
    return this.#setDisabled(actor, id, false);
  }

  /**
   * Gone for ever, with its secrets; its id is given to nobody else. Only a disabled one: what that breaks has then been
   * seen while it could be undone.
   */
  async delete(actor: string, id: string): Promise<void> {
    const client = await this.get(id);
    if (!(await this.#deps.store.deleteDisabled(id)))
      throw refusal('conflict', saying('only a disabled client can be deleted: disable it first'));
    await this.#deps.audit(actor, 'client.delete', id, auditedWhole(client));
  }

  /** A new secret; the one before it lives for the grace, so that the site can be told in peace (T56). */
  async rotateSecret(actor: string, id: string, graceSeconds: number, revision?: number): Promise<Registered> {
    const client = await this.get(id);
    if (revision !== undefined && revision !== client.revision) throw changedMeanwhile();
    if (!hasSecret(client)) {
      const why =
        client.authMethod === 'none'
          ? saying('a public client has no secret; change {setting:authMethod} first')
          : saying(
              'the client authenticates with its own key and has no secret; change {setting:clientKeys}, or {setting:authMethod} first',
            );
      throw refusal('invalid_request', why);
    }
    const secret = secretFor(client.dialect);
    const secrets = rotated(client.secrets, freshSecret(secret), graceSeconds);
    const dropped = droppedEarly(client.secrets, secrets);
    if (!(await this.#deps.store.replaceSecrets(id, secrets, client.revision))) throw changedMeanwhile();
    await this.#deps.audit(actor, 'client.rotate-secret', id, { grace_seconds: graceSeconds });
    const next = { ...client, secrets, revision: client.revision + 1 };
    const notes = dropped.map((end) =>
      saying('the secret that was to work until {end} is refused from now on', { end }),
    );
    return { client: next, secret, warnings: [...warningsOf(next), ...notes] };
  }

  /**
   * Somebody sent these in a query string, where logs keep them. True when that made a live secret of the client known
   * as exposed: once for each secret, whoever repeats it (T55).
   */
  async noteExposed(id: string, secrets: readonly string[]): Promise<boolean> {
    const client = await this.#deps.store.find(id);
    const now = new Date();
    let marked = false;
    for (const secret of secrets) {
      const known = client && liveSecret(client.secrets, secret, now);
      if (!known || known.exposedAt) continue;
      if (!(await this.#deps.store.markSecretExposed(id, known.hash, now.toISOString()))) continue;
      await this.#deps.audit('server', 'client.secret-exposed', id, { secret_of: known.createdAt });
      marked = true;
    }
    return marked;
  }

  find(id: string): Promise<Client | undefined> {
    return this.#deps.store.find(id);
  }

  /** The client, or an error that says where all of them are listed. */
  async get(id: string): Promise<Client> {
    const client = await this.#deps.store.find(id);
    if (client) return client;
    throw refusal('not_found', saying('there is no client "{id}"; "clients list" shows all of them', { id }));
  }

  /** Whether a request of the client with this redirect URI would be let in, and why. */
  async checkRedirectUri(id: string, uri: string): Promise<RedirectCheck> {
    return checkRedirectUri(await this.get(id), uri);
  }

  /** The client, unless unknown or disabled. */
  async active(id: string): Promise<Client | undefined> {
    const client = await this.#deps.store.find(id);
    return client && !client.disabled ? client : undefined;
  }

  /** Whether pages of an active public client come from this origin, so that their scripts may call (T59). */
  async publicOrigin(origin: string): Promise<boolean> {
    return isWebOrigin(origin) && this.#deps.store.publicOrigin(origin);
  }

  /** Whether pages from this origin may hold the QR page of an active client, and so may watch its tickets. */
  async embedOrigin(origin: string): Promise<boolean> {
    return isWebOrigin(origin) && this.#deps.store.embedOrigin(origin);
  }

  list(): Promise<Client[]> {
    return this.#deps.store.list();
  }

  async #setDisabled(actor: string, id: string, disabled: boolean): Promise<Client> {
    const client = await this.get(id);
    // Nobody changed anything if it was so already: nothing to tell the audit log.
    if (!(await this.#deps.store.setDisabled(id, disabled))) return this.get(id);
    // Nobody goes on deciding about a site that could no longer be told.
    if (disabled) await this.#deps.endTickets(id);
    await this.#deps.audit(actor, disabled ? 'client.disable' : 'client.enable', id);
    return { ...client, disabled, revision: client.revision + 1 };
  }

  /** What the client may ask for already stays, also while the resource server is disabled. */
  async #problems(input: NewClient, before?: Client): Promise<Saying[]> {
    const { demo, resourceScopes } = this.#deps;
    const known = new Set([...(await resourceScopes()), ...(before?.scope?.split(' ') ?? [])]);
    return registrationProblems(input, { demo, resourceScopes: known });
  }

  async #build(input: NewClient): Promise<{ client: Client; secret: string | undefined }> {
    refuse(await this.#problems(input));
    const { dialect = 'oauth', applicationType = 'web' } = input;
    const settings = settingsOf(input);
    const secret = hasSecret(settings) ? secretFor(dialect) : undefined;
    const client: Client = {
      ...settings,
      id: input.id ?? (dialect === 'wechat' ? `wx${newHex(8)}` : `qc${newHex(8)}`),
      revision: 0,
      dialect,
      applicationType,
      secrets: secret ? [freshSecret(secret)] : [],
      createdAt: new Date(),
      disabled: false,
    };
    return { client, secret };
  }
}

function refuse(problems: readonly Saying[]): void {
  if (problems.length > 0) throw refusal('invalid_request', ...problems);
}

function changedMeanwhile(): AppError {
  return refusal('conflict', saying('the client was changed by somebody else meanwhile; try again'));
}

function refusal(code: ErrorCode, ...sayings: Saying[]): AppError {
  return new AppError(code, { sayings });
}

/** An opaque origin ("null") is everybody's, also that of an app's own scheme. */
function isWebOrigin(origin: string): boolean {
  const url = URL.parse(origin);
  return (url?.protocol === 'https:' || url?.protocol === 'http:') && url.origin === origin;
}
