// Runs the waiting page: feeds happenings to the state machine and carries out the commands it answers with.
import { pause } from '../../clients/web/src/pace.js';
import type { TicketHolder } from '../../clients/web/src/tickets.js';
import { type TicketWatch, watchTicket } from '../../clients/web/src/watch-ticket.js';
import { leaveFor, leaveUnlessClosed } from './navigate.js';
import type { WaitingData } from './page-data.js';
import { Parent } from './parent.js';
import { allowReloadAgain, reloadOnce } from './reload-once.js';
import { begin, type Command, type Happening, type State, step } from './state.js';
import { type Collected, Tickets } from './tickets.js';
import { View } from './view.js';

/** How long a refusal stays readable before the page moves on. */
const READING_TIME = 3000;

export class Session {
  private readonly data: WaitingData;
  private readonly parent: Parent;
  private readonly tickets: Tickets;
  private readonly view: View;
  private ticket: TicketHolder;
  private watching: TicketWatch | undefined;
  private state: State;
  /** Ends every timer and retry that belongs to the ticket on show. */
  private life = new AbortController();
  private deadline: ReturnType<typeof setTimeout> | undefined;
  private result: Collected | null = null;
  /** The result is ours, or on its way: leaving the page must not cancel the ticket any more. */
  private finishing = false;

  constructor(data: WaitingData) {
    this.data = data;
    this.parent = new Parent(data);
    this.tickets = new Tickets(this.parent.takesHandle, () => this.happen({ type: 'lost' }));
    this.view = new View(data.texts, () => this.act(), data.styleSheet);
    // Not `location.origin`: in a sandboxed frame that is `null`.
    const server = new URL(window.location.href).origin;
    this.ticket = { server, ticketId: data.ticketId, waitSecret: data.waitSecret };
    this.state = begin(data.dialect === 'oauth');
  }

  start(): void {
    this.view.draw(this.state);
    this.parent.listenForTheme();
    this.parent.reportHeight(this.view.box);
    this.parent.say('ready');
    this.watch(this.data.expiresIn);
    window.addEventListener('pagehide', () => this.onPageHide());
    window.addEventListener('pageshow', (event) => {
      if (event.persisted) this.happen({ type: 'restored' });
    });
  }

  /** The request was answered in another way, and the ticket is over with it: nothing is asked or told any more. */
  end(): void {
    this.finishing = true;
    this.stop();
  }

  private happen(happening: Happening): void {
    const [state, commands] = step(this.state, happening);
    this.state = state;
    this.view.draw(state);
    this.tellParent();
    for (const command of commands) this.carryOut(command);
  }

  private carryOut(command: Command): void {
    const actions: Record<Command, () => unknown> = {
      stop: () => this.stop(),
      collect: () => this.collect(this.life.signal),
      leave: () => this.leave(),
      'leave-soon': () => this.later(() => this.leave()),
      renew: () => this.renew(this.life.signal),
      'renew-soon': () => this.later(() => this.renew(this.life.signal)),
      reload: () => reloadOnce(),
    };
    actions[command]();
  }

  private watch(expiresIn: number): void {
    this.setDeadline(expiresIn);
    this.watching = watchTicket({
      ...this.ticket,
      transports: this.data.transports,
      onStatus: ({ status, matchCode = null, expiresIn: seconds }) => {
        if (status === 'scanned') allowReloadAgain();
        this.setDeadline(seconds);
        this.happen({ type: 'status', status, matchCode });
      },
      onConnection: (connection) => {
        if (connection === 'lost') this.happen({ type: 'lost' });
        if (connection === 'open') this.happen({ type: 'back' });
      },
      onError: () => this.happen({ type: 'unknown' }),
    });
  }

  /** Timers sleep with the machine, so the end is measured on the clock and the server is asked, never guessed. */
  private setDeadline(seconds: number): void {
    const end = performance.now() + Math.max(seconds, 1) * 1000;
    const check = () => {
      const left = end - performance.now();
      if (left > 0) {
        this.deadline = setTimeout(check, left);
        return;
      }
      this.happen({ type: 'stale' });
      this.watching?.checkNow();
    };
    clearTimeout(this.deadline);
    this.deadline = setTimeout(check, Math.max(seconds, 1) * 1000 + 500);
  }

  private stop(): void {
    clearTimeout(this.deadline);
    this.watching?.stop();
    this.life.abort();
    this.life = new AbortController();
  }

  private async later(then: () => unknown): Promise<void> {
    const life = this.life.signal;
    await pause(READING_TIME, life);
    if (!life.aborted) then();
  }

  private async collect(life: AbortSignal): Promise<void> {
    this.finishing = true;
    const result = await this.tickets.collect(this.ticket, life);
    if (life.aborted) return;
    this.result = result;
    if (result.kind === 'url' || result.kind === 'handle') return this.happen({ type: 'collected' });
    this.finishing = false;
    this.happen({ type: result.kind });
  }

  private async renew(life: AbortSignal): Promise<void> {
    const fresh = await this.tickets.renew(this.ticket, life);
    if (life.aborted) return;
    if (!fresh) return this.happen({ type: 'request-over' });
    this.ticket = { ...this.ticket, ticketId: fresh.ticketId, waitSecret: fresh.waitSecret };
    this.result = null;
    this.finishing = false;
    this.view.showQr(fresh.qrSvg, fresh.qrUrl);
    this.happen({ type: 'renewed' });
    this.watch(fresh.expiresIn);
  }

  private leave(): void {
    const result = this.result;
    if (result?.kind === 'handle') {
      // Good for one visit: while a slow site is on its way, a second word would take the person to a used one.
      this.result = null;
      this.parent.done(result.continueUrl);
      if (this.data.navigate === 'opener') leaveUnlessClosed(result.continueUrl);
    }
    if (result?.kind === 'url') leaveFor(result.url, this.data.navigate, () => this.happen({ type: 'blocked' }));
  }

  /** The one button: what it does depends on what it offers. */
  private act(): void {
    const { offer } = this.state;
    if (offer === 'new-code') this.happen({ type: 'asked' });
    else if (offer === 'reload') window.location.reload();
    else if (offer !== 'none') {
      // The same is due by itself in a moment, and must not come on top.
      this.stop();
      this.leave();
    }
  }

  private tellParent(): void {
    const { phase } = this.state;
    if (phase === 'waiting') this.parent.say('ready');
    else if (phase === 'cancelled') this.parent.say('expired');
    else if (phase === 'blocked') this.parent.say('error');
    else this.parent.say(phase);
  }

  private onPageHide(): void {
    this.watching?.stop();
    const { phase } = this.state;
    if (this.finishing || (phase !== 'waiting' && phase !== 'scanned')) return;
    this.tickets.giveUp(this.ticket);
  }
}
