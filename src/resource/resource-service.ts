/** Resource servers: registers, finds, changes, disables and enables them. The one way in for console, API, command line. */
import type { Client } from '../client/client.js';
import { AppError } from '../error.js';
import { type NewResourceServer, resourceProblems, toScopes } from './resource-rules.js';
import { type ResourceServer, TOKEN_SECONDS } from './resource-server.js';
import type { ResourceStore } from './resource-store.js';

/** Absent stays as it is. The identifier never changes: it is what clients and tokens name. */
export type ResourceChange = Partial<Omit<NewResourceServer, 'identifier'>>;

export interface Kept {
  readonly server: ResourceServer;
  /** What an administrator should know before going on. */
  readonly warnings: readonly string[];
}

export interface ResourceServiceDeps {
  store: ResourceStore;
  demo: boolean;
  /** Who may introspect must exist, and be somebody who can prove it. */
  findClient: (id: string) => Promise<Pick<Client, 'authMethod'> | undefined>;
  audit: (actor: string, action: string, target: string, detail?: Record<string, unknown>) => Promise<void>;
}

export class ResourceService {
  readonly #deps: ResourceServiceDeps;

  constructor(deps: ResourceServiceDeps) {
    this.#deps = deps;
  }

  /** Throws `invalid_request` that lists everything wrong with the registration. */
  async register(actor: string, input: NewResourceServer): Promise<Kept> {
    await this.#check(input);
    const server: ResourceServer = {
      identifier: input.identifier,
      revision: 0,
      name: input.name.normalize('NFKC'),
      scopes: toScopes(input.scopes),
      tokenFormat: input.tokenFormat ?? 'jwt',
      signingAlg: input.signingAlg ?? 'RS256',
      tokenSeconds: input.tokenSeconds ?? TOKEN_SECONDS.usual,
      introspectedBy: [...new Set(input.introspectedBy)],
      createdAt: new Date(),
      disabled: false,
    };
    if (!(await this.#deps.store.insert(server)))
      throw new AppError('conflict', {
        message: 'a resource server with this identifier is registered already; "resources update" changes it',
      });
    await this.#deps.audit(actor, 'resource.create', server.identifier, { name: server.name });
    return { server, warnings: await this.warnings(server) };
  }

  /** Only what is named changes, and only if the result is as good a registration as a new one must be. */
  async update(
    actor: string,
    identifier: string,
    change: ResourceChange,
  ): Promise<Kept & { readonly changed: readonly string[] }> {
    const server = await this.get(identifier);
    const next = applyChange(server, change);
    const changed = changedFields(server, next);
    if (changed.length === 0) return { server, warnings: await this.warnings(server), changed };
    // As they were given: what the change leaves alone was checked when it came.
    await this.#check({ ...next, ...(change.scopes ? { scopes: change.scopes } : {}) });
    if (!(await this.#deps.store.update(next, server.revision)))
      throw new AppError('conflict', {
        message: 'the resource server was changed by somebody else meanwhile; try again',
      });
    await this.#deps.audit(actor, 'resource.update', identifier, { changed });
    const after = { ...next, revision: server.revision + 1 };
    return { server: after, warnings: await this.warnings(after), changed };
  }

  /** From the next request on no token is made for it, and nobody may introspect those there are but who holds them (T52). */
  disable(actor: string, identifier: string): Promise<ResourceServer> {
    return this.#setDisabled(actor, identifier, true);
  }

  enable(actor: string, identifier: string): Promise<ResourceServer> {
    return this.#setDisabled(actor, identifier, false);
  }

  /** The resource server of exactly this identifier, unless unknown or disabled. */
  async find(identifier: string): Promise<ResourceServer | undefined> {
    const server = await this.#deps.store.find(identifier);
    return server && !server.disabled ? server : undefined;
  }

  /** The resource server, disabled or not, or an error that says where all of them are listed. */
  async get(identifier: string): Promise<ResourceServer> {
    const server = await this.#deps.store.find(identifier);
    if (server) return server;
    throw new AppError('not_found', {
      message: `there is no resource server "${identifier}"; "resources list" shows all of them`,
    });
  }

  list(): Promise<ResourceServer[]> {
    return this.#deps.store.list();
  }

  /** The names of all scopes that active resource servers have: what a client may be registered for beside ours. */
  async scopeNames(): Promise<ReadonlySet<string>> {
    return new Set(await this.#deps.store.scopeNames());
  }

  /** What an administrator should know about this one, at its registration and whenever it is looked at. */
  async warnings(server: ResourceServer): Promise<string[]> {
    const warnings: string[] = [];
    if (server.tokenFormat === 'jwt')
      warnings.push(
        `a JWT access token is good until it expires (${server.tokenSeconds} seconds), whatever was revoked meanwhile`,
      );
    else if (server.introspectedBy.length === 0)
      warnings.push(
        'nobody can check its opaque tokens yet: name the client the API introspects as (--introspected-by)',
      );
    for (const other of await this.#deps.store.list()) {
      if (other.identifier === server.identifier) continue;
      const shared = server.scopes.filter(({ name }) => other.scopes.some((scope) => scope.name === name));
      if (shared.length > 0)
        warnings.push(
          `${shared.map(({ name }) => name).join(', ')} is also a scope of ${other.identifier}: a client that may ask for it there may ask for it here`,
        );
      if (sameAddress(other.identifier, server.identifier))
        warnings.push(`${other.identifier} is another resource server: identifiers are compared to the last character`);
    }
    return warnings;
  }

  async #check(input: NewResourceServer): Promise<void> {
    const problems = resourceProblems(input, this.#deps.demo);
    for (const id of new Set(input.introspectedBy)) {
      const client = await this.#deps.findClient(id);
      if (!client) problems.push(`there is no client "${id.slice(0, 60)}" to introspect as; "clients list" shows all`);
      else if (client.authMethod === 'none')
        problems.push(`the client "${id}" is public and cannot introspect; name one that authenticates`);
    }
    if (problems.length > 0) throw new AppError('invalid_request', { message: problems.join('; ') });
  }

  async #setDisabled(actor: string, identifier: string, disabled: boolean): Promise<ResourceServer> {
    const server = await this.get(identifier);
    // Nobody changed anything if it was so already: nothing to tell the audit log.
    if (!(await this.#deps.store.setDisabled(identifier, disabled))) return { ...server, disabled };
    await this.#deps.audit(actor, disabled ? 'resource.disable' : 'resource.enable', identifier);
    return { ...server, disabled, revision: server.revision + 1 };
  }
}

function applyChange(server: ResourceServer, change: ResourceChange): ResourceServer {
  return {
    ...server,
    name: change.name?.normalize('NFKC') ?? server.name,
    scopes: change.scopes ? toScopes(change.scopes) : server.scopes,
    tokenFormat: change.tokenFormat ?? server.tokenFormat,
    signingAlg: change.signingAlg ?? server.signingAlg,
    tokenSeconds: change.tokenSeconds ?? server.tokenSeconds,
    introspectedBy: change.introspectedBy ? [...new Set(change.introspectedBy)] : server.introspectedBy,
  };
}

/** Names of columns, for the audit log. */
function changedFields(before: ResourceServer, after: ResourceServer): string[] {
  return (Object.keys(after) as Array<keyof ResourceServer>)
    .filter((field) => JSON.stringify(before[field]) !== JSON.stringify(after[field]))
    .map((field) => field.replace(/[A-Z]/g, (capital) => `_${capital.toLowerCase()}`))
    .sort();
}

/** The same but for a slash at the end: easily taken for each other. */
function sameAddress(one: string, other: string): boolean {
  return one.replace(/\/$/, '') === other.replace(/\/$/, '');
}
