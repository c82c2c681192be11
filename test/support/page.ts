/** The waiting page as an actor: opens, watches, redeems. Only actors know addresses. */
import { pageData, type RawAnswer, send } from './http.js';
import { readQr } from './qr.js';

export interface WaitingPage {
  readonly html: string;
  readonly headers: RawAnswer['headers'];
  readonly ticketId: string;
  readonly waitSecret: string;
  /** What the QR code says. */
  readonly qr: string;
  status(query?: string): Promise<RawAnswer>;
  redeem(body?: string): Promise<RawAnswer>;
  continue(): Promise<RawAnswer>;
  renew(): Promise<RawAnswer>;
  cancel(): Promise<RawAnswer>;
}

type Where = { url: string; port?: number };

/** Opens /connect/qrconnect; throws when it is refused. The QR address is the demo mode's phone link, else read off the picture. */
export function openPage(
  where: Where,
  query: Record<string, string>,
  headers: Record<string, string> = {},
): Promise<WaitingPage> {
  return openPageAt(`${where.url}/connect/qrconnect?${new URLSearchParams(query)}`, headers, where.port);
}

/** Opens exactly this address, as a browser does that was sent there: the fragment stays behind. */
export async function openPageAt(
  address: string,
  headers: Record<string, string> = {},
  port?: number,
): Promise<WaitingPage> {
  const answer = await send(address, { headers, port });
  if (answer.status !== 200) throw new Error(`the page was refused: ${answer.status} ${answer.body}`);
  const data = pageData<{ ticketId: string; waitSecret: string }>(answer.body);
  const qr = /href="([^"]+\/s\/[\w-]+)"/.exec(answer.body)?.[1] ?? readQr(answer.body);
  const where = { url: new URL(address).origin, port };
  return { html: answer.body, headers: answer.headers, qr, ...waiter(where, data.ticketId, data.waitSecret) };
}

/** The holder of a ticket id and a wait secret, right or wrong. */
export function waiter(where: Where, ticketId: string, waitSecret: string) {
  const call = (method: string, path = '', body?: string) =>
    send(`${where.url}/api/qr/tickets/${ticketId}${path}`, {
      method,
      port: where.port,
      headers: {
        authorization: `Bearer ${waitSecret}`,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      body,
    });
  return {
    ticketId,
    waitSecret,
    status: (query = '') => call('GET', query),
    redeem: (body?: string) => call('POST', '/redeem', body),
    continue: () => call('POST', '/continue'),
    renew: () => call('POST', '/renew'),
    cancel: () => call('DELETE'),
  };
}
