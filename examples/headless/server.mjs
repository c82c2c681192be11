// A site that draws its own QR code: its own page, its own colours, no frame and no script of anybody else.
// Node built-ins only: read it, copy it, change it.
//
//   page  -> POST /sign-in  -> here -> POST /api/qr/tickets   with the client's secret, which no page ever sees
//   page  <- QR code, ticket id, wait secret                  the page waits by itself, at the server
//   page  -> /callback?code=…&state=… -> here -> /oauth/token, /oauth/userinfo
import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { pathToFileURL } from 'node:url';
import { page } from './page.mjs';

const ATTEMPT_MS = 20 * 60_000;
const SESSION_MS = 8 * 60 * 60_000;
const MAX_VISITORS = 10_000;
/** Codes that one address may ask for in a minute. */
const CODES_A_MINUTE = 30;

const random = () => randomBytes(32).toString('base64url');
const sha256 = (text) => createHash('sha256').update(text).digest();
const isSame = (a, b) => timingSafeEqual(sha256(String(a)), sha256(String(b)));

/** The sign-in was answered with a refusal; anything else that fails is a server we cannot reach. */
class Refused extends Error {}

async function fetchJson(url, init) {
  const response = await fetch(url, { redirect: 'error', signal: AbortSignal.timeout(10_000), ...init });
  const body = await response.json();
  if (response.status >= 500) throw new Error(`${url}: HTTP ${response.status}`);
  if (!response.ok) throw new Refused(`${url}: ${response.status} ${body.error} ${body.error_description}`);
  return body;
}

/** The browser client, as that server hands it out, held against the hash it names: from here on it is our own file. */
async function loadBrowserClient(qrconnectUrl) {
  const { module } = await fetchJson(`${qrconnectUrl}/widget.json`);
  const source = Buffer.from(await (await fetch(module.url)).arrayBuffer());
  const hash = `sha384-${createHash('sha384').update(source).digest('base64')}`;
  if (hash !== module.integrity) throw new Error(`${module.url} is not what ${qrconnectUrl}/widget.json says it is`);
  return source;
}

export function createHeadlessSite({ qrconnectUrl, url, clientId, clientSecret }) {
  const redirectUri = `${url}/callback`;
  const basic = `Basic ${Buffer.from([clientId, clientSecret].map(encodeURIComponent).join(':')).toString('base64')}`;
  /** Visitor (a random cookie of this site) -> the sign-ins it has begun, and who it is. */
  const visitors = new Map();
  let browserClient;

  /**
   * The open codes of our client are one share for all our visitors, and nobody but us sees who asks: without this, one
   * of them takes it up, and the others' sessions with it.
   */
  let asked = { since: 0, times: new Map() };
  function count({ headers, socket }) {
    // With https there is a proxy of ours in front, and the last address in this header is its word.
    const named = url.startsWith('https:') ? headers['x-forwarded-for']?.split(',').at(-1).trim() : undefined;
    const address = named ?? socket.remoteAddress;
    if (Date.now() - asked.since > 60_000) asked = { since: Date.now(), times: new Map() };
    const times = (asked.times.get(address) ?? 0) + 1;
    asked.times.set(address, times);
    if (times > CODES_A_MINUTE) throw new Refused('too many codes');
  }

  function remember(id) {
    const visitor = visitors.get(id) ?? { attempts: [] };
    visitors.delete(id); // and in again at the end: the oldest visitor is the first to be forgotten
    if (visitors.size >= MAX_VISITORS) visitors.delete(visitors.keys().next().value);
    visitors.set(id, visitor);
    return visitor;
  }

  const routes = {
    'GET /'(visit) {
      const { user, endsAt } = visitors.get(visit.id) ?? {};
      visit.html(
        page(visit.language, {
          user: endsAt > Date.now() ? user : undefined,
          words: visit.query.has('denied') ? 'denied' : undefined,
          server: qrconnectUrl,
        }),
      );
    },

    // Asked for by the page's script: whoever only looks at the page opens no ticket.
    async 'POST /sign-in'(visit) {
      // Other sites cannot begin a sign-in in this browser.
      if (visit.request.headers.origin !== url) throw new Refused('origin');
      count(visit.request);
      const attempt = { state: random(), nonce: random(), verifier: random(), endsAt: Date.now() + ATTEMPT_MS };
      const ticket = await fetchJson(`${qrconnectUrl}/api/qr/tickets`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', authorization: basic },
        body: JSON.stringify({
          client_id: clientId,
          redirect_uri: redirectUri,
          scope: 'openid profile',
          state: attempt.state,
          nonce: attempt.nonce,
          code_challenge: sha256(attempt.verifier).toString('base64url'), // PKCE, method S256
          code_challenge_method: 'S256',
        }),
      });
      const visitor = remember(visit.id);
      visitor.attempts = [...visitor.attempts, attempt].slice(-10);
      // The wait secret may go to the page that waits, into its memory: alone it is worth nothing. The code it is traded
      // for needs our client secret and the verifier, which stay here, and the state, which only this browser's cookie has.
      const { ticket_id, wait_secret, qr_svg, expires_in } = ticket;
      visit.json({ ticket_id, wait_secret, qr_svg, expires_in });
    },

    async 'GET /callback'(visit) {
      const { query } = visit;
      const visitor = visitors.get(visit.id);
      const at = visitor?.attempts.findIndex((a) => a.endsAt > Date.now() && isSame(a.state, query.get('state'))) ?? -1;
      if (at < 0) throw new Refused('state'); // begun in another browser, too long ago, or used before
      const [attempt] = visitor.attempts.splice(at, 1);
      const server = await fetchJson(`${qrconnectUrl}/.well-known/openid-configuration`);
      if (server.issuer !== qrconnectUrl || query.get('iss') !== server.issuer) throw new Refused('iss');
      if (query.has('error')) return visit.redirect('/?denied');
      const token = await fetchJson(server.token_endpoint, {
        method: 'POST',
        headers: { authorization: basic },
        body: new URLSearchParams({
          grant_type: 'authorization_code',
          code: query.get('code') ?? '',
          redirect_uri: redirectUri,
          code_verifier: attempt.verifier,
        }),
      });
      // Straight from the token endpoint, the id token needs no signature check (OpenID Connect Core 3.1.3.7).
      const claims = JSON.parse(Buffer.from(token.id_token.split('.')[1], 'base64url').toString());
      const isOurs = claims.iss === server.issuer && claims.aud === clientId && claims.exp * 1000 > Date.now();
      if (!isOurs || !isSame(claims.nonce, attempt.nonce)) throw new Refused('id_token');
      const user = await fetchJson(server.userinfo_endpoint, {
        headers: { authorization: `Bearer ${token.access_token}` },
      });
      if (user.sub !== claims.sub) throw new Refused('sub');
      // Signed in: a fresh cookie, so that nobody who knew the old one is signed in with it.
      visitors.delete(visit.id);
      visit.id = random();
      Object.assign(remember(visit.id), {
        user: { sub: user.sub, nickname: user.nickname },
        endsAt: Date.now() + SESSION_MS,
      });
      visit.redirect('/');
    },

    'POST /sign-out'(visit) {
      if (visit.request.headers.origin !== url) throw new Refused('origin');
      visitors.delete(visit.id);
      visit.redirect('/');
    },

    'GET /qrconnect.js': (visit) => visit.script(browserClient),
    'GET /sign-in.js': async (visit) => visit.script(await publicFile('sign-in.js')),
    'GET /site.css': async (visit) => visit.send(200, 'text/css; charset=utf-8', await publicFile('site.css')),
  };

  const http = createServer(async (request, response) => {
    const visit = openVisit(request, response, { url, qrconnectUrl });
    const name = `${request.method} ${visit.path}`;
    try {
      if (!Object.hasOwn(routes, name)) return visit.send(404, 'text/plain; charset=utf-8', 'Nothing here.');
      await routes[name](visit);
    } catch (error) {
      // What the server refused us (a wrong secret, a redirect URI that is not registered) is for who runs this site.
      console.error(`${name}: ${error.cause?.message ?? error.message}`);
      const [status, words] = error instanceof Refused ? [400, 'refused'] : [502, 'unreachable'];
      if (request.method === 'GET') visit.html(page(visit.language, { words, server: qrconnectUrl }), status);
      else visit.json({ error: words }, status);
    }
  });

  return {
    async listen(port, host) {
      browserClient = await loadBrowserClient(qrconnectUrl);
      await new Promise((resolve, reject) => {
        http.once('error', reject).listen(port, host, () => resolve(http.off('error', reject)));
      });
    },
    close: () =>
      new Promise((resolve) => {
        http.close(resolve);
        http.closeAllConnections();
      }),
  };
}

const publicFile = (name) => readFile(new URL(`public/${name}`, import.meta.url));

/** One request: who asks, and how to answer. */
function openVisit(request, response, { url, qrconnectUrl }) {
  // By hand: `new URL` throws at what anybody may send, such as `//`, and that would end the process.
  const end = `${request.url}?`.indexOf('?');
  const isHttps = url.startsWith('https:');
  const cookie = isHttps ? '__Host-reader' : 'reader';
  const known = new RegExp(`(?:^|; )${cookie}=([\\w-]{43})(?:;|$)`).exec(request.headers.cookie ?? '')?.[1];
  const visit = {
    request,
    id: known ?? random(),
    path: request.url.slice(0, end),
    query: new URLSearchParams(request.url.slice(end)),
    language: /^\s*zh/i.test(request.headers['accept-language'] ?? '') ? 'zh' : 'en',
    send(status, type, body, more = {}) {
      response.writeHead(status, {
        'Content-Type': type,
        // Lax, not Strict: coming back from the sign-in may be a navigation that another site began.
        ...(visit.id === known
          ? {}
          : { 'Set-Cookie': `${cookie}=${visit.id}; Path=/; HttpOnly; SameSite=Lax${isHttps ? '; Secure' : ''}` }),
        // Nothing of anybody else runs here; the script may talk to us and to the server that it waits at.
        'Content-Security-Policy':
          "default-src 'none'; script-src 'self'; style-src 'self'; img-src data:; base-uri 'none'; form-action 'self'; " +
          `connect-src 'self' ${qrconnectUrl} ${qrconnectUrl.replace(/^http/, 'ws')}; frame-ancestors 'none'`,
        // Not no-referrer: our own forms would come without an Origin then, and be taken for another site's.
        'Referrer-Policy': 'same-origin',
        'X-Content-Type-Options': 'nosniff',
        'Cache-Control': 'no-store',
        ...more,
      });
      response.end(body);
    },
    html: (body, status = 200) => visit.send(status, 'text/html; charset=utf-8', body),
    json: (body, status = 200) => visit.send(status, 'application/json', JSON.stringify(body)),
    script: (body) => visit.send(200, 'text/javascript; charset=utf-8', body),
    redirect: (to) => visit.send(303, 'text/plain', '', { Location: to }),
  };
  return visit;
}

// CLIENT_ID=… CLIENT_SECRET=… node examples/headless/server.mjs
if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const { env } = process;
  if (!env.CLIENT_ID || !env.CLIENT_SECRET) {
    console.error('Set CLIENT_ID and CLIENT_SECRET: README.md has the command that makes them.');
    process.exit(78);
  }
  const port = Number(env.PORT ?? 8080);
  const url = env.SITE_URL ?? `http://127.0.0.1:${port}`;
  const site = createHeadlessSite({
    qrconnectUrl: env.QRCONNECT_URL ?? 'http://localhost:3000',
    url,
    clientId: env.CLIENT_ID,
    clientSecret: env.CLIENT_SECRET,
  });
  await site.listen(port, env.HOST ?? '127.0.0.1');
  console.log(`The reading room is at ${url}`);
}
