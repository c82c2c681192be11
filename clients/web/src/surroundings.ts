// What the client runs in: a browser has all of this, a worker or Node some of it. Also tells when it wakes up.

/** As much of a WebSocket as we use. */
export interface SocketLike {
  readonly readyState: number;
  onopen: (() => void) | null;
  onmessage: ((event: { data: unknown }) => void) | null;
  onclose: ((event: { code: number }) => void) | null;
  onerror: (() => void) | null;
  send(text: string): void;
  close(): void;
}

interface Listened {
  addEventListener?(type: string, listener: () => void): void;
  removeEventListener?(type: string, listener: () => void): void;
}

interface Surroundings extends Listened {
  WebSocket?: new (url: string) => SocketLike;
  document?: Listened & { visibilityState?: string };
  location?: { href?: string };
}

const around = globalThis as unknown as Surroundings;

/** Throws where there is no WebSocket, or where a policy forbids this one. */
export function openSocket(url: string): SocketLike {
  if (!around.WebSocket) throw new Error('no WebSocket here');
  return new around.WebSocket(url);
}

/** The address of the page, even inside a sandboxed frame, whose origin is `null`. */
export function ownAddress(): string | undefined {
  return around.location?.href;
}

/** `moved`: the network may be another one now, as after a sleep. `looked-at`: somebody is there again. */
export type Wake = 'moved' | 'looked-at';

const BEAT = 5_000;
/** A beat that comes this much late was slept through. */
const NAP = 10_000;

/** Returns how to stop listening. */
export function onWake(wake: (why: Wake) => void): () => void {
  const isHidden = () => around.document?.visibilityState === 'hidden';
  const moved = () => wake('moved');
  const seen = () => {
    if (!isHidden()) wake('looked-at');
  };
  const heard: Array<[Listened | undefined, string, () => void]> = [
    [around, 'online', moved],
    [around, 'offline', seen],
    [around, 'pageshow', seen],
    [around.document, 'visibilitychange', seen],
    [around.document, 'resume', moved],
  ];
  for (const [where, type, listener] of heard) where?.addEventListener?.(type, listener);
  // The clock on the wall goes on while the machine sleeps. The timers of a hidden page are late by design.
  let last = Date.now();
  const beat = setInterval(() => {
    const late = Date.now() - last - BEAT;
    last = Date.now();
    if (late > NAP && !isHidden()) moved();
  }, BEAT);
  (beat as { unref?: () => void }).unref?.();
  return () => {
    clearInterval(beat);
    for (const [where, type, listener] of heard) where?.removeEventListener?.(type, listener);
  };
}
