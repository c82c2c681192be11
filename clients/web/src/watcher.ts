// Watches one ticket to its decision, over whatever transport can be had: falls back, comes back up, and outlives lost networks.
import { Attempt, type Hearer } from './attempt.js';
import { Backoff } from './backoff.js';
import { FIX, QrConnectError } from './error.js';
import type { Ladder } from './ladder.js';
import { onWake, type Wake } from './surroundings.js';
import { isBehind, isDecided, type TicketUpdate } from './ticket-status.js';
import { ask } from './transport/ask.js';
import type { Ending, TransportName, Watched } from './transport/transport.js';

/** `connecting`: no connection stands at the moment, and nothing is wrong yet. */
export type Link = 'connecting' | 'open' | 'lost';

export interface Hooks {
  onStatus(update: TicketUpdate): void;
  onLink(link: Link): void;
  /** The last word; null after a status that decides. */
  onEnd(error: QrConnectError | null): void;
}

/** So often in a row may a connection break early or fall mute before its transport is held to be the cause. */
const MOST_STRIKES = 2;

export class Watcher implements Hearer {
  /** What is in use, or about to be. */
  private live: Attempt | null = null;
  /** Something better, on trial beside it. */
  private trial: Attempt | null = null;
  private latest: TicketUpdate | null = null;
  private answeredAt = Number.NEGATIVE_INFINITY;
  private link: Link | null = null;
  private superseded = false;
  private over = false;
  private question: Promise<boolean> | null = null;
  private retryTimer: ReturnType<typeof setTimeout> | undefined;
  private trialTimer: ReturnType<typeof setTimeout> | undefined;
  private lostTimer: ReturnType<typeof setTimeout> | undefined;
  private stopListening: () => void = () => {};
  private readonly life = new AbortController();
  private readonly strikes = new Map<TransportName, number>();
  private readonly backoff: Backoff;

  constructor(
    private readonly watched: Watched,
    private readonly ladder: Ladder,
    private readonly hooks: Hooks,
  ) {
    this.backoff = new Backoff(watched.pace.firstRetry, watched.pace.lastRetry);
  }

  start(): void {
    this.stopListening = onWake((why) => this.wake(why));
    this.begin();
  }

  /** Asks at once, beside whatever is going on; without an answer the connection is begun anew. */
  async checkNow(): Promise<void> {
    const suspect = this.live;
    if (this.over || (await this.ask()) || this.over || this.live !== suspect) return;
    suspect?.close();
    this.trial?.close();
    this.live = null;
    this.trial = null;
    this.tell('lost');
    this.retryIn(this.backoff.next());
  }

  stop(): void {
    this.over = true;
    this.stopListening();
    this.life.abort();
    for (const timer of [this.retryTimer, this.trialTimer, this.lostTimer]) clearTimeout(timer);
    this.live?.close();
    this.trial?.close();
    this.live = null;
    this.trial = null;
  }

  hear(attempt: Attempt, update: TicketUpdate): void {
    if (attempt === this.trial) {
      // Only now is the old one let go: nothing was missed while the better one was tried.
      this.live?.close();
      this.live = attempt;
      this.trial = null;
    }
    if (attempt !== this.live) return;
    if (attempt.openAt === null) {
      attempt.openAt = performance.now();
      this.planTrial();
    } else if (update.status !== this.latest?.status) {
      this.ladder.works(attempt.name);
    }
    this.backoff.reset();
    this.deliver(update);
  }

  ended(attempt: Attempt, ending: Ending): void {
    const wasTrial = attempt === this.trial;
    if (!wasTrial && attempt !== this.live) return;
    if (wasTrial) this.trial = null;
    else this.live = null;
    if (this.settle(ending)) return;
    if (wasTrial) {
      this.ladder.fail(attempt.name);
      if (this.live) this.planTrial();
      else this.begin();
      return;
    }
    // What is on trial has just taken the ticket's one place, or goes on alone.
    if (this.trial) return;
    if (ending.why === 'busy') this.ladder.tooMany(ending.retryAfter);
    // Two pages with one secret would go on taking the place from each other.
    if (ending.why === 'superseded') this.superseded = true;
    const isTold = ending.why === 'busy' || ending.why === 'superseded';
    if (isTold && this.best() !== attempt.name) this.begin();
    else if (attempt.openAt === null) void this.couldNotOpen(attempt, ending);
    else this.broke(attempt.name, attempt.openAt, ending);
  }

  isSlow(attempt: Attempt): void {
    if (attempt === this.live) void this.checkNow();
  }

  private begin(): void {
    clearTimeout(this.retryTimer);
    clearTimeout(this.trialTimer);
    if (this.link !== 'lost') this.tell('connecting');
    if (this.over) return;
    this.live = new Attempt(this.best(), this.watched, this);
  }

  private best(): TransportName {
    return this.superseded ? 'poll' : this.ladder.best();
  }

  private deliver(update: TicketUpdate): void {
    this.answeredAt = performance.now();
    this.tell('open');
    if (this.over || isBehind(update, this.latest)) return;
    this.latest = update;
    const isLast = isDecided(update.status);
    if (isLast) this.stop();
    this.hooks.onStatus(update);
    if (isLast) this.hooks.onEnd(null);
  }

  /** Endings after which there is nothing left to watch. */
  private settle({ why }: Ending): boolean {
    if (why === 'gone') this.deliver({ status: 'expired', expiresIn: 0 });
    else if (why === 'unknown') this.fail('unknown_ticket');
    else if (why === 'other-site') this.fail('origin_refused');
    else return false;
    return true;
  }

  private fail(code: 'unknown_ticket' | 'origin_refused'): void {
    this.stop();
    this.hooks.onEnd(new QrConnectError(code, FIX[code]));
  }

  /** Is it the transport or the network? A plain question tells: only what fails while that works is to blame. */
  private async couldNotOpen({ name, speaksUp, startedAt }: Attempt, ending: Ending): Promise<void> {
    const isThere = speaksUp && (this.answeredAt > startedAt || (await this.ask()));
    // Somebody else has gone on meanwhile.
    if (this.over || this.live) return;
    if (isThere) {
      this.ladder.fail(name);
      if (this.best() !== name) return this.begin();
    } else {
      this.tell('lost');
    }
    this.retryIn(this.backoff.next(ending.why === 'busy' ? ending.retryAfter : null));
  }

  private broke(name: TransportName, openAt: number, ending: Ending): void {
    const { steady, spread, busySpread, unnoticed } = this.watched.pace;
    const isStrike = ending.why === 'mute' || performance.now() - openAt < steady;
    const strikes = isStrike ? (this.strikes.get(name) ?? 0) + 1 : 0;
    this.strikes.set(name, strikes % MOST_STRIKES);
    if (strikes >= MOST_STRIKES) this.ladder.fail(name);
    this.tell('connecting');
    // A server that says goodbye is expected back, or another one is there already.
    if (ending.why !== 'goodbye') this.lostTimer = setTimeout(() => this.tell('lost'), unnoticed);
    const apart = this.latest?.status === 'scanned' ? busySpread : spread;
    this.retryIn(ending.why === 'busy' ? this.backoff.next(ending.retryAfter) : Math.random() * apart);
  }

  private retryIn(milliseconds: number): void {
    clearTimeout(this.retryTimer);
    clearTimeout(this.trialTimer);
    this.retryTimer = setTimeout(() => this.begin(), milliseconds);
  }

  private planTrial(): void {
    clearTimeout(this.trialTimer);
    const wait = this.live && !this.superseded ? this.ladder.betterIn(this.live.name) : null;
    if (wait === null) return;
    this.trialTimer = setTimeout(() => {
      const name = this.ladder.best();
      if (!this.live || this.trial) return;
      if (this.ladder.isBetter(name, this.live.name)) this.trial = new Attempt(name, this.watched, this);
      else this.planTrial();
    }, wait);
  }

  private wake(why: Wake): void {
    if (why === 'moved') {
      this.ladder.forget();
      this.strikes.clear();
      this.backoff.reset();
    }
    const { live } = this;
    if (!live) {
      if (!this.trial) this.begin();
    } else if (live.openAt !== null && (why === 'looked-at' || live.name === 'socket')) {
      live.check();
      if (why === 'moved') this.planTrial();
      void this.checkNow();
    } else if (live.openAt !== null) {
      // A stream or a held question on a network that is gone looks as if nothing happened, for half a minute.
      this.trial?.close();
      this.trial = null;
      live.close();
      this.begin();
    } else if (performance.now() - live.startedAt > this.watched.pace.unnoticed) {
      // It was begun in another world, and its packets may be repeated ever more slowly.
      live.close();
      this.begin();
    }
  }

  /** One question at a time. True when the server has answered, whatever it said. */
  private ask(): Promise<boolean> {
    this.question ??= ask(this.watched, this.life.signal).then(({ update, ending }) => {
      this.question = null;
      if (this.over) return true;
      if (update) this.deliver(update);
      return update !== undefined || this.settle(ending) || ending.why === 'busy';
    });
    return this.question;
  }

  private tell(link: Link): void {
    if (link !== 'connecting') clearTimeout(this.lostTimer);
    if (link === this.link || this.over) return;
    this.link = link;
    this.hooks.onLink(link);
  }
}
