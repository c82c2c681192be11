// What <qr-connect> is told and what it says: its attributes, the same as options for frameworks, its events.

export interface QrConnectOptions {
  /** Address of the server; needed unless the script came from there. */
  server?: string;
  clientId: string;
  redirectUri?: string;
  /** `openid` unless given. */
  scope?: string;
  state?: string;
  nonce?: string;
  /** PKCE, method S256; the verifier stays where the code is exchanged. */
  codeChallenge?: string;
  /** Of a pushed request, in place of the five above. */
  requestUri?: string;
  /** Chinese or English; else the page's own, else the browser's. */
  lang?: string;
  theme?: 'auto' | 'light' | 'dark';
  mode?: 'frame' | 'popup' | 'redirect';
}

const ATTRIBUTE_OF: Readonly<Record<keyof QrConnectOptions, string>> = {
  server: 'server',
  clientId: 'client-id',
  redirectUri: 'redirect-uri',
  scope: 'scope',
  state: 'state',
  nonce: 'nonce',
  codeChallenge: 'code-challenge',
  requestUri: 'request-uri',
  lang: 'lang',
  theme: 'theme',
  mode: 'mode',
};

export const QR_CONNECT_ATTRIBUTES: readonly string[] = Object.values(ATTRIBUTE_OF);

export const QR_CONNECT_EVENTS = ['ready', 'scanned', 'confirmed', 'denied', 'expired', 'error'] as const;
export type QrConnectEvent = (typeof QR_CONNECT_EVENTS)[number];

/** `detail` of an `error` event. */
export interface QrConnectErrorDetail {
  error: 'missing_attribute' | 'unsupported_mode' | 'no_answer' | 'frame_error' | 'popup_blocked' | 'popup_closed';
  message: string;
}

/** What each of its events is. */
export type QrConnectNews<Name extends QrConnectEvent> = CustomEvent<
  Name extends 'error' ? QrConnectErrorDetail : Record<string, never>
>;

/** Only what differs is written: an attribute that stays as it was moves nothing. */
export function setQrConnectOptions(element: Element, options: QrConnectOptions): void {
  for (const [name, attribute] of Object.entries(ATTRIBUTE_OF)) {
    const value = options[name as keyof QrConnectOptions];
    if (value === undefined || value === null) element.removeAttribute(attribute);
    else if (element.getAttribute(attribute) !== value) element.setAttribute(attribute, value);
  }
}
