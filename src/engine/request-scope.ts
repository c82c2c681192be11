/**
 * What one request has already read. A token is read together with what it names (its grant, its account, and where
 * needed its client) in one statement; the engine then asks for each of them by itself, and finds them here. Nothing
 * outlives the request, so nothing is stale longer than the request is.
 */
import { AsyncLocalStorage } from 'node:async_hooks';

const scope = new AsyncLocalStorage<Map<string, unknown>>();

export type Remembered = 'Grant' | 'Client' | 'Account';

export function inRequestScope<T>(work: () => T): T {
  return scope.run(new Map(), work);
}

export function remember(kind: Remembered, id: string, value: unknown): void {
  scope.getStore()?.set(`${kind} ${id}`, value);
}

export function recall<T>(kind: Remembered, id: string): T | undefined {
  return scope.getStore()?.get(`${kind} ${id}`) as T | undefined;
}

/** What the request already read, else what `read` finds. */
export function scoped<T>(kind: Remembered, id: string, read: () => Promise<T | undefined>): Promise<T | undefined> {
  const known = recall<T>(kind, id);
  return known === undefined ? read() : Promise.resolve(known);
}

/** After anything was ended: the rest of the request reads the database again. */
export function forgetAll(): void {
  scope.getStore()?.clear();
}
