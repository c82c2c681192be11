import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { projectRoot } from '../../../src/project-root.js';
import { TicketService } from '../../../src/ticket/ticket-service.js';
import type { NewTicket, TicketStore } from '../../../src/ticket/ticket-store.js';

describe('the secrets of a ticket', () => {
  it('T3 makes ten thousand tickets that have nothing in common', async () => {
    const rows: NewTicket[] = [];
    const store = {
      insert: async (row: NewTicket) => {
        rows.push(row);
        return { ticket: { expiresAt: new Date(1) }, now: new Date(0) };
      },
    } as unknown as TicketStore;
    const service = new TicketService({
      store,
      nudge: {} as never,
      watcher: {} as never,
      caps: {} as never,
      pendingSeconds: 120,
      requestLives: async () => true,
    });
    const input = {
      door: 'embed',
      requestUid: 'r',
      requestEndsAt: new Date(),
      clientId: 'c',
      matchRequired: true,
      addressKey: undefined,
    } as const;
    const openedFrom = { address: '192.0.2.1', browser: { name: 'x', system: 'x' } };
    const opened = await Promise.all(Array.from({ length: 10_000 }, () => service.open({ ...input, openedFrom })));
    for (const [name, bytes] of [
      ['id', 16],
      ['scanToken', 20],
      ['waitSecret', 32],
    ] as const) {
      const values = opened.map((ticket) => Buffer.from(ticket[name], 'base64url'));
      expect(new Set(opened.map((ticket) => ticket[name])).size).toBe(10_000);
      expect(opened.every((ticket) => ticket[name].length >= 22)).toBe(true);
      expect(values.every(({ length }) => length === bytes)).toBe(true);
      for (let bit = 0; bit < bytes * 8; bit += 1) {
        const ones = values.filter((value) => ((value[bit >> 3] as number) >> (bit & 7)) & 1).length;
        expect(Math.abs(ones - 5_000), `${name} bit ${bit}`).toBeLessThan(500);
      }
    }
    const secrets = opened.flatMap(({ scanToken, waitSecret }) => [scanToken, waitSecret]);
    const stored = JSON.stringify(rows);
    expect(secrets.slice(0, 200).some((secret) => stored.includes(secret))).toBe(false);
  });

  it('T3 draws no number in this code from Math.random, a clock or a sequence', () => {
    const sources = readdirSync(join(projectRoot, 'src'), { recursive: true, encoding: 'utf8' }).filter((name) =>
      name.endsWith('.ts'),
    );
    expect(sources.length).toBeGreaterThan(50);
    for (const name of sources) {
      const text = readFileSync(join(projectRoot, 'src', name), 'utf8');
      expect(text, name).not.toMatch(
        /Math\.random|from 'uuid'|require\('uuid'\)|nextval\(|gen_random_uuid|uuidv?[17]\b/,
      );
    }
  });
});
