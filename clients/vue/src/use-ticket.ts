// useTicket(): how a QR sign-in stands, for pages that draw their own code; watched as long as its scope lives.
import { NOTHING_KNOWN, type TicketState, type TicketWatch, type UseTicket, watchState } from '@qrconnect/web';
import { type MaybeRefOrGetter, readonly, shallowReactive, type ToRefs, toRefs, toValue, watch } from 'vue';

export type { TicketState, UseTicket };

export type Watched = ToRefs<Readonly<TicketState>> & {
  /** Asks the server at once. */
  checkNow: () => void;
};

/** Watches `ticket`, or nothing while it is null. Another ticket ends the watch of the one before. */
export function useTicket(ticket: MaybeRefOrGetter<UseTicket | null>): Watched {
  const state = shallowReactive({ ...NOTHING_KNOWN });
  let watching: TicketWatch | null = null;
  watch(
    // Text, so that an equal ticket in another object is the same one.
    () => JSON.stringify(wantedOf(toValue(ticket))),
    (wanted, _before, onCleanup) => {
      const next = JSON.parse(wanted) as UseTicket | null;
      Object.assign(state, NOTHING_KNOWN);
      if (!next) return;
      watching = watchState(next, (more) => Object.assign(state, more));
      onCleanup(() => {
        watching?.stop();
        watching = null;
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
