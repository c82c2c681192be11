/** A device without a browser, such as a television: asks for a code, shows it, polls; and a phone that answers it. */
import { pageData, type RawAnswer, send } from './http.js';
import type { Phone, Scanned } from './phone.js';
import type { OauthSite } from './relying-party.js';

type Where = { url: string; port?: number };

const DEVICE_GRANT = 'urn:ietf:params:oauth:grant-type:device_code';

/** What the device was told. */
export interface Shown {
  readonly device_code: string;
  /** XXXX-XXXX */
  readonly user_code: string;
  readonly verification_uri: string;
  /** Drawn as a QR code. */
  readonly verification_uri_complete: string;
  readonly expires_in: number;
}

export interface Device {
  /** Posts the device authorization request; `shown` of a refusal is empty. */
  ask(form?: Record<string, string>, headers?: Record<string, string>): Promise<{ answer: RawAnswer; shown: Shown }>;
  poll(shown: Shown, headers?: Record<string, string>): Promise<RawAnswer>;
}

/** With the credentials of this site's client, or with another method's form fields. */
export function deviceOf(where: Where, site: Pick<OauthSite, 'clientId' | 'secret'>): Device {
  const post = (path: string, form: Record<string, string>, headers: Record<string, string>) =>
    send(where.url + path, {
      method: 'POST',
      port: where.port,
      headers: {
        'content-type': 'application/x-www-form-urlencoded',
        ...(site.secret === ''
          ? {}
          : { authorization: `Basic ${Buffer.from(`${site.clientId}:${site.secret}`).toString('base64')}` }),
        ...headers,
      },
      body: new URLSearchParams({ ...(site.secret === '' ? { client_id: site.clientId } : {}), ...form }).toString(),
    });
  return {
    async ask(form = { scope: 'openid profile' }, headers = {}) {
      const answer = await post('/oauth/device', form, headers);
      return { answer, shown: answer.json<Shown>() };
    },
    poll: ({ device_code }, headers = {}) => post('/oauth/token', { grant_type: DEVICE_GRANT, device_code }, headers),
  };
}

/** GET of the page with this code, as typed or as the QR code has it. */
export function openDevice(where: Where, phone: Pick<Phone, 'cookie'>, userCode: string, headers = {}) {
  return send(`${where.url}/device?${new URLSearchParams({ user_code: userCode })}`, {
    port: where.port,
    headers: { cookie: phone.cookie, ...headers },
  });
}

/** Opens the page and posts the scan, as its script does. */
export async function scanDevice(where: Where, phone: Phone, userCode: string): Promise<Scanned> {
  const page = await openDevice(where, phone, userCode);
  if (page.status !== 200) return { answer: page, scanGrant: '', csrf: '' };
  const data = pageData<{ userCode: string; csrf: string }>(page.body);
  const answer = await phone.post('/phone/scan', { user_code: data.userCode, csrf: data.csrf });
  if (answer.status !== 200) return { answer, scanGrant: '', csrf: data.csrf };
  const told = answer.json<{ scan_grant: string; csrf: string }>();
  return { answer, scanGrant: told.scan_grant, csrf: told.csrf };
}

/** What stands in a device's row, whatever time it is. */
export function ageDevice(sql: (text: string, values: unknown[]) => Promise<unknown>, shown: Shown) {
  return sql(`UPDATE engine_record SET expires_at = now() - interval '1 second' WHERE user_code = $1`, [
    shown.user_code.replace('-', ''),
  ]);
}
