// The waiting page as a pure state machine: what has happened goes in, what to show and what to do next comes out.
import type { TicketStatus } from '../../clients/web/src/ticket-status.js';

export type Phase = 'waiting' | 'scanned' | 'confirmed' | 'denied' | 'expired' | 'cancelled' | 'blocked' | 'error';
/** The one button the page may offer. */
export type Offer = 'none' | 'new-code' | 'reload' | 'return' | 'continue';
/** Why a denied ticket is over: unknown yet, the site is told, or a fresh code follows. */
export type Denial = 'open' | 'returning' | 'renewing';

export interface State {
  phase: Phase;
  matchCode: string | null;
  /** No answer from the server at the moment; everything else on show stays. */
  lost: boolean;
  /** Our own clock says the QR code is over, though the server has not said so yet. */
  stale: boolean;
  offer: Offer;
  denial: Denial;
  /** Fresh codes drawn in a row without anybody asking. */
  unasked: number;
  /** In OAuth a denial is an answer to the site; in the WeChat dialect it is not. */
  tellsSite: boolean;
}

export type Happening =
  | { type: 'status'; status: TicketStatus; matchCode: string | null }
  | { type: 'gone' }
  | { type: 'unknown' }
  | { type: 'lost' }
  | { type: 'back' }
  | { type: 'stale' }
  | { type: 'collected' }
  | { type: 'refused' }
  | { type: 'renewed' }
  | { type: 'request-over' }
  | { type: 'blocked' }
  | { type: 'asked' }
  | { type: 'restored' };

/** `collect`: fetch the result. `leave`/`leave-soon`: use it. `renew`/`renew-soon`: draw a fresh code. */
export type Command = 'stop' | 'collect' | 'leave' | 'leave-soon' | 'renew' | 'renew-soon' | 'reload';

export type Step = readonly [State, readonly Command[]];

export const MOST_UNASKED = 5;

export function begin(tellsSite: boolean): State {
  return {
    phase: 'waiting',
    matchCode: null,
    lost: false,
    stale: false,
    offer: 'none',
    denial: 'open',
    unasked: 0,
    tellsSite,
  };
}

export function step(state: State, happening: Happening): Step {
  switch (happening.type) {
    case 'status':
      return onStatus({ ...state, lost: false }, happening.status, happening.matchCode);
    case 'gone':
      return fresh({ ...state, phase: 'expired', matchCode: null, lost: false }, 'renew');
    case 'unknown':
      return [failed(state, 'reload'), ['stop']];
    case 'lost':
      return [{ ...state, lost: true }, []];
    case 'back':
      return [{ ...state, lost: false }, []];
    case 'stale':
      return [{ ...state, stale: true }, []];
    case 'collected':
      return onCollected({ ...state, lost: false });
    case 'refused':
      return onRefused({ ...state, lost: false });
    case 'renewed':
      return [{ ...begin(state.tellsSite), unasked: state.unasked }, []];
    case 'request-over':
      return [{ ...state, phase: 'expired', lost: false, offer: 'reload' }, ['stop', 'reload']];
    case 'blocked':
      return [{ ...state, phase: 'blocked', offer: 'continue' }, []];
    case 'asked':
      return [{ ...state, phase: 'expired', offer: 'none', unasked: 0 }, ['renew']];
    case 'restored':
      return [{ ...begin(state.tellsSite), phase: 'expired' }, ['stop', 'renew']];
  }
}

function onStatus(state: State, status: TicketStatus, matchCode: string | null): Step {
  switch (status) {
    case 'pending':
      return [{ ...state, phase: 'waiting', matchCode: null, stale: false }, []];
    case 'scanned':
      return [{ ...state, phase: 'scanned', matchCode, stale: false, unasked: 0 }, []];
    case 'confirmed':
      return [{ ...state, phase: 'confirmed', matchCode: null }, ['stop', 'collect']];
    case 'denied':
      return onDenied({ ...state, phase: 'denied', matchCode: null });
    case 'cancelled':
      return [{ ...state, phase: 'cancelled', matchCode: null, offer: 'new-code' }, ['stop']];
    case 'expired':
      return fresh({ ...state, phase: 'expired', matchCode: null }, 'renew');
    case 'redeemed':
      // Somebody else with this page's secret (a second view of it) has collected already.
      return [failed(state, 'new-code'), ['stop']];
  }
}

function onDenied(state: State): Step {
  if (state.tellsSite) return [{ ...state, denial: 'open' }, ['stop', 'collect']];
  return fresh(state, 'renew-soon');
}

function onCollected(state: State): Step {
  if (state.phase === 'denied') return [{ ...state, denial: 'returning', offer: 'return' }, ['leave-soon']];
  return [state, ['leave']];
}

/** 409 at collecting: a wrong match code is a denial the site is not told about; anything else is out of step. */
function onRefused(state: State): Step {
  if (state.phase === 'denied') return fresh(state, 'renew-soon');
  return [failed(state, 'new-code'), ['stop']];
}

/** A fresh code, unless this page has drawn too many without anybody asking. */
function fresh(state: State, how: 'renew' | 'renew-soon'): Step {
  if (state.unasked >= MOST_UNASKED) return [{ ...state, offer: 'new-code' }, ['stop']];
  return [{ ...state, denial: 'renewing', offer: 'none', unasked: state.unasked + 1 }, ['stop', how]];
}

function failed(state: State, offer: Offer): State {
  return { ...state, phase: 'error', matchCode: null, lost: false, offer };
}
