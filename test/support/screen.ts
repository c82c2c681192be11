/** What stands on a screen: the QR code read from its pixels, the waiting box inside or outside a frame. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { FrameLocator, Page } from 'playwright-core';
import { expect } from 'vitest';
import { readQr } from '../../src/cli/read-qr.js';

type Place = Page | FrameLocator;

/** The address in the QR code on this screen; waits until the box shows one. */
export async function scanScreen(page: Page, place: Place = page): Promise<string> {
  await place.locator('#box[data-phase=waiting] #qr svg').waitFor();
  const folder = mkdtempSync(join(tmpdir(), 'qrconnect-screen-'));
  try {
    const file = join(folder, 'screen.png');
    await page.screenshot({ path: file, animations: 'disabled' });
    const { origin, scanToken } = await readQr(file);
    return `${origin}/s/${scanToken}`;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Another code than `before`: what the page draws after the old one ended. */
export async function scanFreshCode(page: Page, place: Place, before: string, timeout = 15_000): Promise<string> {
  let found = before;
  const look = async () => {
    if (await place.locator('#box[data-phase=waiting]').isVisible()) found = await scanScreen(page, place);
    return found;
  };
  await expect.poll(look, { timeout, interval: 100 }).not.toBe(before);
  return found;
}

/** The two digits to type on the phone. */
export async function matchCodeOn(place: Place): Promise<string> {
  const code = place.locator('#match-code');
  await code.waitFor();
  return (await code.textContent()) ?? '';
}

/** The frame of either widget; `<qr-connect>` keeps its own in a shadow root. */
export function widgetFrame(page: Page): FrameLocator {
  return page.frameLocator('iframe');
}
