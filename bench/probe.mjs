// Loaded into a measured server by --import: says over IPC what only the process itself knows. Changes nothing until asked.
import { Session } from 'node:inspector/promises';
import pg from 'pg';

let counts = {};
const query = pg.Client.prototype.query;
pg.Client.prototype.query = function counted(config, ...rest) {
  const name = typeof config === 'string' ? config : (config?.name ?? config?.text ?? 'other');
  counts[name] = (counts[name] ?? 0) + 1;
  return query.call(this, config, ...rest);
};

let session;
const ANSWERS = {
  memory: () => process.memoryUsage(),
  /** What is still in use, after everything else was collected. */
  collected: async () => {
    for (let i = 0; i < 3; i++) {
      globalThis.gc();
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    return process.memoryUsage();
  },
  /** Statements sent since the last time, by name. */
  queries: () => {
    const since = counts;
    counts = {};
    return since;
  },
  profile: async () => {
    session = new Session();
    session.connect();
    await session.post('Profiler.enable');
    await session.post('Profiler.setSamplingInterval', { interval: 500 });
    await session.post('Profiler.start');
  },
  profiled: async () => {
    const { profile } = await session.post('Profiler.stop');
    session.disconnect();
    return profile;
  },
};

process.on('message', async ({ id, ask }) => process.send({ id, answer: await ANSWERS[ask]() }));
// Listening for questions keeps no server alive.
process.channel.unref();
