/** The main story in few words: a page is shown, a phone allows it, a code comes out. */
import type { App } from '../../src/app.js';
import type { TestDatabase } from './database.js';
import { openPage, type WaitingPage } from './page.js';
import { type Phone, signIn } from './phone.js';

type Where = { url: string; port?: number };

let people = 0;

/** A new account with a signed-in phone. */
export async function person(
  app: App,
  where: Where,
  nickname = '张三😀',
): Promise<Phone & { accountId: string; username: string }> {
  people += 1;
  const username = `person${people}`;
  const account = await app.accounts.create('test', { username, password: 'a long enough one', nickname });
  return { ...(await signIn(where, username, 'a long enough one')), accountId: account.id, username };
}

/** Scans, reads the match code off the waiting page, allows. */
export async function approve(phone: Phone, page: WaitingPage): Promise<void> {
  const scanned = await phone.scan(page.qr);
  if (scanned.answer.status !== 200) throw new Error(`scan failed: ${scanned.answer.status} ${scanned.answer.body}`);
  const { match_code: matchCode } = (await page.status()).json<{ match_code?: string }>();
  const confirmed = await phone.confirm(scanned, matchCode);
  if (confirmed.status !== 200) throw new Error(`confirm failed: ${confirmed.status} ${confirmed.body}`);
}

/** From a page's parameters to the code at the end. */
export async function login(
  where: Where,
  phone: Phone,
  query: Record<string, string>,
): Promise<{ code: string; redirectTo: string; page: WaitingPage }> {
  const page = await openPage(where, query);
  await approve(phone, page);
  const redeemed = await page.redeem();
  if (redeemed.status !== 200) throw new Error(`redeem failed: ${redeemed.status} ${redeemed.body}`);
  const { code, redirect_to: redirectTo } = redeemed.json<{ code: string; redirect_to: string }>();
  return { code, redirectTo, page };
}

/** Ages every scan by an hour, so that one phone may sign in more often than its limit allows in one test. */
export async function forgetScans(database: TestDatabase): Promise<void> {
  await database.sql("UPDATE ticket SET scanned_at = scanned_at - interval '1 hour' WHERE scanned_at IS NOT NULL");
}
