/** One idle connection held while we use the private Postgres: others see we are here, we see it die. */
import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';
import { socketUrl } from './embedded-socket.js';

/** Methods that the type package does not know. */
type Unrefable = pg.Client & { ref(): void; unref(): void };

/** A connection that was just ended stays listed for a moment. */
const LEAVING = 300;

export class Keeper {
  #alive = true;

  private constructor(private readonly client: Unrefable) {
    client.once('end', () => {
      this.#alive = false;
    });
    client.unref(); // it must not keep a command line program from ending
  }

  /** Creates the database `app` where a first start was cut short before it did. */
  static async connect(socketDir: string): Promise<Keeper> {
    try {
      return new Keeper(await connect(socketDir, 'app'));
    } catch (error) {
      if ((error as { code?: string }).code !== '3D000') throw error;
    }
    const client = await connect(socketDir, 'postgres');
    try {
      await client.query('CREATE DATABASE app');
    } finally {
      await client.end();
    }
    return new Keeper(await connect(socketDir, 'app'));
  }

  get alive(): boolean {
    return this.#alive;
  }

  /** True when the server is there and nobody else is connected. */
  async isAlone(): Promise<boolean> {
    if (!this.#alive) return false;
    this.client.ref();
    const deadline = Date.now() + LEAVING;
    const others = `SELECT FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()`;
    try {
      while ((await this.client.query(others)).rowCount !== 0) {
        if (Date.now() > deadline) return false;
        await delay(20);
      }
      return true;
    } catch (error) {
      if (isBrokenConnection(error)) return false;
      throw error;
    }
  }

  async end(): Promise<void> {
    this.client.ref();
    if (this.#alive) await this.client.end();
  }
}

/** The server went away, or is on its way down or up. */
export function isBrokenConnection(error: unknown): boolean {
  const { code = '', message } = error as { code?: string; message: string };
  return (
    /^(ECONN|EPIPE|ENOENT|57P0)/.test(code) || /^Connection terminated|connection error|timeout expired/.test(message)
  );
}

async function connect(socketDir: string, database: string): Promise<Unrefable> {
  const client = new pg.Client({
    connectionString: socketUrl(socketDir, database),
    application_name: 'qrconnect supervisor',
    connectionTimeoutMillis: 10_000,
  });
  client.on('error', () => {}); // the death of the server is told by 'end'; without a listener it would end the process
  await client.connect();
  return client as Unrefable;
}
