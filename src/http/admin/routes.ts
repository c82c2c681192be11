/** Every address of administration: the console's pages, its session, and the API they share with programs. */
import type { Middleware } from 'koa';
import type { AdministratorPasskeys } from '../../administrator/administrator-passkeys.js';
import type { AdministratorService } from '../../administrator/administrator-service.js';
import type { AdministratorSignIn } from '../../administrator/administrator-sign-in.js';
import type { ApiTokens } from '../../administrator/api-tokens.js';
import { auditedFrom } from '../../audit/audit-log.js';
import type { ClientService } from '../../client/client-service.js';
import type { Config } from '../../config.js';
import { createLimit } from '../../rate-limit.js';
import type { WidgetService } from '../../widget/widget-service.js';
import type { RequestState, Route } from '../context.js';
import { createCsrfTokens } from '../csrf-token.js';
import type { View } from '../view.js';
import {
  checkRedirectUri,
  createClient,
  deleteClient,
  listClients,
  rotateClientSecret,
  showClient,
  turnClient,
  updateClient,
} from './clients.js';
import { consoleSession, createConsoleCookie } from './console.js';
import { adminDocument } from './openapi.js';
import { clientPage, clientsPage, newClientPage, passkeysPage } from './pages.js';
import {
  addPasskey,
  beginPasskey,
  beginProof,
  beginSignIn,
  proveByPasskey,
  removePasskey,
  signInByPasskey,
} from './passkeys.js';
import { setUp, setupPage } from './setup.js';
import { prove, signIn, signOut } from './sign-in.js';
import { spoken } from './voice.js';

export interface AdminServices {
  view: View;
  administrators: AdministratorService;
  administratorSignIn: AdministratorSignIn;
  administratorPasskeys: AdministratorPasskeys;
  apiTokens: ApiTokens;
  clients: ClientService;
  widgets: WidgetService;
  csrfKey: string;
}

export function adminRoutes(
  route: Route,
  services: AdminServices,
  config: Config,
  ours: Middleware<RequestState>,
): void {
  const deps = {
    ...services,
    publicUrl: config.publicUrl,
    consoleCookie: createConsoleCookie(config.secureCookies),
    consoleCsrf: createCsrfTokens(services.csrfKey, 'console'),
    passkeyNeeded: services.administratorPasskeys.possible && !config.demo,
    challenges: createLimit({ points: 60, seconds: 60 }),
  };
  // Whatever an address of administration changes is written down with where it was asked from (T67).
  const audited: Middleware<RequestState> = (ctx, next) => auditedFrom(ctx.state.address, next);
  const at: Route = (method, path, handle, ...before) => route(method, path, handle, audited, ...before);
  const session = consoleSession(deps);

  at('get', '/admin', clientsPage(deps), session);
  at('get', '/admin/clients/new', newClientPage(deps), session);
  at('get', '/admin/clients/:id', clientPage(deps), session);
  at('get', '/admin/passkeys', passkeysPage(deps), session);
  at('get', '/admin/setup', setupPage(deps));
  at('post', '/admin/setup', setUp(deps), ours);
  at('post', '/admin/sign-in', signIn(deps), ours, session);
  at('post', '/admin/sign-in/passkey/begin', beginSignIn(deps), ours, spoken);
  at('post', '/admin/sign-in/passkey', signInByPasskey(deps), ours, spoken, session);
  at('post', '/admin/sign-out', signOut(deps), ours, session);
  at('post', '/admin/prove', prove(deps), ours, session);
  at('post', '/admin/prove/passkey/begin', beginProof(deps), ours, spoken, session);
  at('post', '/admin/prove/passkey', proveByPasskey(deps), ours, spoken, session);
  at('post', '/admin/passkeys/begin', beginPasskey(deps), ours, spoken, session);
  at('post', '/admin/passkeys', addPasskey(deps), ours, spoken, session);
  at('delete', '/admin/passkeys/:passkey', removePasskey(deps), ours, spoken, session);

  at('get', '/admin/api/openapi.json', adminDocument(deps));
  at('get', '/admin/api/clients', listClients(deps), spoken, session);
  at('post', '/admin/api/clients', createClient(deps), spoken, session);
  at('get', '/admin/api/clients/:id', showClient(deps), spoken, session);
  at('patch', '/admin/api/clients/:id', updateClient(deps), spoken, session);
  at('delete', '/admin/api/clients/:id', deleteClient(deps), spoken, session);
  at('post', '/admin/api/clients/:id/disable', turnClient(deps, 'disable'), spoken, session);
  at('post', '/admin/api/clients/:id/enable', turnClient(deps, 'enable'), spoken, session);
  at('post', '/admin/api/clients/:id/rotate-secret', rotateClientSecret(deps), spoken, session);
  at('post', '/admin/api/clients/:id/check-redirect-uri', checkRedirectUri(deps), spoken, session);
}
