// A site that lets people sign in by QR code, in both dialects. Node built-ins only: read it, copy it, change it.
//
//   /wechat -> the page that shows the code -> /callback/wechat   WeChat's "website login", on this server
//   /oauth  -> the page that shows the code -> /callback/oauth    OpenID Connect: PKCE, nonce, iss
import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { createServer } from 'node:http';
import { pathToFileURL } from 'node:url';
import { pages } from './pages.mjs';

const ATTEMPT_MS = 15 * 60_000;
const MAX_VISITORS = 10_000;
const MAX_ATTEMPTS = 10;

const random = () => randomBytes(32).toString('base64url');
const sha256 = (text) => createHash('sha256').update(text).digest();
const isSame = (a, b) => timingSafeEqual(sha256(String(a)), sha256(String(b)));

/** The sign-in was answered with a refusal; anything else that fails is a server we cannot reach. */
class Refused extends Error {}

async function fetchJson(url, init) {
  const response = await fetch(url, { redirect: 'error', signal: AbortSignal.timeout(10_000), ...init });
  if (response.status >= 500) throw new Error(`HTTP ${response.status}`);
  const body = JSON.parse(await response.text()); // WeChat's answers are JSON that calls itself text/plain
  if (body.errcode) throw new Refused(`${body.errcode} ${body.errmsg}`);
  if (!response.ok) throw new Refused(`${response.status} ${body.error ?? ''}`);
  return body;
}

export function createRelyingParty({ qrconnectUrl, url, wechat, oauth }) {
  /**
   * Visitor (a random cookie of this site) -> the sign-ins it has begun. Kept here, never in the page. Memory has an end:
   * whoever floods this site makes it forget sign-ins that others have begun. A larger site keeps them in its session
   * store, or sealed in the cookie.
   */
  const visitors = new Map();

  /** Begins a sign-in: whoever comes back with its `state` must be the browser that left with it (no login CSRF). */
  function begin(visit, kind, secrets = {}) {
    const attempts = visitors.get(visit.id) ?? [];
    visitors.delete(visit.id); // and in again at the end: the oldest visitor is the first to be forgotten
    if (visitors.size >= MAX_VISITORS) visitors.delete(visitors.keys().next().value);
    const attempt = { kind, state: random(), endsAt: Date.now() + ATTEMPT_MS, ...secrets };
    visitors.set(visit.id, [...attempts, attempt].slice(-MAX_ATTEMPTS));
    return attempt;
  }

  /** Ends it: found by this browser's cookie, compared in constant time, and gone after one use. */
  function take(visit, kind, state) {
    const attempts = visitors.get(visit.id) ?? [];
    const at = attempts.findIndex((a) => a.kind === kind && a.endsAt > Date.now() && isSame(a.state, state));
    if (at < 0) throw new Refused('state');
    return attempts.splice(at, 1)[0];
  }

  const routes = {
    '/': (visit) => visit.page('home', { wechat, oauth }),

    '/wechat'(visit) {
      const { state } = begin(visit, 'wechat');
      visit.page('wechat', { appid: wechat.appid, redirectUri: `${url}/callback/wechat`, state });
    },

    '/oauth'(visit) {
      const { state, verifier, nonce } = begin(visit, 'oauth', { verifier: random(), nonce: random() });
      const challenge = sha256(verifier).toString('base64url'); // PKCE, method S256
      visit.page('oauth', { clientId: oauth.clientId, redirectUri: `${url}/callback/oauth`, state, nonce, challenge });
    },

    async '/callback/wechat'(visit) {
      take(visit, 'wechat', visit.query.get('state'));
      const call = (path, query) => fetchJson(`${qrconnectUrl}${path}?${new URLSearchParams(query)}`);
      const token = await call('/sns/oauth2/access_token', {
        appid: wechat.appid,
        secret: wechat.secret,
        code: visit.query.get('code') ?? '',
        grant_type: 'authorization_code',
      });
      const { access_token, openid } = token;
      const user = await call('/sns/userinfo', { access_token, openid });
      visit.page('result', { ...user, picture: user.headimgurl, retry: '/wechat' });
    },

    async '/callback/oauth'(visit) {
      const { query } = visit;
      const attempt = take(visit, 'oauth', query.get('state'));
      const server = await fetchJson(`${qrconnectUrl}/.well-known/openid-configuration`);
      // RFC 9207: an answer from another server than the one we asked is not ours to use.
      if (server.issuer !== qrconnectUrl || query.get('iss') !== server.issuer) throw new Refused('iss');
      if (query.get('error') === 'access_denied') return visit.page('denied', { retry: '/oauth' });
      if (query.has('error')) throw new Refused(query.get('error'));
      const basic = [oauth.clientId, oauth.clientSecret].map(encodeURIComponent).join(':');
      const token = await fetchJson(server.token_endpoint, {
        method: 'POST',
        headers: { authorization: `Basic ${Buffer.from(basic).toString('base64')}` },
        body: new URLSearchParams({
          grant_type: 'authorization_code',
          code: query.get('code') ?? '',
          redirect_uri: `${url}/callback/oauth`, // byte for byte as sent before
          code_verifier: attempt.verifier,
        }),
      });
      // Straight from the token endpoint, the id token needs no signature check (OpenID Connect Core 3.1.3.7).
      const claims = JSON.parse(Buffer.from(token.id_token.split('.')[1], 'base64url').toString());
      const isOurs = claims.iss === server.issuer && claims.aud === oauth.clientId && claims.exp * 1000 > Date.now();
      if (!isOurs || !isSame(claims.nonce, attempt.nonce)) throw new Refused('id_token');
      const user = await fetchJson(server.userinfo_endpoint, {
        headers: { authorization: `Bearer ${token.access_token}` },
      });
      if (user.sub !== claims.sub) throw new Refused('sub');
      visit.page('result', { ...user, openid: user.sub, retry: '/oauth' });
    },
  };

  const server = createServer(async (request, response) => {
    const visit = openVisit(request, response, { url, qrconnectUrl });
    const isOffered = (path) => (path.endsWith('/wechat') ? wechat : path.endsWith('/oauth') ? oauth : true);
    const route = Object.hasOwn(routes, visit.path) && isOffered(visit.path) ? routes[visit.path] : undefined;
    try {
      if (request.method !== 'GET') return visit.page('missing', {}, 405);
      if (!route) return visit.page('missing', {}, 404);
      await route(visit);
    } catch (error) {
      const retry = visit.path.replace('/callback', '');
      if (error instanceof Refused) visit.page('refused', { retry }, 400);
      else visit.page('unreachable', { retry }, 502);
    }
  });

  return {
    listen: (port, host) =>
      new Promise((resolve, reject) => {
        server.once('error', reject).listen(port, host, () => resolve(server.off('error', reject)));
      }),
    close: () =>
      new Promise((resolve) => {
        server.close(resolve);
        server.closeAllConnections();
      }),
  };
}

/** One request: who asks, and how to answer with a page. */
function openVisit(request, response, { url, qrconnectUrl }) {
  const end = `${request.url}?`.indexOf('?');
  const isHttps = url.startsWith('https:');
  const cookie = isHttps ? '__Host-visitor' : 'visitor';
  const known = new RegExp(`(?:^|; )${cookie}=([\\w-]{43})(?:;|$)`).exec(request.headers.cookie ?? '')?.[1];
  const visit = { id: known ?? random(), path: request.url.slice(0, end) };
  visit.query = new URLSearchParams(request.url.slice(end));
  visit.page = (name, values, status = 200) => {
    const scriptNonce = random();
    const { lang, html } = pages(request.headers['accept-language'])(name, { ...values, qrconnectUrl, scriptNonce });
    response.writeHead(status, {
      'Content-Type': 'text/html; charset=utf-8',
      'Content-Language': lang,
      Vary: 'Accept-Language',
      // Lax, not Strict: coming back from the sign-in is a navigation that began on another site.
      ...(known
        ? {}
        : { 'Set-Cookie': `${cookie}=${visit.id}; Path=/; HttpOnly; SameSite=Lax${isHttps ? '; Secure' : ''}` }),
      'Content-Security-Policy':
        `default-src 'none'; script-src ${qrconnectUrl} 'nonce-${scriptNonce}'; frame-src ${qrconnectUrl}; ` +
        `img-src data: ${qrconnectUrl}; style-src 'unsafe-inline'; ` +
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
      'Referrer-Policy': 'strict-origin-when-cross-origin',
      'X-Content-Type-Options': 'nosniff',
      'Cache-Control': 'no-store',
    });
    response.end(html);
  };
  return visit;
}

// node examples/relying-party/server.mjs
if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const { env } = process;
  const port = Number(env.PORT ?? 8080);
  const url = env.SITE_URL ?? `http://127.0.0.1:${port}`;
  const site = createRelyingParty({
    qrconnectUrl: env.QRCONNECT_URL ?? 'http://localhost:3000',
    url,
    wechat: env.WECHAT_APPID && { appid: env.WECHAT_APPID, secret: env.WECHAT_SECRET },
    oauth: env.OAUTH_CLIENT_ID && { clientId: env.OAUTH_CLIENT_ID, clientSecret: env.OAUTH_CLIENT_SECRET },
  });
  await site.listen(port, env.HOST ?? '127.0.0.1');
  console.log(`The site is at ${url}`);
}
