/** Where a server's time went: a V8 profile's self time, by whose code it is. */

export interface Profile {
  readonly nodes: ReadonlyArray<{
    readonly id: number;
    readonly callFrame: { readonly functionName: string; readonly url: string };
  }>;
  readonly samples: readonly number[];
  /** Microseconds before each sample. */
  readonly timeDeltas: readonly number[];
}

export interface Share {
  readonly group: string;
  /** Of the time in which it did anything. */
  readonly part: number;
  /** The functions that took most of it. */
  readonly most: readonly string[];
}

export function sharesOf({ nodes, samples, timeDeltas }: Profile): Share[] {
  const frames = new Map(nodes.map(({ id, callFrame }) => [id, callFrame]));
  const groups = new Map<string, Map<string, number>>();
  let total = 0;
  for (const [i, id] of samples.entries()) {
    const frame = frames.get(id);
    const time = timeDeltas[i] ?? 0;
    if (!frame || frame.functionName === '(idle)') continue;
    total += time;
    const group = groupOf(frame.functionName, frame.url);
    const functions = groups.get(group) ?? new Map<string, number>();
    groups.set(group, functions);
    const name = frame.functionName || 'anonymous';
    functions.set(name, (functions.get(name) ?? 0) + time);
  }
  return [...groups]
    .map(([group, functions]) => ({
      group,
      part: [...functions.values()].reduce((sum, time) => sum + time, 0) / total,
      most: [...functions]
        .sort(([, a], [, b]) => b - a)
        .slice(0, 4)
        .map(([name, time]) => `${name} ${((time * 100) / total).toFixed(1)}`),
    }))
    .sort((a, b) => b.part - a.part);
}

function groupOf(name: string, url: string): string {
  if (name === '(garbage collector)') return 'collecting garbage';
  if (name === '(program)') return 'native code and system calls';
  if (url.includes('/dist/')) return 'qrconnect';
  const parts = /\/node_modules\/((?:@[^/]+\/)?[^/]+)\/(?!.*\/node_modules\/)/.exec(url);
  if (parts) return parts[1] as string;
  if (/^node:(internal\/)?crypto|^node:internal\/webcrypto/.test(url)) return 'Node: crypto';
  if (/^node:(_http|net|internal\/(streams|stream_base|http))/.test(url)) return 'Node: HTTP, sockets, streams';
  if (/async_hooks|async_local_storage|process\/promises|task_queues/.test(url)) return 'Node: async hooks, promises';
  return url.startsWith('node:') ? 'Node: other' : 'built-in functions';
}
