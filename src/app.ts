/** Builds the server on what house.ts has; these two files are the only ones that know everyone. */
import type { Server } from 'node:http';
import { setTimeout } from 'node:timers/promises';
import type { AccountService } from './account/account-service.js';
import { createGuessLimit } from './account/guess-limit.js';
import type { AdministratorService } from './administrator/administrator-service.js';
import type { ApiTokens } from './administrator/api-tokens.js';
import type { ClientService } from './client/client-service.js';
import { type Config, isPrivateHost } from './config.js';
import type { Database } from './database/database.js';
import { createAuthorization } from './engine/authorization.js';
import { createCodeIssuer } from './engine/code-issuer.js';
import { createDeviceAnswers } from './engine/device-answers.js';
import { createExchange } from './engine/exchange.js';
import { scoped } from './engine/request-scope.js';
import { createSignInAnswers } from './engine/sign-in-answers.js';
import { furnish } from './house.js';
import { stopGracefully } from './http/graceful-stop.js';
import { createHttpServer } from './http/server.js';
import type { KeyRing } from './key/key-ring.js';
import type { KeyService } from './key/key-service.js';
import { createLogger, type Logger } from './log.js';
import type { ResourceService } from './resource/resource-service.js';
import { createNudge } from './ticket/nudge.js';
import { createTicketCapStore } from './ticket/ticket-cap-store.js';
import { createTicketCaps } from './ticket/ticket-caps.js';
import { TicketService } from './ticket/ticket-service.js';
import { createTicketWatcher } from './ticket/ticket-watcher.js';
import type { WidgetService } from './widget/widget-service.js';

export interface Services {
  publicUrl: string;
  resources: ResourceService;
  accounts: AccountService;
  administrators: AdministratorService;
  apiTokens: ApiTokens;
  clients: ClientService;
  keys: KeyService;
  widgets: WidgetService;
}

export interface App extends Services {
  database: Database;
  server: Server;
  ring: KeyRing;
  tickets: TicketService;
  /** What waits at this node at the moment: tickets watched, waiters held, connections kept alive. */
  held(): { watched: number; waiters: number; beating: number };
  /** Ends held requests, then the server, then the database: everything within ten seconds. */
  stop(): Promise<void>;
}

const SWEEP_MS = 60_000;
/** How long connections to the database may take to say goodbye. */
const CLOSE_MS = 2_000;

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
  await house.widgets.keep();
  const { database, ring, provider, engine, accounts, clients } = house;
  const authorization = createAuthorization(provider, engine, house.scopesOfResource, config.secureCookies);
  const nudge = await createNudge(database, (error) =>
    log.warn({ err: error }, 'nudges between nodes failed; pages may hear two seconds late'),
  );
  const caps = createTicketCaps({
    store: createTicketCapStore(database),
    limits: config.ticketLimits,
    onFull: (limit) =>
      log.warn({ limit }, 'as many tickets are open as may be; behind a proxy, is it in TRUSTED_PROXIES?'),
  });
  const watcher = createTicketWatcher(house.ticketStore, nudge, (error) =>
    log.warn({ err: error }, 'watched tickets could not be read; they are at the next tick'),
  );
  const tickets = new TicketService({
    store: house.ticketStore,
    caps,
    nudge,
    watcher,
    pendingSeconds: config.ticketSeconds,
    requestLives: async (uid) => {
      const request = await authorization.read(uid);
      return request !== undefined && (await clients.active(request.clientId)) !== undefined;
    },
  });
  const activeAccount = (id: string) => scoped('Account', id, () => accounts.active(id));
  const answering = {
    records: house.records,
    activeAccount,
    sessionLives: (id: string) => house.sessions.lives(id),
    scopesOfResource: house.scopesOfResource,
    openid: house.subjects.openid,
  };
  const { server, waiters, heartbeat } = createHttpServer({
    ...house,
    config,
    log,
    tickets,
    caps,
    wrongUserCodes: createGuessLimit(house.guesses, { name: 'user code', points: 10, seconds: 600 }),
    csrfKey: ring.current().csrf,
    demoUrl: config.demo ? demoUrl(config) : undefined,
    authorization,
    answers: createSignInAnswers(provider, answering),
    devices: createDeviceAnswers(provider, { ...answering, findClient: (id) => clients.active(id) }),
    issuer: createCodeIssuer(provider, {
      ...answering,
      claimRequest: (uid) => house.records.claim('Interaction', uid),
    }),
    exchange: createExchange(provider, {
      subjects: house.subjects,
      activeAccount,
      findClient: (id) => scoped('Client', id, () => clients.find(id)),
    }),
  });
  const sweeper = setInterval(() => {
    sweepAll([
      house.ticketStore,
      house.records,
      house.sessions,
      house.guesses,
      house.administratorSessions,
      house.apiTokenStore,
      house.passkeyStore,
      house.auditLog,
    ]).catch((error) => log.warn({ err: error }, 'sweep'));
  }, SWEEP_MS).unref();

  return {
    ...house,
    tickets,
    server,
    held: () => ({ watched: watcher.size, waiters: waiters.size, beating: heartbeat.size }),
    async stop() {
      clearInterval(sweeper);
      ring.stop();
      await stopGracefully(server, waiters);
      await house.signOut.settled();
      const closed = tickets.close().then(() => database.close());
      // A database that has fallen silent answers no goodbye, and its connections would be waited for until TCP gives up.
      const late = setTimeout(CLOSE_MS, undefined, { ref: false });
      await Promise.race([closed, late]);
    },
  };
}

/** The services without a server, for the command line. */
export async function createServices(config: Config, url: string): Promise<Services & { close(): Promise<void> }> {
  const house = await furnish(config, url, createLogger('silent'));
  return {
    ...house,
    async close() {
      house.ring.stop();
      await house.signOut.settled();
      await house.database.close();
    },
  };
}

/** Where the demo site answers: another site than ours, so that third-party-cookie rules apply to the frame. */
export function demoUrl(config: Config): string {
  const { hostname } = new URL(config.publicUrl);
  const host = isPrivateHost(hostname) ? hostname : hostname === 'localhost' ? '127.0.0.1' : 'localhost';
  return `http://${host}:${config.demoPort}`;
}
