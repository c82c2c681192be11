/** What POST /api/qr/tickets takes, as JSON: an authorization request, and how a client proves who it is. */
import { z } from 'zod';
import { AppError } from '../../error.js';
import { printable, scope } from '../connect/request.js';

const address = printable(2000);
/** Whatever is sent as proof is the engine's to refuse: alike for every client, known or not (T56). */
const proof = z.string();

/** The standards' own names; no field says who the person is or where they are (T11). */
export const TICKET_REQUEST = z.strictObject({
  client_id: printable(64),
  redirect_uri: address
    .optional()
    .describe('Exactly as registered. Nobody has to be sent there; the code is bound to it.'),
  response_type: z.literal('code').optional(),
  scope: scope.optional().describe('Default: openid.'),
  state: printable(4096).optional().describe('Comes back with the code. Bind it to the browser that sees the QR code.'),
  nonce: printable(512).optional().describe('Comes back in the ID token.'),
  code_challenge: printable(128).optional().describe('PKCE (RFC 7636).'),
  code_challenge_method: z.literal('S256').optional(),
  prompt: printable(100)
    .optional()
    .describe('login: the person proves anew who they are. none is refused: nobody is there to ask.'),
  max_age: z.int().min(0).max(2_147_483_647).optional().describe('Seconds the sign-in on the phone may be old.'),
  acr_values: printable(500).optional(),
  login_hint: printable(500).optional(),
  id_token_hint: printable(8192).optional().describe('Anybody else who scans ends in login_required.'),
  ui_locales: printable(200).optional(),
  resource: z
    .union([address, z.array(address).min(1).max(8)])
    .optional()
    .describe('APIs the access token is for (RFC 8707).'),
  dpop_jkt: printable(64).optional().describe('Binds the code to a DPoP key (RFC 9449 10).'),
  request: printable(16_384).optional().describe('A signed request object (RFC 9101), instead of all of the above.'),
  request_uri: printable(512).optional().describe('Of a request pushed to /oauth/par, instead of all of the above.'),
  client_secret: proof.optional().describe('Of a client registered with client_secret_post.'),
  client_assertion: proof.optional().describe('Of a client registered with private_key_jwt; its aud is the issuer.'),
  client_assertion_type: proof.optional().describe('urn:ietf:params:oauth:client-assertion-type:jwt-bearer'),
});

export type TicketRequest = z.infer<typeof TICKET_REQUEST>;

const PROOFS: ReadonlySet<string> = new Set([
  'client_id',
  'client_secret',
  'client_assertion',
  'client_assertion_type',
]);

/** The same as the engine's endpoints take it: whole, or who asks for what was pushed before. */
export type AskedRequest =
  | { readonly form: URLSearchParams; readonly proof?: undefined; readonly requestUri?: undefined }
  | { readonly form?: undefined; readonly proof: URLSearchParams; readonly requestUri: string };

export function toForm(asked: TicketRequest): AskedRequest {
  const { request_uri: requestUri, ...fields } = asked;
  if (requestUri !== undefined) {
    const beside = Object.keys(fields).find((name) => !PROOFS.has(name));
    if (beside === undefined) return { proof: formOf(fields), requestUri };
    throw new AppError('invalid_request', {
      message: `${beside}: a pushed request is whole; send its request_uri alone`,
    });
  }
  const wanted = fields.request === undefined ? { response_type: 'code', scope: 'openid', ...fields } : fields;
  // The phone asks the person each time and names the scopes: that is the consent lasting access needs (Core 11).
  const lasting = wanted.prompt === undefined && wanted.scope?.split(' ').includes('offline_access');
  return { form: formOf({ ...wanted, prompt: lasting ? 'consent' : wanted.prompt }) };
}

function formOf(fields: Readonly<Record<string, string | number | readonly string[] | undefined>>): URLSearchParams {
  const form = new URLSearchParams();
  for (const [name, value] of Object.entries(fields)) {
    for (const one of Array.isArray(value) ? value : [value]) if (one !== undefined) form.append(name, String(one));
  }
  return form;
}
