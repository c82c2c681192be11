// Waiting times between attempts: 1, 2, 4, 8 s with a little jitter, cut short when the network comes back.

const FIRST = 1000;
const LONGEST = 8000;

export class Backoff {
  private next = FIRST;

  reset(): void {
    this.next = FIRST;
  }

  /** Resolves after the next waiting time, or when the browser says it is online again, or when aborted. */
  pause(signal: AbortSignal, atLeastSeconds: number | null = null): Promise<void> {
    const jittered = this.next * (0.85 + Math.random() * 0.3);
    this.next = Math.min(this.next * 2, LONGEST);
    return pause(Math.max(jittered, (atLeastSeconds ?? 0) * 1000), signal, atLeastSeconds === null);
  }
}

export function pause(milliseconds: number, signal: AbortSignal, wakeWhenOnline = false): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      window.removeEventListener('online', done);
      signal.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, milliseconds);
    if (wakeWhenOnline) window.addEventListener('online', done);
    signal.addEventListener('abort', done);
    if (signal.aborted) done();
  });
}
