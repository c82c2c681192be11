// The server of the React and the Vue example: bundles the page, keeps what signing in needs, exchanges the code.
//
//   /          -> the page; it is told who is signed in, or what its <QrConnect> needs
//   /callback  -> the code becomes a person, and the browser goes back to /
import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { createServer } from 'node:http';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { document } from './document.mjs';

const ATTEMPT_MS = 15 * 60_000;
const MOST_KEPT = 10_000;
const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..');

const random = () => randomBytes(32).toString('base64url');
const sha256 = (text) => createHash('sha256').update(text).digest();
const isSame = (a, b) => timingSafeEqual(sha256(String(a)), sha256(String(b)));

/** The sign-in was answered with a refusal; anything else that fails is a server we cannot reach. */
class Refused extends Error {}

async function fetchJson(url, init) {
  const response = await fetch(url, { redirect: 'error', signal: AbortSignal.timeout(10_000), ...init });
  if (response.status >= 500) throw new Error(`HTTP ${response.status}`);
  const body = await response.json();
  if (!response.ok) throw new Refused(`${url}: ${response.status} ${body.error ?? ''} ${body.error_description ?? ''}`);
  return body;
}

/** The packages are found where this project keeps them; in a project of yours they are installed. */
async function bundle(entry) {
  const { outputFiles } = await build({
    entryPoints: [entry],
    bundle: true,
    write: false,
    minify: true,
    format: 'esm',
    target: 'es2020',
    jsx: 'automatic',
    nodePaths: [join(root, 'node_modules')],
    alias: {
      '@qrconnect/web': join(root, 'clients/web/src/qrconnect.ts'),
      '@qrconnect/react': join(root, 'clients/react/src/react.ts'),
      '@qrconnect/vue': join(root, 'clients/vue/src/vue.ts'),
    },
    define: {
      'process.env.NODE_ENV': '"production"',
      __VUE_OPTIONS_API__: 'false',
      __VUE_PROD_DEVTOOLS__: 'false',
      __VUE_PROD_HYDRATION_MISMATCH_DETAILS__: 'false',
    },
    logLevel: 'warning',
  });
  return outputFiles[0].contents;
}

export async function createSinglePageSite({ entry, qrconnectUrl, url, clientId, clientSecret }) {
  const script = await bundle(entry);
  const isHttps = url.startsWith('https:');
  // `__Host-`: another host of the same domain cannot plant one, and with it a sign-in that it began.
  const cookieName = isHttps ? '__Host-visitor' : 'visitor';
  /**
   * `state` -> the sign-in that was begun with it; visitor (a random cookie of this site) -> who that is. Memory has an
   * end: whoever floods this site makes it forget others. A larger site has a session store, or seals them in the cookie.
   */
  const attempts = new Map();
  const people = new Map();

  function keep(map, key, value) {
    if (map.size >= MOST_KEPT) map.delete(map.keys().next().value);
    map.set(key, value);
  }

  /** What the page of this visitor is told. The verifier and the secret are not in it. */
  function pageData(visitor) {
    if (people.has(visitor)) return { person: people.get(visitor) };
    const [state, nonce, verifier] = [random(), random(), random()];
    keep(attempts, state, { visitor, nonce, verifier, endsAt: Date.now() + ATTEMPT_MS });
    const codeChallenge = sha256(verifier).toString('base64url'); // PKCE, method S256
    const request = { redirectUri: `${url}/callback`, scope: 'openid profile', state, nonce, codeChallenge };
    return { signIn: { server: qrconnectUrl, clientId, ...request } };
  }

  /** Whoever comes back must be the browser that left: its cookie, its state, once. */
  async function exchange(visitor, query) {
    const state = query.get('state');
    const attempt = attempts.get(state);
    attempts.delete(state);
    if (!attempt || attempt.endsAt < Date.now() || !isSame(visitor, attempt.visitor)) throw new Refused('state');
    const server = await fetchJson(`${qrconnectUrl}/.well-known/openid-configuration`);
    if (server.issuer !== qrconnectUrl || query.get('iss') !== server.issuer) throw new Refused('iss');
    if (query.has('error')) throw new Refused(query.get('error'));
    const basic = [clientId, clientSecret].map(encodeURIComponent).join(':');
    const token = await fetchJson(server.token_endpoint, {
      method: 'POST',
      headers: { authorization: `Basic ${Buffer.from(basic).toString('base64')}` },
      body: new URLSearchParams({
        grant_type: 'authorization_code',
        code: query.get('code') ?? '',
        redirect_uri: `${url}/callback`,
        code_verifier: attempt.verifier,
      }),
    });
    // Straight from the token endpoint, the id token needs no signature check (OpenID Connect Core 3.1.3.7).
    const claims = JSON.parse(Buffer.from(token.id_token.split('.')[1], 'base64url').toString());
    const isOurs = claims.iss === server.issuer && claims.aud === clientId && claims.exp * 1000 > Date.now();
    if (!isOurs || !isSame(claims.nonce, attempt.nonce)) throw new Refused('id_token');
    const authorization = `Bearer ${token.access_token}`;
    const user = await fetchJson(server.userinfo_endpoint, { headers: { authorization } });
    if (user.sub !== claims.sub) throw new Refused('sub');
    return { sub: user.sub, nickname: user.nickname, picture: user.picture };
  }

  const server = createServer(async (request, response) => {
    // By hand: `new URL` throws at what anybody may send, such as `//`, and that would end the process.
    const end = `${request.url}?`.indexOf('?');
    const pathname = request.url.slice(0, end);
    const known = new RegExp(`(?:^|; )${cookieName}=([\\w-]{43})(?:;|$)`).exec(request.headers.cookie ?? '')?.[1];
    const visitor = known ?? random();
    const answer = (status, headers, body) => response.writeHead(status, headers).end(body);
    // Lax, not Strict: coming back from the sign-in is a navigation that began on another site.
    const cookie = (id) => `${cookieName}=${id}; Path=/; HttpOnly; SameSite=Lax${isHttps ? '; Secure' : ''}`;
    try {
      if (request.method === 'POST' && pathname === '/sign-out') {
        people.delete(visitor);
        return answer(303, { Location: '/' });
      }
      if (request.method !== 'GET') return answer(405, { Allow: 'GET' });
      if (pathname === '/app.js') return answer(200, { 'Content-Type': 'text/javascript; charset=utf-8' }, script);
      if (pathname === '/callback') {
        // A new name once it means somebody: one that was planted before opens nothing.
        const fresh = random();
        keep(people, fresh, await exchange(visitor, new URLSearchParams(request.url.slice(end))));
        return answer(303, { Location: '/', 'Set-Cookie': cookie(fresh) });
      }
      if (pathname !== '/') return answer(404, { 'Content-Type': 'text/plain' }, 'Nothing here.');
      const page = document(request.headers['accept-language'], pageData(visitor), qrconnectUrl);
      answer(200, { ...page.headers, 'Set-Cookie': cookie(visitor) }, page.html);
    } catch (error) {
      const isRefused = error instanceof Refused;
      // What the server refused us, such as a wrong secret, is for who runs this site.
      console.error(isRefused ? `${pathname}: ${error.message.replace(/[^ -~]/g, '?')}` : error);
      const how = !isRefused ? 'away' : error.message === 'access_denied' ? 'denied' : 'refused';
      const page = document(request.headers['accept-language'], {}, qrconnectUrl, how);
      answer(isRefused ? 400 : 502, page.headers, page.html);
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

/** Runs an example by itself, as its README says. */
export async function runExample(entry, defaultPort) {
  const { QRCONNECT_URL, PORT, HOST, SITE_URL, CLIENT_ID, CLIENT_SECRET } = process.env;
  if (!CLIENT_ID || !CLIENT_SECRET) throw new Error('set CLIENT_ID and CLIENT_SECRET: see the README beside this file');
  const port = Number(PORT ?? defaultPort);
  const url = SITE_URL ?? `http://127.0.0.1:${port}`;
  const qrconnectUrl = QRCONNECT_URL ?? 'http://localhost:3000';
  const site = await createSinglePageSite({
    entry,
    qrconnectUrl,
    url,
    clientId: CLIENT_ID,
    clientSecret: CLIENT_SECRET,
  });
  await site.listen(port, HOST ?? '127.0.0.1');
  console.log(`The site is at ${url}`);
}
