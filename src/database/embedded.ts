/** The private Postgres of a server without DATABASE_URL: starts or adopts it, keeps it alive, stops it. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { findPackage, prepareBinaries } from './embedded-binaries.js';
import { createCluster } from './embedded-cluster.js';
import { embeddedFailure } from './embedded-failure.js';
import { isBrokenConnection, Keeper } from './embedded-keeper.js';
import { type Location, openLocation } from './embedded-location.js';
import { withLock } from './embedded-lock.js';
import { isRunning } from './embedded-process.js';
import { findServer, type Server, startServer, stopServer } from './embedded-server.js';
import { prepareSocketDir, socketFile, socketUrl } from './embedded-socket.js';

export interface EmbeddedPostgres {
  /** Understood by pg and by knex. */
  url: string;
  /** Lines worth printing at start-up. */
  notes: string[];
  /** False when a running server was adopted. */
  started: boolean;
  /** Cheap when the server lives; starts it again when it died. */
  ensureRunning(): Promise<void>;
  /** Stops the server, an adopted one too. */
  stop(): Promise<void>;
  /** Stops it only if nobody else is connected, whoever started it; close your own connections first. */
  stopIfUnused(): Promise<void>;
}

export interface EmbeddedOptions {
  dataDir: string;
  settings?: Record<string, string>;
  /** Where root keeps what the database's user could not reach under `dataDir`. */
  sharedDir?: string;
}

/** A server may die between being ready and being asked; then it is started once more. */
const ATTEMPTS = 3;

export async function startEmbeddedPostgres(options: EmbeddedOptions): Promise<EmbeddedPostgres> {
  if (process.platform === 'win32') {
    throw new Error(
      'There is no private Postgres on Windows: set DATABASE_URL to a Postgres of your own (or use WSL).',
    );
  }
  const location = openLocation(options.dataDir, options.sharedDir ?? '/var/lib/qrconnect');
  const supervisor = new Supervisor(location, options.settings ?? {});
  await supervisor.bringUp();
  return supervisor;
}

class Supervisor implements EmbeddedPostgres {
  url = '';
  started = false;
  readonly notes: string[];
  #server: Server | undefined;
  #keeper: Keeper | undefined;
  #reviving: Promise<void> | undefined;
  #ending: Promise<void> | undefined;

  constructor(
    private readonly location: Location,
    private readonly settings: Record<string, string>,
  ) {
    this.notes = [...location.notes];
  }

  async bringUp(): Promise<void> {
    try {
      await this.#alone(() => this.#findOrStart());
    } catch (error) {
      const { syscall, message } = error as NodeJS.ErrnoException;
      if (!syscall) throw error;
      throw embeddedFailure('Preparing the private database', message, this.location, error as Error);
    }
  }

  ensureRunning(): Promise<void> {
    if (this.#ending) return Promise.reject(new Error('The private Postgres was stopped by this process.'));
    if (this.#isAlive()) return Promise.resolve();
    this.#reviving ??= this.bringUp().finally(() => {
      this.#reviving = undefined;
    });
    return this.#reviving;
  }

  stop(): Promise<void> {
    return this.#end(async () => true);
  }

  stopIfUnused(): Promise<void> {
    return this.#end(async () => (await this.#keeper?.isAlone()) === true);
  }

  /** The lock is held from the question to the stop, so nobody adopts the server in between. */
  #end(mayStop: () => Promise<boolean>): Promise<void> {
    this.#ending ??= (async () => {
      await this.#reviving?.catch(() => {});
      await this.#alone(async () => {
        const stopping = await mayStop();
        await this.#keeper?.end();
        // Not the one we know of: somebody else may have restarted it.
        const server = stopping && (await findServer(this.location));
        if (server) await stopServer(this.location, server);
      });
    })();
    return this.#ending;
  }

  async #findOrStart(): Promise<void> {
    let started = false;
    for (let attempt = 1; ; attempt++) {
      const running = await findServer(this.location);
      const server = running ?? (await this.#start());
      started ||= !running;
      try {
        this.#keeper = await Keeper.connect(server.socketDir);
        return this.#use(server, started);
      } catch (error) {
        if (attempt < ATTEMPTS && isBrokenConnection(error)) continue;
        if (started) await stopServer(this.location, server);
        throw error;
      }
    }
  }

  #use(server: Server, started: boolean): void {
    this.location.record();
    if (!started) this.#note(`Uses the Postgres that already runs for this folder (pid ${server.pid ?? 'unknown'})`);
    this.#server = server;
    this.url = socketUrl(server.socketDir, 'app');
    this.started = started;
  }

  async #start(): Promise<Server> {
    const { account, copyHome, data } = this.location;
    const { postgres, initdb, notes } = await prepareBinaries(findPackage(), account, copyHome);
    const since = Date.now();
    const created = await createCluster(this.location, initdb);
    this.#note(...notes);
    if (created) this.#note(`Created a new database in ${data} (${((Date.now() - since) / 1000).toFixed(1)} s)`);
    // After a restart, the pools of this process look for the server where it was.
    const socketDir = prepareSocketDir(this.location, this.#server?.socketDir);
    return startServer(this.location, postgres, socketDir, this.settings);
  }

  #isAlive(): boolean {
    const server = this.#server;
    if (!server || !this.#keeper?.alive) return false;
    return existsSync(socketFile(server.socketDir)) && (server.pid === undefined || isRunning(server.pid));
  }

  /** About the first start only. */
  #note(...lines: string[]): void {
    if (!this.#server) this.notes.push(...lines);
  }

  #alone<T>(work: () => Promise<T>): Promise<T> {
    return withLock(join(this.location.dir, 'start.lock'), work);
  }
}
