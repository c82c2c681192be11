// One connection by one transport, from its first packet to its end; and the patience with its first word.
import type { TicketUpdate } from './ticket-status.js';
import { events } from './transport/events.js';
import { longPoll } from './transport/long-poll.js';
import { poll } from './transport/poll.js';
import { socket } from './transport/socket.js';
import type { Connection, Ending, Transport, TransportName, Watched } from './transport/transport.js';

const TRANSPORTS: Readonly<Record<TransportName, Transport>> = { socket, events, 'long-poll': longPoll, poll };
/** These say the status without being asked; the others are plain questions themselves. */
const SPEAKS_UP: ReadonlySet<TransportName> = new Set(['socket', 'events']);

export interface Hearer {
  hear(attempt: Attempt, update: TicketUpdate): void;
  /** At most once, and never after `close`. */
  ended(attempt: Attempt, ending: Ending): void;
  /** The first word takes its time. */
  isSlow(attempt: Attempt): void;
}

export class Attempt {
  readonly startedAt = performance.now();
  /** When its first status came. */
  openAt: number | null = null;
  /** It fails without a word whether the network is gone or a proxy swallows it. */
  readonly speaksUp: boolean;
  private readonly connection: Connection;
  private timers: Array<ReturnType<typeof setTimeout>> = [];

  constructor(
    readonly name: TransportName,
    { pace, ...watched }: Watched,
    private readonly hearer: Hearer,
  ) {
    this.speaksUp = SPEAKS_UP.has(name);
    this.connection = TRANSPORTS[name](
      { pace, ...watched },
      {
        status: (update) => {
          if (this.openAt === null) this.clearTimers();
          hearer.hear(this, update);
        },
        over: (ending) => this.end(ending),
      },
    );
    if (!this.speaksUp) return;
    this.timers = [
      setTimeout(() => hearer.isSlow(this), pace.slow),
      setTimeout(() => {
        this.close();
        this.end({ why: 'refused' });
      }, pace.firstWord),
    ];
  }

  /** The page woke up: is the other side still there? */
  check(): void {
    this.connection.check();
  }

  close(): void {
    this.clearTimers();
    this.connection.close();
  }

  private end(ending: Ending): void {
    this.clearTimers();
    this.hearer.ended(this, ending);
  }

  private clearTimers(): void {
    for (const timer of this.timers) clearTimeout(timer);
  }
}
