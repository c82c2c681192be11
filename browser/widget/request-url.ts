// The addresses the widgets open, built from the element's attributes; the server writes its own origin in here.

/** The server puts its public origin in place of this word whenever it serves a widget file. */
export const SERVER = '__QRCONNECT_ORIGIN__';

export interface Flow {
  clientId: string | null;
  redirectUri: string | null;
  scope: string | null;
  state: string | null;
  nonce: string | null;
  codeChallenge: string | null;
  requestUri: string | null;
  lang: string | null;
  theme: string | null;
}

export function missingAttribute(flow: Flow): string | null {
  if (!flow.clientId) return 'client-id';
  if (flow.requestUri) return null;
  if (!flow.redirectUri) return 'redirect-uri';
  return flow.codeChallenge ? null : 'code-challenge';
}

/** What every way in sends: a pushed request carries the rest of the parameters itself. */
function protocolParameters(flow: Flow): URLSearchParams {
  const query = new URLSearchParams({ client_id: flow.clientId ?? '' });
  const add = (name: string, value: string | null) => {
    if (value) query.set(name, value);
  };
  if (flow.requestUri) {
    query.set('request_uri', flow.requestUri);
    return query;
  }
  query.set('response_type', 'code');
  add('redirect_uri', flow.redirectUri);
  query.set('scope', flow.scope || 'openid');
  add('state', flow.state);
  add('nonce', flow.nonce);
  add('code_challenge', flow.codeChallenge);
  query.set('code_challenge_method', 'S256');
  return query;
}

/** `lang` is an ordinary HTML attribute and may name any language; the page is told only what it speaks. */
export function pageLanguage(lang: string | null): 'zh-CN' | 'en' | null {
  if (lang && /^(zh|cn)\b/i.test(lang.replace('_', '-'))) return 'zh-CN';
  return lang && /^en\b/i.test(lang.replace('_', '-')) ? 'en' : null;
}

export function isTheme(theme: string | null): theme is 'auto' | 'light' | 'dark' {
  return theme === 'auto' || theme === 'light' || theme === 'dark';
}

export function frameUrl(flow: Flow): string {
  const query = protocolParameters(flow);
  const lang = pageLanguage(flow.lang);
  if (lang) query.set('lang', lang);
  if (isTheme(flow.theme)) query.set('theme', flow.theme);
  query.set('login_type', 'qr-connect');
  return `${SERVER}/connect/qrconnect?${query}`;
}

export function authorizationUrl(flow: Flow): string {
  const query = protocolParameters(flow);
  const lang = pageLanguage(flow.lang);
  if (lang) query.set('ui_locales', lang);
  return `${SERVER}/oauth/authorize?${query}`;
}
