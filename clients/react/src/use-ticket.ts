// useTicket(): how a QR sign-in stands, for pages that draw their own code; watched while the component is shown.
import {
  NOTHING_KNOWN,
  type TicketState,
  type TicketWatch,
  type TransportName,
  type UseTicket,
  watchState,
} from '@qrconnect/web';
import { useCallback, useEffect, useRef, useState } from 'react';

export type { TicketState, UseTicket };

/** Watches `ticket`, or nothing while it is null. Another ticket ends the watch of the one before. */
export function useTicket(ticket: UseTicket | null): TicketState & { checkNow: () => void } {
  /** With the ticket it is of: at the first look at another one, this is still the old one's. */
  const [{ of, ...state }, setState] = useState<TicketState & { of?: string }>(NOTHING_KNOWN);
  const watch = useRef<TicketWatch | null>(null);
  const { server, ticketId, waitSecret } = ticket ?? {};
  const order = ticket?.transports?.join(',');
  useEffect(() => {
    setState(NOTHING_KNOWN);
    if (server === undefined || ticketId === undefined || waitSecret === undefined) return;
    const transports = order === undefined ? {} : { transports: order.split(',') as TransportName[] };
    watch.current = watchState({ server, ticketId, waitSecret, ...transports }, (more) =>
      setState((before) => ({ ...before, ...more, of: ticketId })),
    );
    return () => {
      watch.current?.stop();
      watch.current = null;
    };
  }, [server, ticketId, waitSecret, order]);
  return { ...(of === ticketId ? state : NOTHING_KNOWN), checkNow: useCallback(() => watch.current?.checkNow(), []) };
}
