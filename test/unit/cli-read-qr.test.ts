import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import jpeg from 'jpeg-js';
import { PNG } from 'pngjs';
import qrcode from 'qrcode';
import { afterAll, describe, expect, it } from 'vitest';
import { parseScanUrl, readQr } from '../../src/cli/read-qr.js';

const TOKEN = 'AbCdEfGhIjKlMnOpQrStUvWxYz0123456789-_AbCdE';
const URL_IN_CODE = `http://localhost:3000/s/${TOKEN}`;
const folder = mkdtempSync(join(tmpdir(), 'qr-'));
afterAll(() => rmSync(folder, { recursive: true }));

function save(name: string, data: Buffer): string {
  const file = join(folder, name);
  writeFileSync(file, data);
  return file;
}

/** A page of lines of "text" with the code as a small part of it. */
async function screenshot(width: number, height: number, codeWidth: number, transparent = false): Promise<PNG> {
  const code = PNG.sync.read(
    await qrcode.toBuffer(URL_IN_CODE, { width: codeWidth, color: { light: transparent ? '#ffffff00' : '#ffffffff' } }),
  );
  const page = new PNG({ width, height });
  page.data.fill(transparent ? 0 : 0xf4);
  if (!transparent) {
    for (let y = 20; y < height; y += 24) {
      for (let x = 30; x < width - 30; x++)
        if ((x * 7 + y * 3) % 11 < 5) page.data.fill(0x20, (y * width + x) * 4, (y * width + x) * 4 + 3);
    }
  }
  PNG.bitblt(code, page, 0, 0, code.width, code.height, Math.floor((width - code.width) / 2), 90);
  return page;
}

describe('a QR url', () => {
  it('is taken apart into origin and scan token', () => {
    expect(parseScanUrl(URL_IN_CODE)).toEqual({ origin: 'http://localhost:3000', scanToken: TOKEN });
  });

  it.each([
    `http://localhost:3000/x/${TOKEN}`,
    `http://localhost:3000/s/${TOKEN}/more`,
    `http://localhost:3000/s/${TOKEN}?x=1`,
    `http://localhost:3000/s/${TOKEN}#x`,
    `http://user@localhost:3000/s/${TOKEN}`,
    `http://localhost:3000\\/s/${TOKEN}`,
    `javascript://localhost/s/${TOKEN}`,
    ` ${URL_IN_CODE}`,
    'http://localhost:3000/s/',
    'hello',
  ])('is refused as %j', (text) => {
    expect(() => parseScanUrl(text)).toThrow(expect.objectContaining({ code: 'invalid_qr_url' }));
  });
});

describe('an image file', () => {
  it('is read as PNG', async () => {
    const file = save('code.png', PNG.sync.write(await screenshot(300, 400, 200)));
    expect((await readQr(file)).scanToken).toBe(TOKEN);
  });

  it('is read when the code is a small part of a screenshot of the whole page', async () => {
    const file = save('page.png', PNG.sync.write(await screenshot(1920, 1080, 180)));
    expect((await readQr(file)).scanToken).toBe(TOKEN);
  });

  it('is read as JPEG', async () => {
    const { data } = jpeg.encode(await screenshot(1280, 800, 200), 70);
    expect((await readQr(save('page.jpg', data))).scanToken).toBe(TOKEN);
  });

  it('is read on a transparent background', async () => {
    const file = save('transparent.png', PNG.sync.write(await screenshot(400, 400, 220, true)));
    expect((await readQr(file)).scanToken).toBe(TOKEN);
  });

  it('without a code is refused as no_qr_code', async () => {
    const page = new PNG({ width: 400, height: 300 });
    page.data.fill(0xff);
    await expect(readQr(save('empty.png', PNG.sync.write(page)))).rejects.toMatchObject({ code: 'no_qr_code' });
  });

  it.each([
    ['no image', Buffer.from('root:x:0:0')],
    ['a torn PNG', Buffer.from([0x89, 0x50, 0x4e, 0x47, 13, 10, 26, 10, 0, 0])],
    ['a torn JPEG', Buffer.from([0xff, 0xd8, 0xff, 0xe0, 0, 1])],
  ])('that is %s is refused as image_unreadable', async (_what, data) => {
    await expect(readQr(save('broken', data))).rejects.toMatchObject({ code: 'image_unreadable' });
  });

  it('that is not there is refused as image_unreadable', async () => {
    await expect(readQr(join(folder, 'missing.png'))).rejects.toMatchObject({ code: 'image_unreadable' });
  });
});
