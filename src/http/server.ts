/** The Koa application: the order of the middleware, and which door each address belongs to. */
import { createServer, type Server } from 'node:http';
import Router from '@koa/router';
import Koa, { type Middleware } from 'koa';
import type { AccountService } from '../account/account-service.js';
import type { AdministratorService } from '../account/administrator-service.js';
import type { BrowserSessionStore } from '../account/browser-session-store.js';
import type { PictureStore } from '../account/picture-store.js';
import type { SignInService } from '../account/sign-in-service.js';
import type { ClientService } from '../client/client-service.js';
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
import type { ResourceService } from '../resource/resource-service.js';
import type { TicketService } from '../ticket/ticket-service.js';
import { setUp, setupPage } from './admin/setup.js';
import type { Assets } from './assets.js';
import { continueToSite } from './connect/continue.js';
import { qrconnect } from './connect/qrconnect.js';
import type { AppRouterContext, RequestState } from './context.js';
import { cancelHere, consentHere, continueHere, signInHere } from './interaction/answer.js';
import { showInteraction } from './interaction/show.js';
import { clientAddress } from './middleware/client-address.js';
import { errorPage } from './middleware/error-page.js';
import { hostCheck } from './middleware/host-check.js';
import { createPhoneCookie, phoneSession } from './middleware/phone-session.js';
import { querySecrets } from './middleware/query-secrets.js';
import { createLimit, type Limit } from './middleware/rate-limit.js';
import { requestLog } from './middleware/request-log.js';
import { sameOrigin } from './middleware/same-origin.js';
import { securityHeaders } from './middleware/security-headers.js';
import { type EngineHandler, engineDoor } from './oauth/engine-door.js';
import { createCsrfTokens } from './phone/csrf-token.js';
import { confirm, deny, prove, scan } from './phone/decide.js';
import { devicePage } from './phone/device.js';
import { scanPage } from './phone/scan.js';
import { signIn, signOut } from './phone/sign-in.js';
import { createUserCodes } from './phone/user-code.js';
import { cancel, delegate, redeem, renew, status } from './qr/tickets.js';
import { createWaiters, type Waiters } from './qr/waiters.js';
import { accessToken, auth, refreshToken, userinfo } from './sns/routes.js';
import { asset, home, live, picture, ready, widget } from './static.js';
import type { View } from './view.js';

export interface ServerDeps {
  config: Config;
  log: Logger;
  database: Database;
  view: View;
  assets: Assets;
  tickets: TicketService;
  clients: ClientService;
  signIn: SignInService;
  administrators: AdministratorService;
  pictures: PictureStore;
  authorization: Authorization;
  answers: SignInAnswers;
  devices: DeviceAnswers;
  accounts: AccountService;
  browserSessions: BrowserSessionStore;
  resources: ResourceService;
  issuer: CodeIssuer;
  exchange: Exchange;
  csrfKey: string;
  demoUrl: string | undefined;
  /** The engine, for its own addresses. */
  engine: EngineHandler;
}

type Handler = (ctx: AppRouterContext) => void | Promise<void>;

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

export function createHttpServer(deps: ServerDeps): { server: Server; waiters: Waiters } {
  const { config, log, view } = deps;
  const waiters = createWaiters();
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
  app.use(engineDoor(deps.engine, secretGuesses, (origin) => deps.clients.publicOrigin(origin)));
  const router = routes(deps, waiters, secretGuesses);
  app.use(router.routes() as unknown as Middleware<RequestState>);
  app.use(methodCheck(router));
  const server = createServer(SERVER_OPTIONS, app.callback());
  // While stopping, each answer is the last one of its connection.
  server.prependListener('request', (_req, res) => {
    if (!server.listening) res.setHeader('Connection', 'close');
  });
  return { server, waiters };
}

function routes(deps: ServerDeps, waiters: Waiters, secretGuesses: Limit): Router<RequestState> {
  const { config, assets, view } = deps;
  const { publicUrl, demo } = config;
  const router = new Router<RequestState>();
  const at = (
    method: 'get' | 'post' | 'delete',
    path: string,
    handle: Handler,
    ...before: Middleware<RequestState>[]
  ) => {
    const named: Middleware<RequestState> = (ctx, next) => {
      ctx.state.route = path;
      return next();
    };
    router[method](path, named as never, ...(before as never[]), handle as never);
  };

  at('get', '/', home({ view, publicUrl, demoUrl: deps.demoUrl }));
  at('get', '/health/live', live());
  at('get', '/health/ready', ready(deps.database));
  at('get', '/assets/:file', asset(assets));
  at('get', '/picture/:name/:size', picture(deps.pictures));

  const pages = { ...deps, publicUrl, demo };
  at('get', '/connect/qrconnect', qrconnect(pages));
  at('get', '/connect/continue/:handle', continueToSite(pages));
  at('get', '/widget.js', widget(assets, 'widget.js'));
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

  const ticketApi = { ...pages, waiters, misses: createLimit({ points: 60, seconds: 60 }) };
  at('get', '/api/qr/tickets/:id', status(ticketApi));
  at('post', '/api/qr/tickets/:id/redeem', redeem(ticketApi));
  at('post', '/api/qr/tickets/:id/continue', delegate(ticketApi));
  at('post', '/api/qr/tickets/:id/renew', renew(ticketApi));
  at('delete', '/api/qr/tickets/:id', cancel(ticketApi));

  const cookie = createPhoneCookie(config.secureCookies);
  const phone = { ...pages, cookie, csrf: createCsrfTokens(deps.csrfKey), userCodes: createUserCodes(deps.devices) };
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

  at('get', '/admin/setup', setupPage(pages));
  at('post', '/admin/setup', setUp(pages), ours);

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

/** A known address with the wrong method is 405, not 404; OPTIONS included, nothing here answers CORS preflights. */
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
