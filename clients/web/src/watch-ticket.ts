// watchTicket(): tells a page how its QR sign-in stands, until it is decided.
import { QrConnectError } from './error.js';
import { Ladder } from './ladder.js';
import { PACE, type Pace } from './pace.js';
import { isDecided, type TicketUpdate } from './ticket-status.js';
import { serverOrigin, type TicketHolder } from './tickets.js';
import type { TransportName } from './transport/transport.js';
import { type Link, Watcher } from './watcher.js';

export interface WatchTicket extends TicketHolder {
  /**
   * Called at once with the present status, and at each change. After a reconnect the same status may come again, with
   * fresh seconds. `confirmed`, `redeemed`, `denied`, `cancelled` and `expired` are the last ones.
   */
  onStatus?: (update: TicketUpdate) => void;
  /**
   * `open`: the server can be heard. `connecting`: not at the moment, and no reason to worry yet. `lost`: tell the
   * person; it is tried again by itself. A lost connection loses nothing: it begins again with the present status.
   */
  onConnection?: (connection: Link) => void;
  /** The watch has failed for good; see `code` and `message`. `done` rejects with the same. */
  onError?: (error: QrConnectError) => void;
  /** Which transports to use, the best first; all four unless given: `socket`, `events`, `long-poll`, `poll`. */
  transports?: readonly TransportName[];
  /** Stops the watch when aborted. */
  signal?: AbortSignal;
}

export interface TicketWatch {
  /** Resolves with the status that decides; rejects with a QrConnectError. Need not be listened to. */
  readonly done: Promise<TicketUpdate>;
  /** Asks the server at once, for instance because a countdown on the page has run out. */
  checkNow(): void;
  /** No callback is called any more. The ticket itself lives on; see `cancelTicket`. */
  stop(): void;
}

/** What could be had lately, by server and order, so that the next ticket of this page begins there. */
const ladders = new Map<string, Ladder>();

/** Throws a QrConnectError `bad_options` for a mistake in the options; everything later is told by callbacks. */
export function watchTicket(options: WatchTicket): TicketWatch {
  return watchAt(PACE, options);
}

/** As watchTicket, at another pace: for tests, which have no time. */
export function watchAt(pace: Pace, options: WatchTicket): TicketWatch {
  const { ticketId, waitSecret, signal, transports = [] } = options;
  const server = serverOrigin(options);
  const key = [server, ...transports].join(' ');
  const ladder = ladders.get(key) ?? new Ladder(transports, pace);
  ladders.set(key, ladder);

  let decide: (update: TicketUpdate) => void = () => {};
  let reject: (error: QrConnectError) => void = () => {};
  const done = new Promise<TicketUpdate>((resolve, refuse) => {
    decide = resolve;
    reject = refuse;
  });
  // Callbacks say the same: nobody has to listen here.
  done.catch(() => {});
  const watcher = new Watcher({ server, ticketId, waitSecret, pace }, ladder, {
    onStatus: (update) => {
      // Before the callback, which may stop the watch: what is decided stays so.
      if (isDecided(update.status)) decide(update);
      call(() => options.onStatus?.(update));
    },
    onLink: (link) => call(() => options.onConnection?.(link)),
    onEnd: (error) => {
      signal?.removeEventListener('abort', stop);
      if (!error) return;
      reject(error);
      call(() => options.onError?.(error));
    },
  });
  const stop = () => {
    watcher.stop();
    signal?.removeEventListener('abort', stop);
    reject(new QrConnectError('stopped', 'The watch was stopped before the ticket was decided.'));
  };
  signal?.addEventListener('abort', stop);
  if (signal?.aborted) stop();
  else watcher.start();
  return { done, checkNow: () => void watcher.checkNow(), stop };
}

/** A page's mistake must not end the watch; it shows where uncaught errors show. */
function call(callback: () => void): void {
  try {
    callback();
  } catch (error) {
    setTimeout(() => {
      throw error;
    });
  }
}
