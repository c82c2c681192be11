/** For whose address a ticket counts, and the two counts that bound how many are open (T76). */
import type { Knex } from 'knex';

export async function up(knex: Knex): Promise<void> {
  await knex.raw('ALTER TABLE ticket ADD COLUMN address_key text');
  // Both are read from the index alone. The table holds one day, so they are built in a moment, inside the transaction:
  // built CONCURRENTLY they would wait for the nodes that start beside this one, and those wait for it.
  await knex.raw('CREATE INDEX ticket_address ON ticket (address_key, expires_at) WHERE address_key IS NOT NULL');
  await knex.raw('CREATE INDEX ticket_ends ON ticket (expires_at, client_id)');
  await knex.raw('DROP INDEX ticket_expires');
}

export async function down(knex: Knex): Promise<void> {
  await knex.raw('CREATE INDEX ticket_expires ON ticket (expires_at)');
  await knex.raw('DROP INDEX ticket_ends');
  await knex.raw('DROP INDEX ticket_address');
  await knex.raw('ALTER TABLE ticket DROP COLUMN address_key');
}
