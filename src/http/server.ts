/** The Koa application: the order of the middleware, and which door each address belongs to. */
import { createServer, type Server } from 'node:http';
import Router from '@koa/router';
import Koa, { type Middleware } from 'koa';
import type { AccountService } from '../account/account-service.js';
import type { BrowserSessionStore } from '../account/browser-session-store.js';
import type { GuessLimit } from '../account/guess-limit.js';
import type { PictureStore } from '../account/picture-store.js';
import type { SignInService } from '../account/sign-in-service.js';
import type { Config } from '../config.js';
import type { Database } from '../database/database.js';
import type { Authorization } from '../engine/authorization.js';
import type { CodeIssuer } from '../engine/code-issuer.js';
import type { DeviceAnswers } from '../engine/device-answers.js';
import type { Exchange } from '../engine/exchange.js';
import { inRequestScope } from '../engine/request-scope.js';
import type { SignInAnswers } from '../engine/sign-in-answers.js';
import { AppError } from '../error.js';
import type { Logger } from '../log.js';
import { createLimit, type Limit } from '../rate-limit.js';
import type { ResourceService } from '../resource/resource-service.js';
import type { TicketCaps } from '../ticket/ticket-caps.js';
import type { TicketService } from '../ticket/ticket-service.js';
import type { WidgetService } from '../widget/widget-service.js';
import { type AdminServices, adminRoutes } from './admin/routes.js';
import type { Assets } from './assets.js';
import { continueToSite } from './connect/continue.js';
import { qrconnect } from './connect/qrconnect.js';
import type { RequestState, Route } from './context.js';
import { createCsrfTokens } from './csrf-token.js';
import { cancelHere, consentHere, continueHere, signInHere } from './interaction/answer.js';
import { showInteraction } from './interaction/show.js';
import { clientAddress } from './middleware/client-address.js';
import { errorPage } from './middleware/error-page.js';
import { hostCheck } from './middleware/host-check.js';
import { createPhoneCookie, phoneSession } from './middleware/phone-session.js';
import { querySecrets } from './middleware/query-secrets.js';
import { requestLog } from './middleware/request-log.js';
import { sameOrigin } from './middleware/same-origin.js';
import { securityHeaders } from './middleware/security-headers.js';
import { type EngineHandler, engineDoor } from './oauth/engine-door.js';
import { confirm, deny, prove, scan } from './phone/decide.js';
import { devicePage } from './phone/device.js';
import { scanPage } from './phone/scan.js';
import { signIn, signOut } from './phone/sign-in.js';
import { createUserCodes } from './phone/user-code.js';
import { apiDocument, apiPage } from './qr/api-page.js';
import { ticketCors } from './qr/cors.js';
import { type EventsDeps, events } from './qr/events.js';
import { createHeartbeat, type Heartbeat } from './qr/heartbeat.js';
import { type OpenDeps, openTicket } from './qr/open.js';
import { socketDoor } from './qr/socket.js';
import { cancel, delegate, redeem, renew, status } from './qr/tickets.js';
import { createWaiters, type Waiters } from './qr/waiters.js';
import { accessToken, auth, refreshToken, userinfo } from './sns/routes.js';
import { asset, home, live, picture, pinnedWidget, ready, widget, widgetManifest } from './static.js';
import { boundUnreadBodies } from './unread-body.js';
import { takeUpgrades } from './upgrade.js';

export interface ServerDeps extends AdminServices {
  config: Config;
  log: Logger;
  database: Database;
  assets: Assets;
  widgets: WidgetService;
  tickets: TicketService;
  caps: TicketCaps;
  /** For all nodes together; the other limits are each node's own. */
  wrongUserCodes: GuessLimit;
  signIn: SignInService;
  pictures: PictureStore;
  authorization: Authorization;
  answers: SignInAnswers;
  devices: DeviceAnswers;
  accounts: AccountService;
  browserSessions: BrowserSessionStore;
  resources: ResourceService;
  issuer: CodeIssuer;
  exchange: Exchange;
  demoUrl: string | undefined;
  /** The engine, for its own addresses. */
  engine: EngineHandler;
}

/** 8 KiB of URL, 16 KiB of headers (docs/security.md). */
const MAX_URL = 8192;
const SERVER_OPTIONS = {
  maxHeaderSize: 16 * 1024,
  headersTimeout: 10_000,
  requestTimeout: 15_000,
  keepAliveTimeout: 5_000,
  // Node looks after the two limits above only this often.
  connectionsCheckingInterval: 1_000,
};

export function createHttpServer(deps: ServerDeps): { server: Server; waiters: Waiters; heartbeat: Heartbeat } {
  const { config, log, view } = deps;
  const waiters = createWaiters(config.waiters);
  // Guesses at wait secrets, by address, whatever the transport (T3).
  const misses = createLimit({ points: 60, seconds: 60 });
  const strangers = createLimit({ points: config.ticketLimits.perAddress * 3, seconds: 60 });
  const held = { ...deps, waiters, misses, strangers, heartbeat: createHeartbeat() };
  // Wrong client secrets by client and address, whichever dialect they were tried in (T56).
  const secretGuesses = createLimit({ points: 20, seconds: 60 });
  const app = new Koa<RequestState>();
  app.silent = true;
  app.use(requestLog(log));
  app.use(securityHeaders({ https: config.publicUrl.startsWith('https:') }));
  app.use(clientAddress(config));
  app.use(errorPage({ view, log }));
  app.use(hostCheck(config.publicUrl));
  app.use(boundUrl);
  app.use((_ctx, next) => inRequestScope(next));
  app.use(querySecrets(deps));
  app.use(engineDoor(deps.engine, { secretGuesses, strangers }, (origin) => deps.clients.publicOrigin(origin)));
  app.use(ticketCors({ ...deps, publicUrl: config.publicUrl }));
  const router = routes(held, secretGuesses);
  app.use(router.routes() as unknown as Middleware<RequestState>);
  app.use(methodCheck(router));
  const server = createServer(SERVER_OPTIONS, app.callback());
  server.timeout = 40_000; // Where nothing has moved for so long nobody reads (T77): what is held speaks every 25 s.
  boundUnreadBodies(server);
  takeUpgrades(server, socketDoor({ ...held, publicUrl: config.publicUrl, trustedProxies: config.trustedProxies }));
  // While stopping, each answer is the last one of its connection.
  server.prependListener('request', (_req, res) => {
    if (!server.listening) res.setHeader('Connection', 'close');
  });
  return { server, waiters, heartbeat: held.heartbeat };
}

type Held = ServerDeps & Pick<EventsDeps, 'waiters' | 'misses' | 'heartbeat'> & Pick<OpenDeps, 'strangers'>;

function routes(deps: Held, secretGuesses: Limit): Router<RequestState> {
  const { config, assets } = deps;
  const { publicUrl, demo } = config;
  const router = new Router<RequestState>();
  const at: Route = (method, path, handle, ...before) => {
    const named: Middleware<RequestState> = (ctx, next) => {
      ctx.state.route = path;
      return next();
    };
    router[method](path, named as never, ...(before as never[]), handle as never);
  };

  at('get', '/', home({ ...deps, publicUrl }));
  at('get', '/health/live', live());
  at('get', '/health/ready', ready(deps.database));
  at('get', '/assets/:file', asset(assets));
  at('get', '/picture/:name/:size', picture(deps.pictures));

  const pages = { ...deps, publicUrl, demo };
  at('get', '/connect/qrconnect', qrconnect(pages));
  at('get', '/connect/continue/:handle', continueToSite(pages));
  at('get', '/widget.js', widget(assets, 'widget.js'));
  at('get', '/widget.json', widgetManifest(deps.widgets));
  at('get', '/widget/:build/:file', pinnedWidget(deps.widgets));
  for (const path of ['/js/wxLogin.js', '/connect/zh_CN/htmledition/js/wxLogin.js']) {
    at('get', path, widget(assets, 'wxLogin.js'));
  }
  at('get', '/js/wxLogin.d.ts', widget(assets, 'wxLogin.d.ts'));
  // WeChat's poll and image by id hand a code to whoever knows the id; ours does not exist (T2, T34, T36).
  for (const path of ['/connect/l/qrconnect', '/connect/qrcode/:id']) {
    at('get', path, () => {
      throw new AppError('gone', {
        message: 'This server has no such address: the waiting page uses /api/qr/tickets.',
      });
    });
  }

  at('get', '/api/qr', apiPage(pages));
  at('get', '/api/qr/openapi.json', apiDocument(pages));
  at('post', '/api/qr/tickets', openTicket({ ...pages, secretGuesses }));
  at('get', '/api/qr/tickets/:id', status(pages));
  at('get', '/api/qr/tickets/:id/events', events(pages));
  at('post', '/api/qr/tickets/:id/redeem', redeem(pages));
  at('post', '/api/qr/tickets/:id/continue', delegate(pages));
  at('post', '/api/qr/tickets/:id/renew', renew(pages));
  at('delete', '/api/qr/tickets/:id', cancel(pages));

  const cookie = createPhoneCookie(config.secureCookies);
  const phone = {
    ...pages,
    cookie,
    csrf: createCsrfTokens(deps.csrfKey, 'phone'),
    userCodes: createUserCodes(deps.devices, deps.wrongUserCodes),
  };
  const session = phoneSession(phone);
  const ours = sameOrigin(publicUrl);
  at('get', '/s/:scanToken', scanPage(phone), session);
  at('get', '/device', devicePage(phone), session);
  at('post', '/phone/sign-in', signIn(phone), ours, session);
  at('post', '/phone/sign-out', signOut(phone), ours, session);
  at('post', '/phone/scan', scan(phone), ours, session);
  at('post', '/phone/confirm', confirm(phone), ours, session);
  at('post', '/phone/deny', deny(phone), ours, session);
  at('post', '/phone/prove', prove(phone), ours, session);

  at('get', '/interaction/:uid', showInteraction(pages), session);
  at('post', '/interaction/:uid/sign-in', signInHere(pages), ours);
  at('post', '/interaction/:uid/continue', continueHere(pages), ours, session);
  at('post', '/interaction/:uid/consent', consentHere(pages), ours);
  at('post', '/interaction/:uid/cancel', cancelHere(pages), ours);

  adminRoutes(at, deps, config, ours);

  const sns = { ...pages, secretGuesses };
  for (const [path, handle] of Object.entries({
    '/sns/oauth2/access_token': accessToken(sns),
    '/sns/oauth2/refresh_token': refreshToken(sns),
    '/sns/auth': auth(sns),
    '/sns/userinfo': userinfo(sns),
  })) {
    at('get', path, handle);
    at('post', path, handle);
  }
  return router;
}

const boundUrl: Middleware<RequestState> = (ctx, next) => {
  if (ctx.url.length > MAX_URL) throw new AppError('too_large');
  return next();
};

/** A known address with the wrong method is 405, not 404; OPTIONS included: preflights end before (qr/cors.ts). */
function methodCheck(router: Router<RequestState>): Middleware<RequestState> {
  return (ctx, next) => {
    const { path, route } = router.match(ctx.path, ctx.method);
    if (!route && path.length > 0) {
      ctx.set('Allow', [...new Set(path.flatMap((layer) => layer.methods))].join(', '));
      throw new AppError('method_not_allowed');
    }
    return next();
  };
}
