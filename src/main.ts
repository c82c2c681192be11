/** Starts and stops the process, nothing else. */
import { createApp } from './app.js';
import { ConfigError, loadConfig } from './config.js';
import { type EmbeddedPostgres, startEmbeddedPostgres } from './database/embedded.js';
import { announce } from './start-up.js';
import { startDemo } from './demo.js';

/** EX_CONFIG of sysexits.h. */
const EXIT_CONFIG = 78;

async function main(): Promise<void> {
  const config = loadConfig();
  const embedded = config.databaseUrl ? undefined : await startEmbeddedPostgres({ dataDir: config.dataDir });
  const app = await createApp(config, config.databaseUrl ?? (embedded as EmbeddedPostgres).url);
  const guard = embedded && keepAlive(embedded);
  const stopDemo = config.demo ? await startDemo(config, app) : undefined;
  await new Promise<void>((resolve, reject) => {
    app.server.once('error', reject);
    app.server.listen({ port: config.port, host: config.host, backlog: 4096 }, resolve);
  });
  let stopping = false;
  const stop = () => {
    // The second signal does not wait.
    if (stopping) process.exit(1);
    stopping = true;
    clearInterval(guard);
    Promise.resolve(stopDemo?.())
      .then(() => app.stop())
      .then(() => embedded?.stop())
      .then(() => process.exit(0), fail);
  };
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);
  await announce(config, app, embedded?.notes ?? []);
}

/** The private Postgres is ours to look after: if it dies, requests answer 503 until this brings it back. */
function keepAlive(embedded: EmbeddedPostgres): NodeJS.Timeout {
  return setInterval(() => {
    embedded.ensureRunning().catch((error: Error) => process.stderr.write(`The private Postgres is down: ${error.message}\n`));
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
      ? `Port ${port} is in use. Stop what uses it, or set ${'PORT'} (and DEMO_PORT) to free ones.\n`
      : `qrconnect could not start: ${error instanceof Error ? (error.cause instanceof Error ? `${error.message} (${error.cause.message})` : error.message) : error}\n`,
  );
  process.exit(1);
}

main().catch(fail);
