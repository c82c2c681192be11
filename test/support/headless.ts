/** A site that draws its own QR code, as an actor: asks for tickets as its server does, or as its page does. */
import { PNG } from 'pngjs';
import { decodeQR } from 'qr/decode.js';
import { type RawAnswer, send } from './http.js';
import { type WaitingPage, waiter } from './page.js';
import { readQr } from './qr.js';

type Where = { url: string; port?: number };
type Headers = Record<string, string>;

export interface HeadlessTicket extends WaitingPage {
  /** The whole answer that began it. */
  readonly answer: RawAnswer;
}

/** POST /api/qr/tickets, with every field and header in the test's hand. */
export function askTicket(where: Where, body: unknown, headers: Headers = {}): Promise<RawAnswer> {
  return send(`${where.url}/api/qr/tickets`, {
    method: 'POST',
    port: where.port,
    headers: { 'content-type': 'application/json', ...headers },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });
}

/** Throws when it is refused. */
export async function openHeadless(where: Where, body: unknown, headers: Headers = {}): Promise<HeadlessTicket> {
  const answer = await askTicket(where, body, headers);
  if (answer.status !== 201) throw new Error(`the ticket was refused: ${answer.status} ${answer.body}`);
  return holderOf(where, answer);
}

/** Whoever was given this ticket. */
export function holderOf(where: Where, answer: RawAnswer): HeadlessTicket {
  const { ticket_id: id, wait_secret: secret, qr_svg: svg } = answer.json<Record<string, string>>();
  const qr = readQr(String(svg));
  return { answer, html: '', headers: answer.headers, qr, ...waiter(where, String(id), String(secret)) };
}

/** What a QR code in a PNG's data URL says. */
export function readPng(dataUrl: string): string {
  const [, base64] = /^data:image\/png;base64,([\w+/=]+)$/.exec(dataUrl) ?? [];
  if (base64 === undefined) throw new Error('this is no PNG in a data URL');
  const { width, height, data } = PNG.sync.read(Buffer.from(base64, 'base64'));
  return decodeQR({ width, height, data: new Uint8Array(data) });
}
