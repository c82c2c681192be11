// Server-sent events, read with fetch: EventSource could not send the Authorization header, and would put the secret into the URL.
import { FRESH, secondsIn } from '../request.js';
import { isDecided, readUpdate } from '../ticket-status.js';
import { Watchdog } from '../watchdog.js';
import { EventStream, type StreamEvent } from './event-stream.js';
import { type Ending, type Transport, ticketUrl } from './transport.js';

export const events: Transport = (watched, listener) => {
  const { silence } = watched.pace;
  const life = new AbortController();
  const { signal } = life;
  const dog = new Watchdog(() => end({ why: 'mute' }));
  let spoken = 0;
  let heardAt = 0;
  const end = (ending: Ending) => {
    if (signal.aborted) return;
    life.abort();
    dog.stop();
    listener.over(ending);
  };
  const take = ({ type, data }: StreamEvent) => {
    if (type === 'superseded') return end({ why: 'superseded' });
    const update = type === 'status' ? readUpdate(parsed(data)) : null;
    if (!update || signal.aborted) return;
    spoken += 1;
    listener.status(update);
    // Whatever ends the stream after this, nothing is missing.
    if (isDecided(update.status)) life.abort();
  };
  const run = async () => {
    const headers = { Accept: 'text/event-stream', Authorization: `Bearer ${watched.waitSecret}` };
    const init = { ...FRESH, headers, credentials: 'omit' as const, signal };
    const response = await fetch(ticketUrl(watched, '/events'), init);
    const body = /^text\/event-stream\b/i.test(response.headers.get('Content-Type') ?? '') ? response.body : null;
    if (response.status !== 200 || !body) return end(refusal(response));
    const stream = new EventStream();
    const decoder = new TextDecoder();
    const reader = body.getReader();
    for (;;) {
      const { done, value } = await reader.read();
      if (signal.aborted) return;
      if (done) return end({ why: 'goodbye' });
      heardAt = performance.now();
      dog.expect(silence);
      for (const event of stream.push(decoder.decode(value, { stream: true }))) take(event);
    }
  };
  run().catch(() => end({ why: spoken > 0 ? 'lost' : 'refused' }));
  return {
    check: () => {
      // Two comments are missing; if they wait in the queue they will be here in a moment.
      if (dog.isWaiting && performance.now() - heardAt > silence / 2) dog.expect(Math.min(silence, 2_000));
    },
    close: () => {
      dog.stop();
      life.abort();
    },
  };
};

/** 404 may mean the ticket or, at an older server, the address; a plain question tells which. */
function refusal({ status, headers }: Response): Ending {
  if (status === 410) return { why: 'gone' };
  const retryAfter = secondsIn(headers.get('Retry-After'));
  // Our server says when to come back; a proxy whose server has just died does not.
  if (status === 429 || (status === 503 && retryAfter !== null)) return { why: 'busy', retryAfter };
  return { why: 'refused' };
}

function parsed(data: string): unknown {
  try {
    return JSON.parse(data);
  } catch {
    return null;
  }
}
