// useTicket(): how a QR sign-in stands, for pages that draw their own code; watched while the component is shown.
import {
  type QrConnectError,
  type TicketStatus,
  type TicketWatch,
  type TransportName,
  watchTicket,
} from '@qrconnect/web';
import { useCallback, useEffect, useRef, useState } from 'react';

export interface UseTicket {
  /** Address of the server. */
  server: string;
  ticketId: string;
  waitSecret: string;
  transports?: readonly TransportName[];
}

export interface TicketState {
  /** Null until the server has answered. */
  readonly status: TicketStatus | null;
  /** Two digits to show once it is scanned. */
  readonly matchCode: string | null;
  /** Seconds left, as the server last said. */
  readonly expiresIn: number | null;
  /** `lost`: tell the person; it comes back by itself. */
  readonly connection: 'connecting' | 'open' | 'lost' | null;
  /** The watch has failed for good. */
  readonly error: QrConnectError | null;
}

const NOTHING: TicketState = { status: null, matchCode: null, expiresIn: null, connection: null, error: null };

/** Watches `ticket`, or nothing while it is null. Another ticket ends the watch of the one before. */
export function useTicket(ticket: UseTicket | null): TicketState & { checkNow: () => void } {
  /** With the ticket it is of: at the first look at another one, this is still the old one's. */
  const [{ of, ...state }, setState] = useState<TicketState & { of?: string }>(NOTHING);
  const watch = useRef<TicketWatch | null>(null);
  const { server, ticketId, waitSecret } = ticket ?? {};
  const order = ticket?.transports?.join(',');
  useEffect(() => {
    setState(NOTHING);
    if (server === undefined || ticketId === undefined || waitSecret === undefined) return;
    const change = (more: Partial<TicketState>) => setState((before) => ({ ...before, ...more, of: ticketId }));
    try {
      watch.current = watchTicket({
        server,
        ticketId,
        waitSecret,
        ...(order === undefined ? {} : { transports: order.split(',') as TransportName[] }),
        onStatus: ({ status, matchCode, expiresIn }) => change({ status, matchCode: matchCode ?? null, expiresIn }),
        onConnection: (connection) => change({ connection }),
        onError: (error) => change({ error }),
      });
    } catch (error) {
      // `bad_options`; thrown from here it would take the whole page away.
      change({ error: error as QrConnectError });
    }
    return () => {
      watch.current?.stop();
      watch.current = null;
    };
  }, [server, ticketId, waitSecret, order]);
  return { ...(of === ticketId ? state : NOTHING), checkNow: useCallback(() => watch.current?.checkNow(), []) };
}
