// Which text belongs to which state of the waiting page.
import type { State } from './state.js';

export interface Words {
  title: string;
  detail: string | null;
  tone: 'plain' | 'good' | 'bad';
}

export function wordsFor(state: State): Words {
  if (state.lost) return { title: 'waiting.lost.title', detail: 'waiting.lost.detail', tone: 'bad' };
  switch (state.phase) {
    case 'waiting':
      return { title: 'waiting.scan.title', detail: 'waiting.scan.detail', tone: 'plain' };
    case 'scanned':
      return state.matchCode
        ? { title: 'waiting.scanned.title', detail: 'waiting.scanned.detail', tone: 'good' }
        : { title: 'waiting.scannedNoCode.title', detail: 'waiting.scannedNoCode.detail', tone: 'good' };
    case 'confirmed':
      return { title: 'waiting.confirmed.title', detail: 'waiting.confirmed.detail', tone: 'good' };
    case 'denied':
      return { title: 'waiting.denied.title', detail: deniedDetail(state), tone: 'bad' };
    case 'expired':
      return { title: 'waiting.expired.title', detail: expiredDetail(state), tone: 'bad' };
    case 'cancelled':
      return { title: 'waiting.cancelled.title', detail: 'waiting.expired.ask', tone: 'bad' };
    case 'blocked':
      return { title: 'waiting.blocked.title', detail: 'waiting.blocked.detail', tone: 'plain' };
    case 'error':
      return { title: 'waiting.error.title', detail: 'waiting.error.detail', tone: 'bad' };
  }
}

function deniedDetail(state: State): string | null {
  if (state.offer === 'new-code') return 'waiting.denied.ended';
  if (state.denial === 'returning') return 'waiting.denied.returning';
  return state.denial === 'renewing' ? 'waiting.denied.renewing' : null;
}

function expiredDetail(state: State): string {
  return state.offer === 'none' ? 'waiting.expired.renewing' : 'waiting.expired.ask';
}
