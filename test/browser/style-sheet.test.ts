/** T94: a site's own style sheet in its frame. It dresses our decoration, and neither hides, covers, moves nor reads the rest. */
import type { Frame, FrameLocator, Page } from 'playwright-core';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type Actor, openBrowser, type Seen, type TestBrowser } from '../support/browser.js';
import { hostileSheets, STOLEN_PROPERTIES } from '../support/hostile-sheets.js';
import { openPage } from '../support/page.js';
import type { Phone } from '../support/phone.js';
import { type PlainSite, startPlainSite } from '../support/plain-site.js';
import { type OauthSite, oauthSite, type WechatSite, wechatSite } from '../support/relying-party.js';
import { matchCodeOn, scanScreen, widgetFrame } from '../support/screen.js';
import { startApp, type TestApp } from '../support/start-app.js';
import { forgetScans, person } from '../support/story.js';

let server: TestApp;
let chrome: TestBrowser;
let site: PlainSite;
/** Where the site keeps its sheets, and where it would like to hear from them. */
let cdn: PlainSite;
let thief: PlainSite;
let dressed: WechatSite;
let plain: WechatSite;
let house: OauthSite;
let anna: Phone;

beforeAll(async () => {
  [server, chrome, site, cdn, thief] = await Promise.all([
    startApp(),
    openBrowser(),
    startPlainSite(),
    startPlainSite(),
    startPlainSite(),
  ]);
  const redirectUris = [`${site.url}/callback`];
  dressed = await wechatSite(server.app, server, { redirectUris, styleSheets: true });
  plain = await wechatSite(server.app, server, { redirectUris });
  house = await oauthSite(server.app, server, { redirectUris });
  anna = await person(server.app, server, 'Anna');
});
afterAll(async () => {
  await chrome?.close();
  await Promise.all([site?.stop(), cdn?.stop(), thief?.stop(), server?.stop()]);
});
beforeEach(() => forgetScans(server.database));

let sheets = 0;
/** A sheet at an address of its own; what its answer says besides, too. */
function put(css: string, headers: Record<string, string> = {}): string {
  sheets += 1;
  return cdn.put(`/sheet-${sheets}.css`, {
    html: css,
    bare: true,
    headers: { 'content-type': 'text/css', ...headers },
  });
}
const askedFor = (sheet: string) => cdn.asked.filter(({ path }) => sheet.endsWith(path.split('?')[0] as string));

const pageUrl = (shop: WechatSite, more: Record<string, string> = {}) =>
  `${server.url}/connect/qrconnect?${new URLSearchParams(shop.request({ redirect_uri: `${site.url}/callback`, lang: 'en', transports: 'long-poll', ...more }))}`;
const frame = (address: string) =>
  `<iframe src="${address.replaceAll('&', '&amp;')}" width="300" height="400" frameborder="0" scrolling="no"></iframe>`;

async function openFrame(desk: Actor, address: string): Promise<FrameLocator> {
  await desk.page.goto(site.put('/login', frame(address)));
  const place = widgetFrame(desk.page);
  await place.locator('#box[data-phase=waiting] #qr svg').waitFor();
  return place;
}

/** A page framed by the site, with the sheet in effect. */
async function openDressed(desk: Actor, href: string): Promise<FrameLocator> {
  const place = await openFrame(desk, pageUrl(dressed, { href }));
  await place.locator('.dress-status:not([hidden])').waitFor({ state: 'attached' });
  return place;
}

/** What fades in is not to be looked at halfway. */
const STILL = { reducedMotion: 'reduce' } as const;
const SECURED = ['#site-host', '.site-name', '#qr', '#match-code', '#act'];
/** What somebody sees of each secured part: its size, its words, whether it is inside the frame with nothing above it. */
const LOOK = `${JSON.stringify(SECURED)}.map((name) => {
  const element = document.querySelector(name);
  const { x, y, width, height } = element.getBoundingClientRect();
  const seen = element.checkVisibility({ visibilityProperty: true, opacityProperty: true, contentVisibilityAuto: true });
  const points = [[0.5, 0.5], [0.02, 0.2], [0.98, 0.8], [0.02, 0.8], [0.98, 0.2]];
  const onTop = points.every(([dx, dy]) => element.contains(document.elementFromPoint(x + width * dx, y + height * dy)));
  const inFrame = x >= 0 && y >= 0 && x + width <= innerWidth && y + height <= innerHeight;
  const { color, fontFamily, fontSize } = getComputedStyle(element);
  const size = [Math.round(width), Math.round(height)];
  return { name, size, color, fontFamily, fontSize, text: element.innerText, seen, onTop, inFrame };
})`;
interface Look {
  name: string;
  size: number[];
  text: string;
  seen: boolean;
  onTop: boolean;
  inFrame: boolean;
}
const lookAt = (page: Page) => inFrame<Look[]>(page, LOOK);
const inFrame = <T>(page: Page, expression: string) => (page.frames()[1] as Frame).evaluate<T>(expression);

/** The pixels of the secured parts, and the same with nothing of the decoration painted. */
async function pictures(page: Page, place: FrameLocator): Promise<[Buffer, Buffer]> {
  const shoot = async () => {
    const [head, stage] = await Promise.all(
      ['.waiting-site', '.stage'].map((name) => place.locator(name).boundingBox()),
    );
    if (!head || !stage) throw new Error('the secured parts are not on the screen');
    const clip = { x: head.x, y: head.y, width: head.width, height: stage.y + stage.height - head.y };
    return page.screenshot({ clip, animations: 'disabled' });
  };
  const dirty = await shoot();
  const paint = (clipPath: string) =>
    inFrame(page, `for (const dress of document.querySelectorAll('.dress')) dress.style.clipPath = '${clipPath}'`);
  await paint('inset(100%)');
  const clean = await shoot();
  await paint('');
  return [dirty, clean];
}

/** From the code on the screen to the number on the screen. */
async function scan(desk: Actor, place: FrameLocator): Promise<string> {
  const scanned = await anna.scan(await scanScreen(desk.page, place));
  expect(scanned.answer.status).toBe(200);
  return matchCodeOn(place);
}

/** Makes the ticket on show unknown to the server, as after a loss of its rows: the page then offers its one button. */
async function loseTicket(desk: Actor): Promise<void> {
  const { url } = desk.requests.findLast((request) => request.bearer !== undefined) as Seen;
  const [, id] = /tickets\/([\w-]+)/.exec(url) ?? [];
  await server.database.sql('DELETE FROM ticket WHERE id = $1', [id]);
  // A page that thinks that its network came back asks at once.
  await inFrame(desk.page, "dispatchEvent(new Event('online'))");
}

/** The secured parts at three moments: with the QR code, with the number, with the button. */
async function watchThrough(desk: Actor, place: FrameLocator, atEach: () => Promise<void>): Promise<Look[][]> {
  const looks: Look[][] = [await lookAt(desk.page)];
  await atEach();
  const code = await scan(desk, place);
  expect(code).toMatch(/^\d\d$/);
  // The digits differ from ticket to ticket, and with them the width.
  looks.push((await lookAt(desk.page)).map((look) => (look.text === code ? { ...look, text: '', size: [] } : look)));
  await atEach();
  desk.foretell(/status of 404/);
  await loseTicket(desk);
  await place.locator('#act').waitFor();
  looks.push(await lookAt(desk.page));
  await atEach();
  return looks;
}

describe('T94 a hostile sheet', () => {
  let baseline: Look[][];

  beforeAll(async () => {
    const desk = await chrome.desktop(STILL);
    const place = await openFrame(desk, pageUrl(dressed));
    baseline = await watchThrough(desk, place, async () => undefined);
    const shown = baseline.map((looks) => looks.filter(({ seen, onTop, inFrame }) => seen && onTop && inFrame));
    expect(shown.map((looks) => looks.map(({ name }) => name))).toEqual([
      ['#site-host', '.site-name', '#qr'],
      ['#site-host', '.site-name', '#match-code'],
      ['#site-host', '.site-name', '#act'],
    ]);
    await desk.context.close();
  });

  it.each(Object.keys(hostileSheets('')))(
    'that %s leaves site, QR code, number and button as they are',
    async (name) => {
      const desk = await chrome.desktop(STILL);
      desk.foretell(/Content Security Policy|violates|preload|Unsafe attempt to load URL/i);
      const rels = ['preload; as=image', 'preload; as=style', 'preload; as=fetch', 'prefetch', 'modulepreload'];
      const link = rels.map((rel, i) => `<${thief.url}/link-${i}>; rel=${rel}`).join(', ');
      const sheet = put(hostileSheets(thief.url)[name] as string, { link });
      const place = await openDressed(desk, sheet);
      const looks = await watchThrough(desk, place, async () => {
        const [dirty, clean] = await pictures(desk.page, place);
        expect(dirty.equals(clean)).toBe(true);
        // No pointer over the decoration either: a sheet could draw one as large as it likes.
        expect(await inFrame(desk.page, POINTED_AT)).toEqual([false, false]);
      });
      expect(looks).toEqual(baseline);
      expect(askedFor(sheet).length).toBeGreaterThan(0);
      expect(cdn.asked.filter(({ path }) => path === '/other.css')).toEqual([]);
      expect(thief.asked).toEqual([]);
      await desk.context.close();
    },
  );

  it('takes no colour and no size away where @property holds for the whole document, as its standard has it', async () => {
    const desk = await chrome.desktop(STILL);
    await openDressed(desk, put(STOLEN_PROPERTIES.join('\n')));
    // This browser keeps the rule in the shadow root, so it is put where others would take it to.
    const rules = JSON.stringify(STOLEN_PROPERTIES);
    await inFrame(desk.page, `for (const rule of ${rules}) document.styleSheets[0].insertRule(rule)`);
    expect(await lookAt(desk.page)).toEqual(baseline[0]);
    await desk.context.close();
  });
});

/** Whether a pointer in the middle of each dressed part is over it. */
const POINTED_AT = `[...document.querySelectorAll('.dress')].map((place) => {
  const { x, y, width, height } = place.getBoundingClientRect();
  const found = height > 0 && document.elementFromPoint(x + width / 2, y + height / 2);
  return found ? place.contains(found) : false;
})`;

/** Writes down every shadow root, so that a test can look where the page lets nobody. */
const REMEMBER_ROOTS = `(() => {
  const attach = Element.prototype.attachShadow;
  window.roots = [];
  Element.prototype.attachShadow = function (init) {
    const root = attach.call(this, init);
    window.roots.push(root);
    return root;
  };
})()`;

describe('a friendly sheet', () => {
  const FRIENDLY = `
    .impowerBox .title { display: none; }
    .impowerBox .info { width: 150px; margin: 0 auto; }
    .impowerBox .status { text-align: left; }
    .status_icon { display: none; }
    .status.status_browser .status_txt p { color: rgb(1, 2, 3); }
    #wx_after_scan p { color: rgb(4, 5, 6); }
    .impowerBox .qrcode { width: 20px; }
    .impowerBox { background-image: url(data:image/gif;base64,R0lGODlhAQABAAAAACw=); }`;
  const styleIn = (desk: Actor, selector: string, property: string) =>
    inFrame<string>(
      desk.page,
      `(() => {
        const found = window.roots.map((root) => root.querySelector('${selector}')).find(Boolean);
        return getComputedStyle(found)['${property}'];
      })()`,
    );

  it.each([
    ['at an address', () => `${put(FRIENDLY)}?version=1#part`],
    ['in the value, base64', () => `data:text/css;base64,${Buffer.from(FRIENDLY).toString('base64')}`],
    ['in the value, escaped', () => `data:text/css;charset=utf-8,${encodeURIComponent(FRIENDLY)}`],
  ])('works on the names that sites know: %s', async (_where, href) => {
    const desk = await chrome.desktop(STILL);
    await desk.context.addInitScript(REMEMBER_ROOTS);
    const place = await openDressed(desk, href());
    expect(await inFrame(desk.page, 'window.roots.map((root) => root.mode)')).toEqual(['closed', 'closed']);
    expect(await styleIn(desk, '.title', 'display')).toBe('none');
    expect(await styleIn(desk, '.info', 'width')).toBe('150px');
    expect(await styleIn(desk, '.status', 'textAlign')).toBe('left');
    expect(await styleIn(desk, '#wx_default_tip .headline', 'color')).toBe('rgb(1, 2, 3)');
    // Not the picture of the code: that is no decoration.
    expect(await inFrame(desk.page, "document.querySelector('.qrcode').offsetWidth")).toBe(192);
    await scan(desk, place);
    await expect.poll(() => styleIn(desk, '.headline', 'color')).toBe('rgb(4, 5, 6)');
    expect(await inFrame(desk.page, "window.roots[1].querySelector('.headline').textContent")).toBe(
      await place.locator('#headline').textContent(),
    );
    expect(desk.complaints()).toEqual([]);
    await desk.context.close();
  });

  it('leaves the words to a screen reader even where it hides them', async () => {
    const desk = await chrome.desktop(STILL);
    const words = async (href: string) => (await openDressed(desk, href)).locator('main').ariaSnapshot();
    const [hidden, shown] = [await words(put('* { display: none }')), await words(put(''))];
    expect(hidden).toContain('Scan with your phone');
    expect(hidden).toBe(shown);
    await desk.context.close();
  });

  it('T94 stands beside no ticket, secret, token or number in any attribute', async () => {
    const desk = await chrome.desktop(STILL);
    await desk.context.addInitScript(REMEMBER_ROOTS);
    const place = await openDressed(desk, put(FRIENDLY));
    const qr = await scanScreen(desk.page, place);
    const code = await scan(desk, place);
    const attributes = await inFrame<string[]>(
      desk.page,
      `[document, ...window.roots].flatMap((root) => [...root.querySelectorAll('*')])
        .flatMap((element) => [...element.attributes].map(({ value }) => value))`,
    );
    const { url, bearer } = desk.requests.find((request) => request.bearer !== undefined) as Seen;
    const ticketId = /tickets\/([\w-]+)/.exec(url)?.[1] as string;
    expect(attributes.length).toBeGreaterThan(50);
    for (const secret of [bearer as string, ticketId, new URL(qr).pathname.slice(3)]) {
      expect(attributes.filter((value) => value.includes(secret))).toEqual([]);
    }
    // Two digits may be part of a coordinate of an icon; nobody is told by that.
    expect(
      attributes.filter((value) => value.split(/[\s_-]/).includes(code) && !/^[Mm]?[\d\s.-]+/.test(value)),
    ).toEqual([]);
    await desk.context.close();
  });
});

describe('a sheet that does not come', () => {
  /** The whole frame but for the code, which is another one each time. */
  const picture = async (desk: Actor, place: FrameLocator) =>
    desk.page.locator('iframe').screenshot({ mask: [place.locator('#qr')], animations: 'disabled' });

  it.each([
    ['is not there', () => `${cdn.url}/no-such.css`],
    ['is no style sheet', () => cdn.put('/page.css', 'a page')],
    ['is empty', () => put('')],
    ['never answers', () => cdn.put('/silent.css', { html: '', silent: true })],
  ])('leaves the page as it is without: one that %s', async (what, href) => {
    const desk = await chrome.desktop(STILL);
    desk.foretell(/status of 404|MIME type/);
    const plain = await openFrame(desk, pageUrl(dressed));
    // The demo's link to the phone page holds the scan token, so a page with a sheet goes without.
    await inFrame(desk.page, "document.querySelector('.demo-link').remove()");
    const bare = await picture(desk, plain);
    const sheet = href();
    // Which waits for the load events of page and frame.
    const place = await openFrame(desk, pageUrl(dressed, { href: sheet }));
    await expect.poll(() => askedFor(sheet).length).toBeGreaterThan(0);
    if (what !== 'never answers') await place.locator('.dress-status:not([hidden])').waitFor();
    expect((await picture(desk, place)).equals(bare)).toBe(true);
    await scan(desk, place);
    expect(desk.complaints()).toEqual([]);
    await desk.context.close();
  });
});

describe('T94 elsewhere the same sheet', () => {
  const expectUntouched = async (sheet: string, place: FrameLocator | Page) => {
    await place.locator('main').waitFor();
    expect(await place.locator('.dress').count()).toBe(0);
    expect(askedFor(sheet)).toEqual([]);
  };
  const HIDE = '* { display: none !important }';
  const oauthUrl = (more: Record<string, string>) => {
    const { query } = house.request({ redirect_uri: `${site.url}/callback`, ...more });
    return `${server.url}/connect/qrconnect?${new URLSearchParams(query)}`;
  };

  it.each([
    ['with the switch off', (href: string) => pageUrl(plain, { href })],
    ['in the compact layout', (href: string) => pageUrl(dressed, { href, stylelite: '1' })],
    ['for an oauth client', (href: string) => oauthUrl({ href })],
    ['without the name', (href: string) => pageUrl(dressed, { css: href, style: href, styleSheet: href })],
  ])('is not loaded %s', async (_where, address) => {
    const desk = await chrome.desktop(STILL);
    const sheet = put(HIDE);
    await expectUntouched(sheet, await openFrame(desk, address(sheet)));
    await scanScreen(desk.page, widgetFrame(desk.page));
    await desk.context.close();
  });

  it('is not loaded in a full page, a popup, or by the phone', async () => {
    const [desk, phone] = [await chrome.desktop(STILL), await chrome.phone()];
    phone.foretell(/status of 4\d\d/);
    const sheet = put(HIDE);
    await desk.page.goto(pageUrl(dressed, { href: sheet }));
    await expectUntouched(sheet, desk.page);
    await desk.page.goto(
      site.put(
        '/opener',
        `<a href="${pageUrl(dressed, { href: sheet }).replaceAll('&', '&amp;')}" target="popup">x</a>`,
      ),
    );
    const popup = desk.page.waitForEvent('popup');
    await desk.page.locator('a').click();
    await expectUntouched(sheet, await popup);
    const { qr } = await openPage(server, dressed.request({ redirect_uri: `${site.url}/callback`, href: sheet }), {
      'sec-fetch-dest': 'iframe',
    });
    await phone.page.goto(`${qr}?href=${encodeURIComponent(sheet)}`);
    await expectUntouched(sheet, phone.page);
    await desk.context.close();
    await phone.context.close();
  });
});

describe('the consoles', () => {
  it('show nothing unexpected', () => {
    expect(chrome.complaints()).toEqual([]);
  });
});
