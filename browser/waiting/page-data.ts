// The shape of the data the server puts into a waiting page.
import type { TransportName } from '../../clients/web/src/transport/transport.js';
import type { Texts } from '../shared/page-data.js';

export interface WaitingData {
  ticketId: string;
  waitSecret: string;
  expiresIn: number;
  /** The ways of hearing from the server, the best first; empty: the usual order. */
  transports: readonly TransportName[];
  dialect: 'wechat' | 'oauth';
  /** Who moves: the top window, this frame, or the page that framed or opened us (it gets a one-time handle, never the code). */
  navigate: 'top' | 'self' | 'parent' | 'opener';
  /** The exact target of every message; null means: post nothing. */
  parentOrigin: string | null;
  /** A sheet of the site for our decoration, and for nothing else (T94). */
  styleSheet?: string;
  texts: Texts;
}
