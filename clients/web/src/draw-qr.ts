// drawQr(): the server's QR code as SVG or canvas, in the site's size and colours, as long as a phone can read them.
import { elementText } from './element/texts.js';
import { checkColours } from './qr-colours.js';
import { type QrModules, readQrSvg } from './qr-modules.js';

export interface DrawQrOptions {
  /** `svg` (the default) stays sharp at every zoom; a `canvas` is as sharp as the screen it was drawn for. */
  as?: 'svg' | 'canvas';
  /** Width and height in CSS pixels, the quiet zone included; 240 unless given. */
  size?: number;
  /** The modules, `#rgb` or `#rrggbb`; black unless given. */
  dark?: string;
  /** The ground and the quiet zone; white unless given. */
  light?: string;
  /** What a screen reader says: "QR code to sign in" unless given. Nothing of the ticket belongs into it. */
  label?: string;
}

const SVG_NAMESPACE = 'http://www.w3.org/2000/svg';
const SIZE = 240;
/** CSS pixels of one module that a phone still reads off a screen, at arm's length. */
const LEAST_MODULE = 3;

export function drawQr(qrSvg: string, options: DrawQrOptions & { as: 'canvas' }): HTMLCanvasElement;
export function drawQr(qrSvg: string, options?: DrawQrOptions & { as?: 'svg' }): SVGSVGElement;
export function drawQr(qrSvg: string, options?: DrawQrOptions): SVGSVGElement | HTMLCanvasElement;
/** A new element to put into the page. Throws, with the fix in the message, rather than draw what phones cannot read. */
export function drawQr(qrSvg: string, options: DrawQrOptions = {}): SVGSVGElement | HTMLCanvasElement {
  const { as = 'svg', size = SIZE, dark = '#000000', light = '#ffffff' } = options;
  const modules = readQrSvg(qrSvg);
  checkColours(dark, light);
  const least = modules.side * LEAST_MODULE;
  if (!(size >= least && size <= 4096)) {
    throw new Error(`drawQr: size must be from ${least} (for this code) to 4096 CSS pixels, it is ${size}`);
  }
  const drawn = as === 'canvas' ? canvas(modules, size, dark, light) : svg(modules, size, dark, light);
  drawn.setAttribute('role', 'img');
  drawn.setAttribute('aria-label', options.label ?? elementText('qrCode', null));
  return drawn;
}

function svg({ side, runs }: QrModules, size: number, dark: string, light: string): SVGSVGElement {
  const make = <K extends 'svg' | 'path'>(name: K, attributes: Record<string, string>): SVGElementTagNameMap[K] => {
    const element = document.createElementNS(SVG_NAMESPACE, name);
    for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
    return element;
  };
  const root = make('svg', {
    viewBox: `0 0 ${side} ${side}`,
    width: String(size),
    height: String(size),
    'shape-rendering': 'crispEdges',
  });
  const ground = make('path', { fill: light, d: `M0 0h${side}v${side}H0z` });
  const d = runs.map(({ x, y, length }) => `M${x} ${y}h${length}v1h-${length}z`).join('');
  root.append(ground, make('path', { fill: dark, d }));
  return root;
}

/** One pixel of the canvas is one of the screen; edges fall between pixels, so none is grey. */
function canvas({ side, runs }: QrModules, size: number, dark: string, light: string): HTMLCanvasElement {
  const element = document.createElement('canvas');
  const pixels = Math.round(size * (window.devicePixelRatio || 1));
  element.width = pixels;
  element.height = pixels;
  element.style.width = `${size}px`;
  element.style.height = `${size}px`;
  const context = element.getContext('2d');
  if (!context) throw new Error('drawQr: this browser gives no canvas; use as: "svg"');
  const at = (module: number) => Math.round((module * pixels) / side);
  context.fillStyle = light;
  context.fillRect(0, 0, pixels, pixels);
  context.fillStyle = dark;
  for (const { x, y, length } of runs) context.fillRect(at(x), at(y), at(x + length) - at(x), at(y + 1) - at(y));
  return element;
}
