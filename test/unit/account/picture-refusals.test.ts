import { deflateSync } from 'node:zlib';
import { beforeAll, describe, expect, it } from 'vitest';
import { encodePicture } from '../../../src/account/picture.js';
import { readPictureHeader } from '../../../src/account/picture-header.js';
import { AppError } from '../../../src/error.js';
import * as make from '../../support/pictures.js';
import { quarters } from '../../support/pictures.js';

const MIB = 1024 * 1024;

/** The refusal's words; anything but a refusal fails the test. */
async function refusal(file: Buffer): Promise<string> {
  const error = await encodePicture(file).then(
    () => undefined,
    (reason) => reason,
  );
  expect(error).toBeInstanceOf(AppError);
  expect((error as AppError).code).toBe('invalid_request');
  return (error as AppError).message;
}

const jpegFrame = (width: number, height: number, components = 3, marker = 0xc0, precision = 8) => {
  const frame = Buffer.alloc(6 + 3 * components);
  frame.set([precision, height >> 8, height & 255, width >> 8, width & 255, components]);
  return make.jpegSegment(marker, frame);
};
const jpegOf = (...segments: Buffer[]) =>
  Buffer.concat([
    Buffer.from([0xff, 0xd8]),
    ...segments,
    make.jpegSegment(0xda, Buffer.from([1, 1, 0, 0, 63, 0])),
    Buffer.from([0, 0xff, 0xd9]),
  ]);
const vp8l = (width: number, height: number) => {
  const data = Buffer.alloc(6);
  data[0] = 0x2f;
  data.writeUInt32LE(((height - 1) << 14) | (width - 1), 1);
  return make.riffChunk('VP8L', data);
};
const idat = make.pngChunk('IDAT', deflateSync(Buffer.alloc(1000)));

describe('a file that is no picture we take', () => {
  it.each([
    ['an empty file', ''],
    ['words', 'hello, this is photo.jpg'],
    ['SVG', '<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'],
    ['HTML', '<!doctype html><script>alert(1)</script>'],
    ['GIF', 'GIF89a\x01\0\x01\0\x80\0\0\0\0\0\xff\xff\xff!\xf9\x04\x01\0\0\0\0,\0\0\0\0\x01\0\x01\0\0\x02\x01D\0;'],
    ['BMP', 'BM\x3a\0\0\0\0\0\0\0\x36\0\0\0'],
    ['AVIF', '\0\0\0\x20ftypavif\0\0\0\0'],
    ['HEIC', '\0\0\0\x20ftypheic\0\0\0\0'],
    ['TIFF', 'II*\0\x08\0\0\0'],
    ['a RIFF file that is sound', 'RIFF\x24\0\0\0WAVEfmt '],
    ['a signature behind a space', ' \xff\xd8\xff\xe0'],
  ])('T60 is refused when it is %s, naming the formats', async (_what, text) => {
    expect(await refusal(Buffer.from(text, 'latin1'))).toMatch(/JPEG, PNG or WebP/);
  });

  it('T60 is refused when only its first bytes are those of a picture', async () => {
    for (const magic of ['ffd8ffe0', '89504e470d0a1a0a', '52494646ffffffff57454250']) {
      const html = Buffer.concat([Buffer.from(magic, 'hex'), Buffer.from('<script>alert(1)</script>'.repeat(9))]);
      expect(await refusal(html)).toMatch(/save/);
    }
  });
});

describe('a picture that is too much', () => {
  it('is refused above 5 MiB before anything else of it is looked at', async () => {
    expect(await refusal(Buffer.concat([make.toPng(quarters(50)), Buffer.alloc(5 * MIB)]))).toMatch(/at most 5 MiB/);
    // What follows the end of a PNG is nothing to anybody.
    const png = make.toPng(quarters(50));
    expect((await encodePicture(Buffer.concat([png, Buffer.alloc(5 * MIB - png.length)]))).size).toBe(5);
  });

  it.each([
    ['PNG', make.pngOf({ width: 60_000, height: 60_000 }, idat)],
    ['PNG of the largest numbers there are', make.pngOf({ width: 0xffffffff, height: 0xffffffff }, idat)],
    ['JPEG', jpegOf(jpegFrame(65_535, 65_535))],
    ['progressive JPEG', jpegOf(jpegFrame(65_535, 65_535, 3, 0xc2))],
    ['lossless WebP', make.webpOf(vp8l(16_384, 16_384))],
    ['extended WebP', make.webpOf(make.vp8x(16_384, 16_384, 0), vp8l(16_384, 16_384))],
  ])('T60 is refused by its header when it is a %s bomb', async (_what, file) => {
    expect(file.length).toBeLessThan(2000);
    expect(await refusal(file)).toMatch(/at most 25 megapixels/);
  });

  it('T60 is refused when pixels really stand behind 26 megapixels', async () => {
    const [width, height] = [5200, 5000];
    const pixels = make.pngChunk('IDAT', deflateSync(Buffer.alloc((width + 1) * height)));
    expect(pixels.length).toBeLessThan(100_000);
    expect(await refusal(make.pngOf({ width, height, colour: 0 }, pixels))).toMatch(/25 megapixels/);
  });

  it('is measured in bytes a channel as well', () => {
    expect(readPictureHeader(make.pngOf({ width: 5000, height: 5000 }, idat)).width).toBe(5000);
    const half = { width: 5000, height: 2500, depth: 16 };
    expect(readPictureHeader(make.pngOf(half, idat)).height).toBe(2500);
    expect(() => readPictureHeader(make.pngOf({ ...half, height: 2501 }, idat))).toThrow(/half of that with 16 bits/);
    expect(() => readPictureHeader(make.pngOf({ width: 5000, height: 5001 }, idat))).toThrow(/25 megapixels/);
  });

  it('T60 inflates no colour profile and no text', () => {
    const bomb = deflateSync(Buffer.alloc(64 * MIB));
    const extra = ['iCCP', 'zTXt', 'iTXt'].map((type) =>
      make.pngChunk(type, Buffer.concat([Buffer.from('x\0\0'), bomb])),
    );
    const plain = make.toPng(quarters(50));
    expect(readPictureHeader(make.withChunks(plain, ...extra)).file.length).toBeLessThanOrEqual(plain.length);
  });

  it('T60 is refused when it is a progressive JPEG of very many scans', async () => {
    const [side, blocks] = [1600, 40_000];
    const table = (kind: number, symbol: number) =>
      make.jpegSegment(0xc4, Buffer.concat([Buffer.from([kind, 1]), Buffer.alloc(15), Buffer.from([symbol])]));
    // Two runs of up to 32,767 blocks without coefficients: a scan of the whole picture in a few bytes.
    const scan = Buffer.concat([
      make.jpegSegment(0xda, Buffer.from([1, 1, 0, 1, 63, 0])),
      Buffer.from([0x7f, 0xfe, 0xff, 0x00, 0xff, 0x00]),
    ]);
    const head = [
      Buffer.from([0xff, 0xd8]),
      make.jpegSegment(0xdb, Buffer.concat([Buffer.from([0]), Buffer.alloc(64, 1)])),
      make.jpegSegment(0xc2, Buffer.from([8, side >> 8, side & 255, side >> 8, side & 255, 1, 1, 0x11, 0])),
      table(0x00, 0),
      table(0x10, 0xe0),
      make.jpegSegment(0xda, Buffer.from([1, 1, 0, 0, 0, 0])),
      Buffer.alloc(blocks / 8 + 1),
    ];
    const withScans = (count: number) =>
      Buffer.concat([...head, ...Array(count).fill(scan), Buffer.from([0xff, 0xd9])]);
    expect((await encodePicture(withScans(3))).size).toBe(5);
    expect(await refusal(withScans(20_000))).toMatch(/cannot be decoded/);
  });
});

describe('a picture of an uncommon kind', () => {
  it.each([
    ['CMYK', jpegOf(jpegFrame(64, 64, 4)), /CMYK.*save it with RGB/],
    ['arithmetic coding', jpegOf(jpegFrame(64, 64, 3, 0xc9)), /save the picture as an ordinary JPEG/],
    ['lossless JPEG', jpegOf(jpegFrame(64, 64, 3, 0xc3)), /ordinary JPEG/],
    ['12 bits', jpegOf(jpegFrame(64, 64, 3, 0xc1, 12)), /ordinary JPEG/],
    ['two components', jpegOf(jpegFrame(64, 64, 2)), /ordinary JPEG/],
    ['an animated PNG', make.withChunks(make.toPng(quarters(8)), make.pngChunk('acTL', Buffer.alloc(8))), /one image/],
    ['an animated WebP', make.webpOf(make.vp8x(8, 8, 2), make.riffChunk('ANIM', Buffer.alloc(6))), /one image/],
    ['a WebP of frames', make.webpOf(vp8l(8, 8), make.riffChunk('ANMF', Buffer.alloc(16))), /one image/],
  ])('is refused when it is %s, naming the fix', async (_what, file, words) => {
    expect(await refusal(file)).toMatch(words);
  });
});

describe('a damaged picture', () => {
  let whole: Record<string, Buffer>;
  beforeAll(async () => {
    const pixels = quarters(48);
    whole = {
      jpeg: make.toJpeg(pixels),
      png: make.toPng(pixels),
      webp: await make.toWebp(pixels),
      lossyWebp: await make.toLossyWebp(pixels),
    };
  });

  it.each(['jpeg', 'png', 'webp', 'lossyWebp'])('is refused wherever it is cut off: %s', async (format) => {
    const file = whole[format] as Buffer;
    expect((await encodePicture(file)).size).toBe(5);
    for (let length = 0; length < file.length; length += 1) {
      expect(() => readPictureHeader(file.subarray(0, length)), `${length} of ${file.length} bytes`).toThrow(AppError);
    }
    expect(await refusal(file.subarray(0, file.length >> 1))).toMatch(/damaged or cut off; save the picture again/);
  });

  it.each(['jpeg', 'png', 'webp', 'lossyWebp'])(
    'is made into a picture or refused, whatever is broken: %s',
    async (format) => {
      const file = whole[format] as Buffer;
      let state = 7;
      const next = (below: number) => {
        state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
        return Math.floor((state / 2 ** 32) * below);
      };
      for (let round = 0; round < 60; round += 1) {
        const broken = Buffer.from(file);
        for (let i = next(6); i >= 0; i -= 1) broken[12 + next(file.length - 12)] = next(256);
        const outcome = await encodePicture(broken).catch((error: unknown) => error);
        if (outcome instanceof Error) expect(outcome).toMatchObject({ name: 'AppError', code: 'invalid_request' });
        else expect((outcome as ReadonlyMap<number, Buffer>).size).toBe(5);
      }
    },
  );

  it.each([
    ['a JPEG of two sizes', jpegOf(jpegFrame(64, 64), jpegFrame(60_000, 60_000))],
    ['a JPEG without a size', jpegOf()],
    ['a JPEG whose height comes later', jpegOf(jpegFrame(64, 0))],
    ['a JPEG with bytes between its segments', jpegOf(jpegFrame(64, 64), Buffer.from([0, 0, 0]))],
    ['a JPEG with a restart before its scan', jpegOf(jpegFrame(64, 64), Buffer.from([0xff, 0xd0]))],
    ['a PNG that begins otherwise', make.withChunks(make.toPng(quarters(8)), make.pngChunk('IHDR', Buffer.alloc(13)))],
    ['a PNG of no width', make.pngOf({ width: 0, height: 9 }, idat)],
    ['a WebP of two sizes', make.webpOf(make.vp8x(64, 64, 0), vp8l(16_384, 16_384))],
    ['a WebP of two images', make.webpOf(vp8l(64, 64), vp8l(16_384, 16_384))],
    ['a WebP of none', make.webpOf(make.vp8x(64, 64, 0))],
  ])('is refused when it is %s', async (_what, file) => {
    expect(await refusal(file)).toMatch(/damaged or cut off/);
  });

  it('is refused when its pixels are', async () => {
    const short = make.pngOf({ width: 64, height: 64 }, make.pngChunk('IDAT', deflateSync(Buffer.alloc(500))));
    expect(await refusal(short)).toMatch(/cannot be decoded; save it again/);
  });
});
