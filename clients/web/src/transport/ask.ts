// One plain question: how is the ticket now?
import { request } from '../request.js';
import { readUpdate, type TicketUpdate } from '../ticket-status.js';
import { type Ending, ticketUrl, type Watched } from './transport.js';

export type Asked = { update: TicketUpdate; ending?: undefined } | { update?: undefined; ending: Ending };

export async function ask(watched: Watched, signal: AbortSignal, query = '', within?: number): Promise<Asked> {
  const answer = await request(ticketUrl(watched, query), {
    method: 'GET',
    bearer: watched.waitSecret,
    within: within ?? watched.pace.answer,
    signal,
  });
  const { status, retryAfter } = answer;
  const update = status === 200 ? readUpdate(answer.body) : null;
  if (update) return { update };
  if (status === 410) return { ending: { why: 'gone' } };
  if (status === 404) return { ending: { why: 'unknown' } };
  if (status === 429 || (status === 503 && retryAfter !== null)) return { ending: { why: 'busy', retryAfter } };
  return { ending: { why: 'lost' } };
}
