// The shape of the data the server puts into a waiting page.
import type { Texts } from '../shared/page-data.js';

export interface WaitingData {
  ticketId: string;
  waitSecret: string;
  expiresIn: number;
  api: string;
  dialect: 'wechat' | 'oauth';
  /** Who moves: the top window, this frame, or the parent page (which gets a one-time handle, never the code). */
  navigate: 'top' | 'self' | 'parent';
  /** The exact target of every message; null means: post nothing. */
  parentOrigin: string | null;
  /** A sheet of the site for our decoration, and for nothing else (T94). */
  styleSheet?: string;
  texts: Texts;
}
