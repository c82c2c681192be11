/** The QR code as a PNG (ISO/IEC 15948), for places that take no SVG: one bit a pixel, in half a millisecond. */
import { crc32, deflateSync } from 'node:zlib';
import { create } from 'qrcode';

const SIGNATURE = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
/** Modules of quiet zone, as ISO/IEC 18004 asks for; pixels of a module, and so bytes of eight modules. */
const MARGIN = 4;
const SCALE = 8;

/** As a data URL: a picture with an address of its own could be fetched by whoever knows it (T36). */
export function drawQrPng(url: string): string {
  const { size, data } = create(url, { errorCorrectionLevel: 'M' }).modules;
  const side = (size + 2 * MARGIN) * SCALE;
  // A byte of filter type, then eight pixels a byte: with a scale of eight, a byte is a module.
  const stride = 1 + side / 8;
  const pixels = Buffer.alloc(stride * side, 0xff);
  for (let y = 0; y < side; y += 1) {
    const line = pixels.subarray(y * stride, (y + 1) * stride);
    line[0] = 0;
    const row = Math.floor(y / SCALE) - MARGIN;
    if (row < 0 || row >= size) continue;
    for (let column = 0; column < size; column += 1) {
      if (data[row * size + column]) line[1 + MARGIN + column] = 0;
    }
  }
  const header = Buffer.alloc(13);
  header.writeUInt32BE(side, 0);
  header.writeUInt32BE(side, 4);
  // Bit depth 1, greyscale; the one compression, filter and interlace there is.
  header[8] = 1;
  const file = [SIGNATURE, chunk('IHDR', header), chunk('IDAT', deflateSync(pixels)), chunk('IEND', Buffer.alloc(0))];
  return `data:image/png;base64,${Buffer.concat(file).toString('base64')}`;
}

function chunk(type: string, data: Buffer): Buffer {
  const whole = Buffer.alloc(12 + data.length);
  whole.writeUInt32BE(data.length, 0);
  whole.write(type, 4, 'latin1');
  data.copy(whole, 8);
  whole.writeUInt32BE(crc32(whole.subarray(4, 8 + data.length)), 8 + data.length);
  return whole;
}
