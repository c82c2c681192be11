/** Builds every object once and connects them; the only file that knows everyone. */
import type { Server } from 'node:http';
import { AccountService } from './account/account-service.js';
import { createAccountStore } from './account/account-store.js';
import { AdministratorService } from './account/administrator-service.js';
import { createAdministratorStore } from './account/administrator-store.js';
import { createCredentialStore } from './account/credential-store.js';
import { createPhoneSessionStore } from './account/phone-session-store.js';
import { createPictureStore } from './account/picture-store.js';
import { SignInService } from './account/sign-in-service.js';
import { createAuditLog } from './audit/audit-log.js';
import { ClientService } from './client/client-service.js';
import { createClientStore } from './client/client-store.js';
import { type Config, isPrivateHost } from './config.js';
import { type Database, openDatabase } from './database/database.js';
import { createAuthorization } from './engine/authorization.js';
import { createCodeIssuer } from './engine/code-issuer.js';
import { createEngine, engineHandler, validateClient } from './engine/create-engine.js';
import { createExchange } from './engine/exchange.js';
import { createRecordStore } from './engine/record-store.js';
import { scoped } from './engine/request-scope.js';
import { loadServerKeys } from './engine/server-keys.js';
import { createSubjects } from './engine/subjects.js';
import { loadAssets } from './http/assets.js';
import { sendPage } from './http/context.js';
import { stopGracefully } from './http/graceful-stop.js';
import { chooseLanguage } from './http/language.js';
import { renderErrorPage } from './http/middleware/error-page.js';
import { requestIdOf } from './http/middleware/request-log.js';
import { createHttpServer } from './http/server.js';
import { createView } from './http/view.js';
import { createLogger, type Logger } from './log.js';
import { projectRoot } from './project-root.js';
import { createNudge } from './ticket/nudge.js';
import { TicketService } from './ticket/ticket-service.js';
import { createTicketStore } from './ticket/ticket-store.js';

export interface Services {
  accounts: AccountService;
  administrators: AdministratorService;
  clients: ClientService;
}

export interface App extends Services {
  database: Database;
  server: Server;
  tickets: TicketService;
  /** Ends held requests, then the server, then the database: everything within ten seconds. */
  stop(): Promise<void>;
}

const SWEEP_MS = 60_000;

/** Each in small batches until nothing is left, so that no flood outgrows it and no statement runs long. */
async function sweepAll(stores: ReadonlyArray<{ sweep(): Promise<number> }>): Promise<void> {
  for (const store of stores) while ((await store.sweep()) > 0);
}

/** Opens the database at `url`, migrates it, and builds the server; it does not listen yet. */
export async function createApp(
  config: Config,
  url: string,
  log: Logger = createLogger(config.logLevel),
): Promise<App> {
  const house = await furnish(config, url, log);
  const { database, keys, provider, engine, accounts, clients } = house;
  const authorization = createAuthorization(provider, engine);
  const tickets = new TicketService({
    store: house.ticketStore,
    nudge: await createNudge(database, (error) => log.warn({ err: error }, 'the LISTEN connection was lost')),
    pendingSeconds: config.ticketSeconds,
    requestLives: async (uid) => (await authorization.read(uid)) !== undefined,
  });
  const activeAccount = (id: string) => scoped('Account', id, () => accounts.active(id));
  const { server, waiters } = createHttpServer({
    ...house,
    config,
    log,
    tickets,
    csrfKey: keys.csrf,
    demoUrl: config.demo ? demoUrl(config) : undefined,
    authorization,
    issuer: createCodeIssuer(provider, {
      activeAccount,
      claimRequest: (uid) => house.records.claim('Interaction', uid),
      sessionLives: (id) => house.sessions.lives(id),
    }),
    exchange: createExchange(provider, {
      subjects: house.subjects,
      activeAccount,
      findClient: (id) => scoped('Client', id, () => clients.find(id)),
    }),
  });
  const sweeper = setInterval(() => {
    sweepAll([house.ticketStore, house.records, house.sessions]).catch((error) => log.warn({ err: error }, 'sweep'));
  }, SWEEP_MS).unref();

  return {
    ...house,
    tickets,
    server,
    async stop() {
      clearInterval(sweeper);
      await stopGracefully(server, waiters);
      await tickets.close();
      await database.close();
    },
  };
}

/** The services without a server, for the command line. */
export async function createServices(config: Config, url: string): Promise<Services & { close(): Promise<void> }> {
  const house = await furnish(config, url, createLogger('silent'));
  return { ...house, close: () => house.database.close() };
}

/** Where the demo site answers: another site than ours, so that third-party-cookie rules apply to the frame. */
export function demoUrl(config: Config): string {
  const { hostname } = new URL(config.publicUrl);
  const host = isPrivateHost(hostname) ? hostname : hostname === 'localhost' ? '127.0.0.1' : 'localhost';
  return `http://${host}:${config.demoPort}`;
}

async function furnish(config: Config, url: string, log: Logger) {
  const database = openDatabase(url, { onError: (error) => log.warn({ err: error }, 'a database connection broke') });
  try {
    await database.migrate();
    const keys = await loadServerKeys(database);
    const { record: audit } = createAuditLog(database);
    const accountStore = createAccountStore(database);
    const ticketStore = createTicketStore(database);
    const credentials = createCredentialStore(database);
    const sessions = createPhoneSessionStore(database);
    const pictures = createPictureStore(database);
    const records = createRecordStore(database);
    const accounts = new AccountService({
      store: accountStore,
      credentials,
      sessions,
      pictures,
      endAllowed: async (id) => {
        // Tickets first: what they would still turn into is a grant.
        await ticketStore.expireOf(id);
        await records.removeGrantsOf(id);
      },
      audit,
    });
    const clients: ClientService = new ClientService({
      store: createClientStore(database),
      demo: config.demo,
      validate: (client) => validateClient(provider, client),
      audit,
    });
    const assets = loadAssets(config.publicUrl);
    const view = createView(projectRoot, assets);
    const subjects = createSubjects(keys.subject);
    const provider = createEngine({
      ...config,
      records,
      keys,
      subjects,
      findClient: (id) => clients.active(id),
      activeAccount: (id) => scoped('Account', id, () => accounts.active(id)),
      errorPage: (ctx, out) => {
        const lang = chooseLanguage(undefined, ctx.get('Accept-Language'));
        const input = {
          lang,
          requestId: requestIdOf(ctx.req),
          reason: out.error,
          developerHint: out.error_description,
        };
        sendPage(ctx, renderErrorPage(view, input), ctx.status);
      },
      onError: (error, req) => log.error({ rid: requestIdOf(req), err: error }, 'engine'),
    });
    return {
      database,
      keys,
      records,
      accounts,
      clients,
      assets,
      view,
      subjects,
      provider,
      engine: engineHandler(provider, config.publicUrl),
      sessions,
      pictures,
      ticketStore,
      signIn: new SignInService({ accounts: accountStore, credentials, sessions }),
      administrators: new AdministratorService({ store: createAdministratorStore(database), audit }),
    };
  } catch (error) {
    await database.close();
    throw error;
  }
}
