/** The stores and services, each built once and connected; what the server and the command line have in common. */
import { AccountService } from './account/account-service.js';
import { createAccountStore } from './account/account-store.js';
import { createBrowserSessionStore } from './account/browser-session-store.js';
import { createCredentialStore } from './account/credential-store.js';
import { createGuessStore } from './account/guess-store.js';
import { createPhoneSessionStore } from './account/phone-session-store.js';
import { createPictureStore } from './account/picture-store.js';
import { SignInService } from './account/sign-in-service.js';
import { AdministratorPasskeys } from './administrator/administrator-passkeys.js';
import { AdministratorService } from './administrator/administrator-service.js';
import { createAdministratorSessionStore } from './administrator/administrator-session-store.js';
import { AdministratorSignIn } from './administrator/administrator-sign-in.js';
import { createAdministratorStore } from './administrator/administrator-store.js';
import { createApiTokenStore } from './administrator/api-token-store.js';
import { ApiTokens } from './administrator/api-tokens.js';
import { createPasskeyStore } from './administrator/passkey-store.js';
import { createAuditLog } from './audit/audit-log.js';
import { ClientService } from './client/client-service.js';
import { createClientStore } from './client/client-store.js';
import type { Config } from './config.js';
import { openDatabase } from './database/database.js';
import type { EngineDeps } from './engine/configuration.js';
import { createEngine, engineHandler, validateClient } from './engine/create-engine.js';
import { engineFetch } from './engine/engine-fetch.js';
import { createLiveEngine } from './engine/live-engine.js';
import { createRecordStore } from './engine/record-store.js';
import { scoped } from './engine/request-scope.js';
import { createSignOut } from './engine/sign-out.js';
import { createSubjects } from './engine/subjects.js';
import { loadAssets } from './http/assets.js';
import { sendPage } from './http/context.js';
import { chooseLanguage } from './http/language.js';
import { renderErrorPage } from './http/middleware/error-page.js';
import { requestIdOf } from './http/middleware/request-log.js';
import { createLogoutPages } from './http/oauth/logout-pages.js';
import { createView } from './http/view.js';
import { type KeyRing, openKeyRing } from './key/key-ring.js';
import { KeyService } from './key/key-service.js';
import { createKeyStore } from './key/key-store.js';
import { createSeal } from './key/seal.js';
import { signStatement } from './key/statement.js';
import type { Logger } from './log.js';
import { createOutgoing } from './outgoing/outgoing.js';
import { projectRoot } from './project-root.js';
import { ResourceService } from './resource/resource-service.js';
import { createResourceStore } from './resource/resource-store.js';
import { createTicketStore } from './ticket/ticket-store.js';
import { WidgetService } from './widget/widget-service.js';
import { createWidgetStore } from './widget/widget-store.js';

/** Opens the database at `url`, migrates it, and builds what server and command line share. */
export async function furnish(config: Config, url: string, log: Logger) {
  const database = openDatabase(url, { onError: (error) => log.warn({ err: error }, 'a database connection broke') });
  let ring: KeyRing | undefined;
  try {
    await database.migrate();
    const auditLog = createAuditLog(database);
    const audit = auditLog.record;
    const keyService = new KeyService({ store: createKeyStore(database), seal: createSeal(config.keysSecret), audit });
    ring = await openKeyRing(keyService, {
      rotationDays: config.keyRotationDays,
      onError: (error) => log.warn({ err: error }, 'the keys could not be read again; they stay as they were'),
    });
    const keys = ring.current();
    const accountStore = createAccountStore(database);
    const ticketStore = createTicketStore(database);
    const credentials = createCredentialStore(database);
    const sessions = createPhoneSessionStore(database);
    const browserSessions = createBrowserSessionStore(database);
    const pictures = createPictureStore(database);
    const guesses = createGuessStore(database);
    const administratorStore = createAdministratorStore(database);
    const administratorSessions = createAdministratorSessionStore(database);
    const passkeyStore = createPasskeyStore(database);
    const apiTokenStore = createApiTokenStore(database);
    const records = createRecordStore(database);
    const accounts = new AccountService({
      store: accountStore,
      credentials,
      sessions,
      pictures,
      signOutBrowsers: (of) => signOut.browsers(of),
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
      resourceScopes: () => resources.scopeNames(),
      endTickets: (id) => ticketStore.expireOfClient(id),
      validate: (client) => validateClient(provider, client),
      audit,
    });
    const resources = new ResourceService({
      store: createResourceStore(database),
      demo: config.demo,
      findClient: (id) => clients.find(id),
      audit,
    });
    const assets = loadAssets(config.publicUrl);
    const widgets = new WidgetService({
      store: createWidgetStore(database),
      build: assets.build,
      publicUrl: config.publicUrl,
      sign: (statement) => signStatement((ring as KeyRing).current(), 'widget+jwt', statement),
      audit,
    });
    const view = createView(projectRoot, assets);
    const subjects = createSubjects(keys.subject);
    const engineDeps: Omit<EngineDeps, 'keys'> = {
      publicUrl: config.publicUrl,
      secureCookies: config.secureCookies,
      certificates: config.certificateHeader !== undefined,
      log,
      records,
      subjects,
      browserSessions,
      findClient: (id) => clients.active(id),
      activeAccount: (id) => scoped('Account', id, () => accounts.active(id)),
      findResource: (identifier) => resources.find(identifier),
      logoutPages: createLogoutPages({ view }),
      fetch: engineFetch(createOutgoing({ allowLoopback: config.demo })),
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
      onRefused: (refusal, req) => log.info({ rid: requestIdOf(req), ...refusal }, 'a client was refused'),
    };
    const live = createLiveEngine((now) => createEngine({ ...engineDeps, keys: now }), ring);
    const provider = live.provider();
    const signOut = createSignOut(live, { browserSessions, records, log });
    return {
      publicUrl: config.publicUrl,
      database,
      keys: keyService,
      ring,
      records,
      accounts,
      clients,
      assets,
      widgets,
      view,
      subjects,
      signOut,
      provider,
      engine: engineHandler(live, config.publicUrl),
      sessions,
      browserSessions,
      resources,
      scopesOfResource: async (identifier: string) => {
        const server = await resources.find(identifier);
        return server && new Set(server.scopes.map(({ name }) => name));
      },
      pictures,
      guesses,
      ticketStore,
      signIn: new SignInService({
        accounts: accountStore,
        credentials,
        sessions,
        guesses,
        signOutBrowsers: signOut.browsers,
      }),
      auditLog,
      administratorSessions,
      apiTokenStore,
      passkeyStore,
      administratorPasskeys: new AdministratorPasskeys({ store: passkeyStore, publicUrl: config.publicUrl, audit }),
      administrators: new AdministratorService({ store: administratorStore, audit }),
      administratorSignIn: new AdministratorSignIn({
        administrators: administratorStore,
        sessions: administratorSessions,
        guesses,
        audit,
      }),
      apiTokens: new ApiTokens({ store: apiTokenStore, audit }),
    };
  } catch (error) {
    ring?.stop();
    await database.close();
    throw error;
  }
}
