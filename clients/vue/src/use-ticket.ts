// useTicket(): how a QR sign-in stands, for pages that draw their own code; watched as long as its scope lives.
import {
  type QrConnectError,
  type TicketStatus,
  type TicketWatch,
  type TransportName,
  watchTicket,
} from '@qrconnect/web';
import { type MaybeRefOrGetter, readonly, shallowReactive, type ToRefs, toRefs, toValue, watch } from 'vue';

export interface UseTicket {
  /** Address of the server. */
  server: string;
  ticketId: string;
  waitSecret: string;
  transports?: readonly TransportName[];
}

export interface TicketState {
  /** Null until the server has answered. */
  status: TicketStatus | null;
  /** Two digits to show once it is scanned. */
  matchCode: string | null;
  /** Seconds left, as the server last said. */
  expiresIn: number | null;
  /** `lost`: tell the person; it comes back by itself. */
  connection: 'connecting' | 'open' | 'lost' | null;
  /** The watch has failed for good. */
  error: QrConnectError | null;
}

export type Watched = ToRefs<Readonly<TicketState>> & {
  /** Asks the server at once. */
  checkNow: () => void;
};

const NOTHING: TicketState = { status: null, matchCode: null, expiresIn: null, connection: null, error: null };

/** Watches `ticket`, or nothing while it is null. Another ticket ends the watch of the one before. */
export function useTicket(ticket: MaybeRefOrGetter<UseTicket | null>): Watched {
  const state = shallowReactive({ ...NOTHING });
  let watching: TicketWatch | undefined;
  const begin = (wanted: UseTicket) =>
    watchTicket({
      ...wanted,
      onStatus: ({ status, matchCode, expiresIn }) =>
        Object.assign(state, { status, matchCode: matchCode ?? null, expiresIn }),
      onConnection: (connection) => Object.assign(state, { connection }),
      onError: (error) => Object.assign(state, { error }),
    });
  watch(
    // Text, so that an equal ticket in another object is the same one.
    () => JSON.stringify(wantedOf(toValue(ticket))),
    (wanted, _before, onCleanup) => {
      const next = JSON.parse(wanted) as UseTicket | null;
      Object.assign(state, NOTHING);
      if (!next) return;
      try {
        watching = begin(next);
      } catch (error) {
        // `bad_options`; thrown from here it would be told to the console alone.
        state.error = error as QrConnectError;
      }
      onCleanup(() => {
        watching?.stop();
        watching = undefined;
      });
    },
    // On a server nothing is watched.
    { immediate: typeof window !== 'undefined' },
  );
  return { ...toRefs(readonly(state)), checkNow: () => watching?.checkNow() };
}

function wantedOf(ticket: UseTicket | null): UseTicket | null {
  if (!ticket) return null;
  const { server, ticketId, waitSecret, transports } = ticket;
  return { server, ticketId, waitSecret, transports };
}
