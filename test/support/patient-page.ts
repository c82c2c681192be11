/** A waiting page that does not give up: it comes back, by the same transport, whenever its wait is cut or let go. */
import { waiter } from './page.js';
import { type Told, type Transport, type Waiting, waitBy } from './transports.js';

type Where = { url: string; port?: number };
type Ticket = { ticketId: string; waitSecret: string };

export const WAYS = ['socket', 'events', 'long-poll', 'poll'] as const satisfies Array<Transport | 'poll'>;
export type Way = (typeof WAYS)[number];

export interface PatientPage {
  /** Every status in turn. */
  readonly heard: string[];
  /** How often it had to come back. */
  readonly returns: number;
  /** What it was told with this status, be it long ago; rejects when the wait is over without. */
  until(status: string): Promise<Told>;
  leave(): void;
}

/** Between two attempts, and two polls. */
const PAUSE_MS = 50;
const FINAL = ['redeemed', 'denied', 'cancelled', 'expired'];

export function waitPatiently(way: Way, where: Where, ticket: Ticket): PatientPage {
  const told: Told[] = [];
  const readers = new Set<() => void>();
  let [returns, over] = [0, false];
  let current: Waiting | undefined;

  const hear = (one: Told) => {
    if (one.status !== told.at(-1)?.status) told.push(one);
    over ||= FINAL.includes(one.status);
    for (const read of readers) read();
  };
  const poll = async () => {
    const answer = await waiter(where, ticket.ticketId, ticket.waitSecret)
      .status()
      .catch(() => undefined);
    if (answer?.status === 200) hear(answer.json<Told>());
    else if (answer && answer.status < 500) over = true;
    else returns += 1;
  };
  const hold = async () => {
    current = waitBy(way as Transport, where, ticket);
    try {
      for (;;) hear(await current.next());
    } catch {
      // Refused for good, not cut: there is nothing to come back to.
      if (/^(44..|4..)$/.test(String(await current.ended))) over = true;
      if (!over) returns += 1;
    }
  };
  const run = async () => {
    while (!over) {
      await (way === 'poll' ? poll() : hold());
      if (!over) await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
    }
    for (const read of readers) read();
  };
  void run();

  return {
    get heard() {
      return told.map(({ status }) => status);
    },
    get returns() {
      return returns;
    },
    until: (status) =>
      new Promise((resolve, reject) => {
        const read = () => {
          const one = told.find((each) => each.status === status);
          if (one) resolve(one);
          else if (over) reject(new Error(`by ${way} only ${told.map((each) => each.status)} was heard`));
          else return;
          readers.delete(read);
        };
        readers.add(read);
        read();
      }),
    leave() {
      over = true;
      current?.hangUp();
    },
  };
}
