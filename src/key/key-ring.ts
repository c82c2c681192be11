/** The keys as this node knows them now: read again and again, and followed by successors when they are due. */
import type { KeyService } from './key-service.js';
import type { ServerKeys } from './server-keys.js';

export interface KeyRing {
  current(): ServerKeys;
  /** Told when other keys sign, or are believed, than before. A listener that throws is told again at the next reading. */
  onChange(listener: (keys: ServerKeys) => void): void;
  /** Reads now what the timer would read soon. Throws when that fails; what was read before stays. */
  refresh(): Promise<void>;
  stop(): void;
}

export interface KeyRingOptions {
  /** How long a key signs before its successor does; 0 for never. */
  rotationDays: number;
  /** What failed; the keys stay as they are. */
  onError: (error: unknown) => void;
  everyMs?: number;
}

/** Half the bound within which every node knows a key, so that one reading may fail. */
export const READ_EVERY_MS = 15_000;

export async function openKeyRing(keys: KeyService, options: KeyRingOptions): Promise<KeyRing> {
  await keys.prepare();
  let current = await keys.load();
  let told = fingerprint(current);
  let last: Promise<void> = Promise.resolve();
  let turning = false;
  let stopped = false;
  const listeners: ((keys: ServerKeys) => void)[] = [];

  const read = async () => {
    const next = await keys.load();
    if (stopped) return;
    current = next;
    const now = fingerprint(next);
    if (now === told) return;
    for (const listener of listeners) listener(next);
    told = now;
  };
  /** One after the other: what was read first must not be taken for the news. */
  const refresh = () => {
    last = last.catch(() => {}).then(read);
    return last;
  };
  const turn = async () => {
    await refresh();
    if (options.rotationDays > 0 && (await keys.rotateDue(options.rotationDays)).length > 0) await refresh();
    await keys.sweep();
  };
  const timer = setInterval(async () => {
    // A slow database is not asked twice at once.
    if (turning) return;
    turning = true;
    await turn().catch((error) => {
      if (!stopped) options.onError(error);
    });
    turning = false;
  }, options.everyMs ?? READ_EVERY_MS).unref();

  return {
    current: () => current,
    onChange: (listener) => {
      listeners.push(listener);
    },
    refresh,
    stop() {
      stopped = true;
      clearInterval(timer);
    },
  };
}

/** Of what changes; the other secrets are for life. */
function fingerprint({ signing, cookies }: ServerKeys): string {
  return JSON.stringify([signing.map(({ kid }) => kid), cookies]);
}
