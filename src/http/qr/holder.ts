/** Who asks about a ticket: the holder of its wait secret; how often others may guess; and what the holder is told. */
import type { ServerResponse } from 'node:http';
import { AppError } from '../../error.js';
import type { Limit } from '../../rate-limit.js';
import type { TicketView } from '../../ticket/ticket-view.js';
import type { AppRouterContext } from '../context.js';

export interface Holder {
  readonly id: string;
  readonly waitSecret: string;
}

/** The wait secret comes in the Authorization header (RFC 6750 2.1). Without one the ticket is as good as unknown. */
export function holderOf(ctx: AppRouterContext): Holder {
  const waitSecret = /^Bearer ([\w-]{1,128})$/.exec(ctx.get('Authorization'))?.[1] ?? '';
  return { id: String(ctx.params.id), waitSecret };
}

/** An answer that waits behind another on its connection is never told that its caller hung up, so it holds no seat (T77). */
export function requireOwnTurn(res: ServerResponse): void {
  if (res.socket === null) throw new AppError('too_many_requests', { retryAfter: 3 });
}

/** Only misses are limited: honest pages behind the same address go on (T3). */
export async function countMisses<T>(misses: Limit, addressKey: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof AppError && error.code === 'not_found') {
      await misses.check(addressKey);
      await misses.count(addressKey);
    }
    throw error;
  }
}

/** The same words by every transport: the status, never a code. */
export interface StatusMessage {
  readonly status: TicketView['status'];
  readonly match_code?: string;
  readonly expires_in: number;
}

export function statusMessage({ status, matchCode, expiresIn }: TicketView): StatusMessage {
  return { status, ...(matchCode === undefined ? {} : { match_code: matchCode }), expires_in: expiresIn };
}
