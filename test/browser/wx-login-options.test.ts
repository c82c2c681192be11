/** wxLogin.js in a page of another site: every option of the wire format (2.1), the address and the frame it makes (2.2). */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { projectRoot } from '../../src/project-root.js';
import { type Actor, openBrowser, type TestBrowser } from '../support/browser.js';
import { send } from '../support/http.js';
import { type PlainSite, startPlainSite } from '../support/plain-site.js';
import { startApp, type TestApp } from '../support/start-app.js';

let server: TestApp;
let chrome: TestBrowser;
let site: PlainSite;
let desk: Actor;

beforeAll(async () => {
  [server, chrome, site] = await Promise.all([startApp(), openBrowser(), startPlainSite()]);
  desk = await chrome.desktop();
  await desk.page.goto(site.put('/page', `<div id="box"></div><script src="${server.url}/js/wxLogin.js"></script>`));
});
afterAll(async () => {
  await chrome?.close();
  await Promise.all([site?.stop(), server?.stop()]);
});

const REQUIRED = {
  id: 'box',
  appid: 'wx0123456789abcdef',
  scope: 'snsapi_login',
  redirect_uri: 'https%3A%2F%2Fa.example',
};

interface Made {
  /** The address as it was asked for, with TS in place of the milliseconds. */
  src: string;
  attributes: Record<string, string>;
  /** What the container holds. */
  children: string[];
  /** A value ran as a script, or became an element somewhere. */
  broken: boolean;
}

/** Makes the widget, looks at it, and takes it away before its page can come. `options` is JavaScript. */
function make(options: string, call = 'new WxLogin'): Promise<Made> {
  return desk.page.evaluate(`(() => {
    const box = document.getElementById('box');
    box.innerHTML = '<p>loading</p><p>still loading</p>';
    const before = document.querySelectorAll('*').length - box.querySelectorAll('*').length;
    const now = Date.now();
    ${call}(Object.assign(${JSON.stringify(REQUIRED)}, ${options}));
    const frame = box.querySelector('iframe');
    const attributes = Object.fromEntries([...frame.attributes].map(({ name, value }) => [name, value]));
    const children = [...box.childNodes].map(({ nodeName }) => nodeName);
    box.innerHTML = '';
    const broken = 'pwned' in window || document.querySelectorAll('*').length !== before;
    const src = attributes.src.replace(/(?<=&ts=)\\d+/, (ts) => (ts >= now && ts <= Date.now() ? 'TS' : ts));
    delete attributes.src;
    return { src, attributes, children, broken };
  })()`);
}

const HEAD = 'appid=wx0123456789abcdef&scope=snsapi_login&redirect_uri=https%3A%2F%2Fa.example';
const AFTER = '&login_type=jssdk&self_redirect=default';
const EMPTY = '&styletype=&sizetype=&bgcolor=&rst=&ts=TS';
const address = (query: string) => `${server.url}/connect/qrconnect?${query}`;

describe('the address of the frame', () => {
  it('holds every option, in WeChat’s order', async () => {
    const { src } = await make(`{
      color_scheme: 'dark', fast_login: 0, stylelite: 1, lang: 'en', href: 'https://a.example/w.css', style: 'white',
      rst: 'r', bgcolor: 'b', sizetype: 'z', styletype: 't', self_redirect: true, state: 's%26t',
    }`);
    expect(src).toBe(
      address(
        `${HEAD}&state=s%26t&login_type=jssdk&self_redirect=true&styletype=t&sizetype=z&bgcolor=b&rst=r&ts=TS` +
          '&style=white&href=https://a.example/w.css&lang=en&stylelite=1&fast_login=0&color_scheme=dark',
      ),
    );
  });

  it('holds no response_type and no fragment, and says "undefined" for a state that was left out', async () => {
    expect((await make('{}')).src).toBe(address(`${HEAD}&state=undefined${AFTER}${EMPTY}`));
  });

  it('copies redirect_uri, state, scope and appid as they are', async () => {
    const { src } = await make(
      "{ appid: 'wx a', scope: 'a,b', redirect_uri: 'https://a.example/?x=1&y', state: '张 ?#' }",
    );
    expect(src).toBe(address(`appid=wx a&scope=a,b&redirect_uri=https://a.example/?x=1&y&state=张 ?#${AFTER}${EMPTY}`));
  });

  it.each([
    ['state: ""', `&state=${AFTER}${EMPTY}`],
    ['state: null', `&state=null${AFTER}${EMPTY}`],
    ['self_redirect: true', `&state=undefined&login_type=jssdk&self_redirect=true${EMPTY}`],
    ['self_redirect: false', `&state=undefined&login_type=jssdk&self_redirect=false${EMPTY}`],
    ...['"true"', '"false"', '1', '0', 'null', '"default"'].map((value) => [`self_redirect: ${value}`, undefined]),
    ...['"1"', 'true', '2', '0', '[1]'].map((value) => [`stylelite: ${value}`, undefined]),
    ...['"0"', 'false', '1', 'null', '""', '[0]'].map((value) => [`fast_login: ${value}`, undefined]),
    ...['"cn"', '"zh_CN"', '"EN"', '"en_US"', 'true', '["en"]'].map((value) => [`lang: ${value}`, undefined]),
    ...['"DARK"', '"night"', 'true', '""', '["dark"]'].map((value) => [`color_scheme: ${value}`, undefined]),
    ...['style: ""', 'href: ""', 'style: null, href: undefined', 'login_type: "other"', 'ts: 1'].map((o) => [
      o,
      undefined,
    ]),
    ['color_scheme: "auto"', `&state=undefined${AFTER}${EMPTY}&color_scheme=auto`],
    ['color_scheme: "light"', `&state=undefined${AFTER}${EMPTY}&color_scheme=light`],
    ['style: "black"', `&state=undefined${AFTER}${EMPTY}&style=black`],
    ['bgcolor: 0, rst: null', `&state=undefined${AFTER}${EMPTY}`],
  ] as [string, string | undefined][])(
    'with { %s } sends nothing that WeChat’s script would not',
    async (options, tail) => {
      expect((await make(`{ ${options} }`)).src).toBe(address(HEAD + (tail ?? `&state=undefined${AFTER}${EMPTY}`)));
    },
  );
});

describe('the frame', () => {
  const ATTRIBUTES = {
    frameborder: '0',
    allowtransparency: 'true',
    scrolling: 'no',
    width: '300px',
    height: '400px',
    referrerpolicy: 'strict-origin-when-cross-origin',
  };

  it('has WeChat’s size and look, a title in its language, and neither a sandbox nor leave to do anything', async () => {
    expect((await make('{}')).attributes).toEqual({ ...ATTRIBUTES, title: '扫码登录' });
    const { attributes } = await make('{ lang: "en" }');
    expect(attributes).toEqual({ ...ATTRIBUTES, title: expect.stringMatching(/^[A-Z][a-zA-Z ]+$/) });
  });

  it('takes the place of whatever the container held', async () => {
    expect((await make('{}')).children).toEqual(['IFRAME']);
  });

  it('is made by a plain call as well, which returns nothing', async () => {
    const made = await make('{ state: "s" }', 'window.returned = WxLogin');
    expect(made.src).toBe(address(`${HEAD}&state=s${AFTER}${EMPTY}`));
    expect(await desk.page.evaluate('window.returned')).toBe(undefined);
  });

  const HOSTILE = [
    '"><script>pwned=1</script><p a="',
    "' onload='pwned=1",
    '"onload="pwned=1',
    '&#34;><img src=x onerror=pwned=1>',
  ];
  const EVERY = ['appid', 'scope', 'redirect_uri', 'state', 'style', 'href', 'styletype', 'sizetype', 'bgcolor', 'rst'];

  it.each(HOSTILE)('keeps %s inside its address, in whichever option', async (value) => {
    const options = JSON.stringify(Object.fromEntries(EVERY.map((name) => [name, value])));
    const { src, attributes, children, broken } = await make(options);
    expect(attributes).toEqual({ ...ATTRIBUTES, title: '扫码登录' });
    expect(children).toEqual(['IFRAME']);
    expect(broken).toBe(false);
    expect(src.split(value)).toHaveLength(EVERY.length + 1);
  });

  it.each(['@evil.example/', '://evil.example', '\\evil.example', '\n//evil.example'])(
    'asks our server whatever the values are: %j',
    async (value) => {
      const { src } = await make(JSON.stringify(Object.fromEntries(EVERY.map((name) => [name, value]))));
      const { origin, pathname } = new URL(src);
      expect([origin, pathname]).toEqual([server.url, '/connect/qrconnect']);
    },
  );

  it('is not made without its container: the call says what is missing, and leaves nothing behind', async () => {
    const left = await desk.page.evaluate<string[]>(`(() => {
      const heard = [];
      const add = window.addEventListener;
      window.addEventListener = (name) => heard.push('a listener for ' + name);
      const options = { id: 'nowhere', appid: 'a', onReady() {} };
      try { new WxLogin(options); } catch (error) { heard.push(error.message); }
      window.addEventListener = add;
      return heard.concat('onCleanup' in options ? 'onCleanup' : [], document.querySelector('iframe') ? 'frame' : []);
    })()`);
    expect(left).toEqual(['WxLogin: put an element with the id "nowhere" on the page before this call']);
  });
});

describe('the files', () => {
  it('are the script, under WeChat’s path too, and its types, for any site to load or keep', async () => {
    const [script, same, types] = await Promise.all(
      ['/js/wxLogin.js', '/connect/zh_CN/htmledition/js/wxLogin.js', '/js/wxLogin.d.ts'].map((path) =>
        send(server.url + path),
      ),
    );
    expect(script?.headers['content-type']).toBe('text/javascript; charset=utf-8');
    expect(same?.body).toBe(script?.body);
    expect(types?.headers['content-type']).toBe('text/plain; charset=utf-8');
    expect(types?.body).toBe(readFileSync(join(projectRoot, 'browser/widget/wxLogin.d.ts'), 'utf8'));
    for (const answer of [script, same, types]) expect(answer?.headers['access-control-allow-origin']).toBe('*');
  });
});

describe('the console', () => {
  it('shows nothing', () => {
    expect(desk.complaints()).toEqual([]);
  });
});
