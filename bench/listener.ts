/** A node as far as nudges go, in a process of its own, started by notify.ts: it listens, reads what moved, and says when. */
import { once } from 'node:events';
import { openDatabase } from '../src/database/database.js';
import { createNudge } from '../src/ticket/nudge.js';
import { createTicketStore } from '../src/ticket/ticket-store.js';
import { createTicketWatcher } from '../src/ticket/ticket-watcher.js';

const [databaseUrl] = process.argv.slice(2) as [string];
const asked = once(process, 'message');
const database = openDatabase(databaseUrl);
const nudge = await createNudge(database, (error) => console.error(error));
const store = createTicketStore(database);
const watcher = createTicketWatcher(store, nudge, (error) => console.error(error));
let told: Array<[string, number]> = [];

const [ticketIds] = (await asked) as [string[]];
const watchOne = async (id: string) => {
  const read = async () => {
    const found = await store.find(id);
    if (!found) throw new Error('no such ticket');
    return found;
  };
  // The machine's clock since it started: the same for every process.
  await watcher.watch(id, read, () => void told.push([id, Number(process.hrtime.bigint() / 1000n)]));
};
// A few hundred at once: on a busy machine more would wait longer than a statement may.
for (let i = 0; i < ticketIds.length; i += 200) await Promise.all(ticketIds.slice(i, i + 200).map(watchOne));
// Whoever started it has ended.
process.once('disconnect', () => process.exit());
process.on('message', () => {
  process.send?.(told);
  told = [];
});
process.send?.('ready');
