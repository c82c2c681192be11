/** Starts and stops the process, nothing else. */
import './quiet-warnings.js';
import { createApp } from './app.js';
import { type Config, ConfigError, loadConfig } from './config.js';
import { type EmbeddedPostgres, startEmbeddedPostgres } from './database/embedded.js';
import { type Demo, startDemo } from './demo.js';
import { announce } from './start-up.js';

/** EX_CONFIG of sysexits.h. */
const EXIT_CONFIG = 78;

async function main(): Promise<void> {
  const config = loadConfig();
  const embedded = config.databaseUrl ? undefined : await startEmbeddedPostgres({ dataDir: config.dataDir });
  try {
    await run(config, config.databaseUrl ?? (embedded as EmbeddedPostgres).url, embedded);
  } catch (error) {
    // A start that failed leaves nothing behind, unless another server uses the same Postgres.
    await embedded?.stopIfUnused();
    throw error;
  }
}

async function run(config: Config, databaseUrl: string, embedded: EmbeddedPostgres | undefined): Promise<void> {
  const app = await createApp(config, databaseUrl);
  const guard = embedded && keepAlive(embedded);
  let demo: Demo | undefined;
  let setupToken: string | undefined;
  try {
    // Before anything is answered, so that no stop comes in between.
    setupToken = await app.administrators.bootstrap(config.admin);
    await new Promise<void>((resolve, reject) => {
      app.server.once('error', reject);
      app.server.listen({ port: config.port, host: config.host, backlog: 4096 }, resolve);
    });
    demo = config.demo ? await startDemo(config, app) : undefined;
  } catch (error) {
    clearInterval(guard);
    await app.stop();
    throw error;
  }
  let stopping = false;
  const stop = () => {
    // The second signal does not wait.
    if (stopping) process.exit(1);
    stopping = true;
    clearInterval(guard);
    Promise.resolve(demo?.stop())
      .then(() => app.stop())
      .then(() => embedded?.stop())
      .then(() => process.exit(0), fail);
  };
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);
  announce(config, { demo, setupToken, notes: embedded?.notes ?? [] });
}

/** The private Postgres is ours to look after: if it dies, requests answer 503 until this brings it back. */
function keepAlive(embedded: EmbeddedPostgres): NodeJS.Timeout {
  return setInterval(() => {
    embedded
      .ensureRunning()
      .catch((error: Error) => process.stderr.write(`The private Postgres is down: ${error.message}\n`));
  }, 1_000).unref();
}

function fail(error: unknown): void {
  if (error instanceof ConfigError) {
    process.stderr.write(`${error.message}\n`);
    process.exit(EXIT_CONFIG);
  }
  const { code, port } = error as { code?: string; port?: number };
  process.stderr.write(
    code === 'EADDRINUSE'
      ? `Port ${port} is in use. Stop what uses it, or set PORT (and DEMO_PORT) to free ones.\n`
      : `qrconnect could not start: ${describe(error)}\n`,
  );
  process.exit(1);
}

/** The message and its causes; Node's AggregateError (every address refused) has none of its own. */
function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const own = error instanceof AggregateError ? error.errors.map(describe).join(', ') : error.message;
  return error.cause === undefined ? own : `${own} (${describe(error.cause)})`;
}

main().catch(fail);
