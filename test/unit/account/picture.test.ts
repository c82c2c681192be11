import { deflateSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { encodePicture, type PictureSet } from '../../../src/account/picture.js';
import * as make from '../../support/pictures.js';
import { BLUE, colourAt, fromJpeg, GREEN, type Pixels, paint, quarters, RED, YELLOW } from '../../support/pictures.js';

const SIZES = [640, 46, 64, 96, 132];
const MARK = 'SECRET-48.8584N-2.2945E';

const at = (set: PictureSet, size: number) => fromJpeg(set.get(size) as Buffer);

/** The four corners of a picture, clockwise from the upper left. */
function corners(picture: Pixels): number[][] {
  return [
    colourAt(picture, 0.25, 0.25),
    colourAt(picture, 0.75, 0.25),
    colourAt(picture, 0.75, 0.75),
    colourAt(picture, 0.25, 0.75),
  ];
}

/** JPEG moves colours a little. */
function expectColours(found: number[][], expected: ReadonlyArray<readonly number[]>): void {
  found.forEach((colour, i) => {
    const distance = Math.max(...colour.map((value, c) => Math.abs(value - (expected[i]?.[c] ?? Number.NaN))));
    expect(distance, `place ${i}: ${colour} is not ${expected[i]?.slice(0, 3)}`).toBeLessThan(12);
  });
}

const UPRIGHT = [RED, GREEN, YELLOW, BLUE];

describe('an ordinary picture', () => {
  it.each([
    ['JPEG', async () => make.toJpeg(quarters(300))],
    ['PNG', async () => make.toPng(quarters(300))],
    ['lossless WebP', () => make.toWebp(quarters(300))],
    ['lossy WebP', () => make.toLossyWebp(quarters(300))],
  ])('of the format %s becomes a square JPEG of each served size', async (_format, file) => {
    const set = await encodePicture(await file());
    expect([...set.keys()].sort()).toEqual([...SIZES].sort());
    for (const size of SIZES) {
      const picture = at(set, size);
      expect([picture.width, picture.height]).toEqual([size, size]);
      expectColours(corners(picture), UPRIGHT);
    }
  });

  it.each([
    ['wide', 900, 300],
    ['high', 300, 900],
    ['wide and large', 2000, 700],
    ['ten times as wide as high', 1000, 100],
    ['forty times as high as wide', 100, 4000],
  ])('that is %s is cropped to its middle', async (_what, width, height) => {
    const long = Math.max(width, height);
    const short = Math.min(width, height);
    const middle = paint(width, height, (x, y) => {
      const place = width > height ? x : y;
      if (place < (long - short) / 2) return RED;
      return place < (long + short) / 2 ? GREEN : BLUE;
    });
    for (const size of [640, 46]) {
      const picture = at(await encodePicture(make.toPng(middle)), size);
      const edges = [0.05, 0.95].flatMap((a) => [0.05, 0.95].map((b) => colourAt(picture, a, b)));
      expectColours(edges, [GREEN, GREEN, GREEN, GREEN]);
    }
  });

  it('T60 that is a line of pixels takes no more room than it has: as a covered square it would take 36 GB', async () => {
    const line = make.pngChunk('IDAT', deflateSync(Buffer.alloc(90_001)));
    const set = await encodePicture(make.pngOf({ width: 30_000, height: 1 }, line));
    expect(at(set, 640).width).toBe(640);
  });

  it.each([1, 2, 45, 131])('of %i pixels is scaled up to exactly what each size asks for', async (side) => {
    const set = await encodePicture(make.toPng(paint(side, side, () => BLUE)));
    for (const size of SIZES) {
      const picture = at(set, size);
      expect([picture.width, picture.height]).toEqual([size, size]);
      expectColours(corners(picture), [BLUE, BLUE, BLUE, BLUE]);
    }
  });

  it('is laid on white where it is transparent, whatever colour its clear pixels hold', async () => {
    const clear = paint(200, 200, (x) => (x < 100 ? [200, 0, 0, 0] : [0, 0, 0, 128]));
    for (const file of [make.toPng(clear), await make.toWebp(clear)]) {
      const picture = at(await encodePicture(file), 132);
      expectColours(
        [colourAt(picture, 0.2, 0.5), colourAt(picture, 0.8, 0.5)],
        [
          [255, 255, 255],
          [127, 127, 127],
        ],
      );
    }
  });

  it.each([
    ['16-bit colour', { depth: 16, colour: 2 }, [0xc8, 0xff, 0x14, 0x00, 0x14, 0x00], [200, 20, 20]],
    ['16-bit grey', { depth: 16, colour: 0 }, [0x80, 0x00], [128, 128, 128]],
    ['8-bit grey', { depth: 8, colour: 0 }, [90], [90, 90, 90]],
    ['grey with transparency', { depth: 8, colour: 4 }, [90, 255], [90, 90, 90]],
  ])('of %s is understood', async (_what, header, sample, colour) => {
    const row = Buffer.from([0, ...Array.from({ length: 64 }, () => sample).flat()]);
    const idat = make.pngChunk('IDAT', deflateSync(Buffer.concat(Array(64).fill(row))));
    const picture = at(await encodePicture(make.pngOf({ width: 64, height: 64, ...header }, idat)), 64);
    expectColours(corners(picture), [colour, colour, colour, colour]);
  });

  it('of a palette and of one component is understood', async () => {
    const row = Buffer.from([0, ...Array(8).fill(0b01010101)]);
    const palette = make.pngOf(
      { width: 64, height: 64, depth: 1, colour: 3 },
      make.pngChunk('PLTE', Buffer.from([...BLUE.slice(0, 3), ...BLUE.slice(0, 3)])),
      make.pngChunk('IDAT', deflateSync(Buffer.concat(Array(64).fill(row)))),
    );
    expectColours(corners(at(await encodePicture(palette), 64)), [BLUE, BLUE, BLUE, BLUE]);
    const grey = Buffer.concat([
      Buffer.from([0xff, 0xd8]),
      make.jpegSegment(0xdb, Buffer.concat([Buffer.from([0]), Buffer.alloc(64, 1)])),
      make.jpegSegment(0xc0, Buffer.from([8, 0, 8, 0, 8, 1, 1, 0x11, 0])),
      make.jpegSegment(0xc4, Buffer.concat([Buffer.from([0x00, 1]), Buffer.alloc(15), Buffer.from([0])])),
      make.jpegSegment(0xc4, Buffer.concat([Buffer.from([0x10, 1]), Buffer.alloc(15), Buffer.from([0])])),
      make.jpegSegment(0xda, Buffer.from([1, 1, 0, 0, 63, 0])),
      Buffer.from([0x3f, 0xff, 0xd9]),
    ]);
    const middle = [128, 128, 128];
    expectColours(corners(at(await encodePicture(grey), 46)), [middle, middle, middle, middle]);
  });

  it('stays small, however much it holds', async () => {
    let state = 1;
    const noise = paint(640, 640, () => {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      return [state >>> 24, (state >>> 16) & 255, (state >>> 8) & 255, 255];
    });
    const set = await encodePicture(make.toPng(noise));
    for (const size of SIZES) {
      expect(set.get(size)?.length).toBeLessThanOrEqual(256 * 1024);
      expect(at(set, size).width).toBe(size);
    }
  });
});

describe('the orientation in EXIF', () => {
  /** Where the pixel at x, y of the file belongs in the upright picture (EXIF 2.32, 4.6.4). */
  const TURNS: Record<number, (x: number, y: number, end: number) => [number, number]> = {
    1: (x, y) => [x, y],
    2: (x, y, end) => [end - x, y],
    3: (x, y, end) => [end - x, end - y],
    4: (x, y, end) => [x, end - y],
    5: (x, y) => [y, x],
    6: (x, y, end) => [end - y, x],
    7: (x, y, end) => [end - y, end - x],
    8: (x, y, end) => [y, end - x],
  };
  const COLOURS = [
    [RED, GREEN],
    [BLUE, YELLOW],
  ] as const;
  const side = 160;
  const stored = (orientation: number) =>
    paint(side, side, (x, y) => {
      const [upX, upY] = (TURNS[orientation] as (typeof TURNS)[1])(x, y, side - 1);
      return COLOURS[upY < side / 2 ? 0 : 1][upX < side / 2 ? 0 : 1];
    });
  const jpegWith = (orientation: number, tiff: Buffer) =>
    make.withSegments(
      make.toJpeg(stored(orientation)),
      make.jpegSegment(0xe1, Buffer.concat([Buffer.from('Exif\0\0'), tiff])),
    );

  it.each([1, 2, 3, 4, 5, 6, 7, 8])('%i is turned upright in a JPEG', async (orientation) => {
    for (const order of ['II', 'MM'] as const) {
      const file = jpegWith(orientation, make.exif(orientation, { order }));
      for (const size of [640, 96]) expectColours(corners(at(await encodePicture(file), size)), UPRIGHT);
    }
  });

  it.each([3, 6, 7])('%i is turned upright in a PNG and in a WebP', async (orientation) => {
    const png = make.withChunks(make.toPng(stored(orientation)), make.pngChunk('eXIf', make.exif(orientation)));
    const plain = await make.toWebp(stored(orientation));
    const webp = make.webpOf(
      make.vp8x(side, side, 8 | 16),
      plain.subarray(12),
      make.riffChunk('EXIF', make.exif(orientation)),
    );
    for (const file of [png, webp]) expectColours(corners(at(await encodePicture(file), 132)), UPRIGHT);
  });

  it('turns the middle of a picture that is not square', async () => {
    // Lies on its side in the file: the person's head is at the left.
    const lying = paint(900, 300, (x, y) => {
      if (x < 300 || x >= 600) return BLUE;
      return y < 150 ? RED : GREEN;
    });
    const file = make.withSegments(
      make.toJpeg(lying),
      make.jpegSegment(0xe1, Buffer.concat([Buffer.from('Exif\0\0'), make.exif(6)])),
    );
    expectColours(corners(at(await encodePicture(file), 640)), [GREEN, RED, RED, GREEN]);
  });

  it.each([
    ['a number that is none', make.exif(9)],
    ['zero', make.exif(0)],
    ['nothing behind its name', Buffer.alloc(0)],
    ['an offset beyond its end', Buffer.from('MM\0*\x7f\xff\xff\xff', 'latin1')],
    ['more entries than it holds', Buffer.from('II*\0\x08\0\0\0\xff\xff', 'latin1')],
    ['noise', Buffer.from('ffd9ffd8ffe1000049492a00', 'hex')],
  ])('is taken as upright when it is %s', async (_what, tiff) => {
    expectColours(corners(at(await encodePicture(jpegWith(1, tiff)), 64)), UPRIGHT);
  });
});

describe('what comes out', () => {
  it('T60 holds nothing of what stood beside the pixels', async () => {
    const note = Buffer.from(MARK);
    const jpeg = make.withSegments(
      make.toJpeg(quarters(200)),
      make.jpegSegment(0xe1, Buffer.concat([Buffer.from('Exif\0\0'), make.exif(1, { secret: MARK })])),
      make.jpegSegment(0xe1, Buffer.concat([Buffer.from('http://ns.adobe.com/xap/1.0/\0'), note])),
      make.jpegSegment(0xe2, Buffer.concat([Buffer.from('ICC_PROFILE\0\x01\x01'), note])),
      make.jpegSegment(0xed, note),
      make.jpegSegment(0xfe, note),
    );
    const png = make.withChunks(
      make.toPng(quarters(200)),
      make.pngChunk('iCCP', Buffer.concat([Buffer.from('x\0\0'), deflateSync(note)])),
      make.pngChunk('tEXt', Buffer.concat([Buffer.from('Comment\0'), note])),
      make.pngChunk('eXIf', make.exif(1, { secret: MARK })),
    );
    const webp = make.webpOf(
      make.vp8x(200, 200, 4 | 8 | 16 | 32),
      make.riffChunk('ICCP', note),
      (await make.toWebp(quarters(200))).subarray(12),
      make.riffChunk('EXIF', make.exif(1, { secret: MARK })),
      make.riffChunk('XMP ', note),
    );
    for (const file of [jpeg, png, webp, Buffer.concat([jpeg, note]), Buffer.concat([png, note])]) {
      expect(file.includes(MARK)).toBe(true);
      for (const body of (await encodePicture(file)).values()) {
        expect(body.includes('SECRET')).toBe(false);
        // The start, JFIF's own header, tables, one frame, one scan: no other APPn, no comment.
        expect(markersOf(body).filter((marker) => ![0xe0, 0xdb, 0xc0, 0xc4, 0xda].includes(marker))).toEqual([]);
      }
    }
  });

  it('is the same for the same file, and is no part of the file', async () => {
    const file = make.toJpeg(quarters(640));
    const [one, two] = [await encodePicture(file), await encodePicture(file)];
    expect([...one.values()]).toEqual([...two.values()]);
    expect([...one.values()].some((body) => body.equals(file))).toBe(false);
  });
});

function markersOf(jpeg: Buffer): number[] {
  const markers: number[] = [];
  for (let i = 2; i < jpeg.length; i += 2 + jpeg.readUInt16BE(i + 2)) {
    markers.push(jpeg.readUInt8(i + 1));
    if (markers.at(-1) === 0xda) break;
  }
  return markers;
}
