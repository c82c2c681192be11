/** useTicket of both packages, given what cannot be a ticket: the component says so, and the page stays. */
import { join } from 'node:path';
import { build } from 'esbuild';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { projectRoot } from '../../src/project-root.js';
import { openBrowser, type TestBrowser } from '../support/browser.js';
import { type PlainSite, startPlainSite } from '../support/plain-site.js';

let chrome: TestBrowser;
let site: PlainSite;
beforeAll(async () => {
  [chrome, site] = await Promise.all([openBrowser(), startPlainSite()]);
});
afterAll(async () => {
  await chrome?.close();
  await site?.stop();
});

const PAGES = {
  react: `
    import { useTicket } from '@qrconnect/react';
    import { createElement as h } from 'react';
    import { createRoot } from 'react-dom/client';
    function Watch({ ticket }) {
      const { error } = useTicket(ticket);
      return h('p', null, error ? error.code : 'no error');
    }
    createRoot(document.getElementById('app')).render(tickets.map((ticket) => h(Watch, { ticket, key: ticket.server })));`,
  vue: `
    import { useTicket } from '@qrconnect/vue';
    import { createApp, h } from 'vue';
    const Watch = {
      props: ['ticket'],
      setup({ ticket }) {
        const { error } = useTicket(ticket);
        return () => h('p', null, error.value ? error.value.code : 'no error');
      },
    };
    createApp({ render: () => tickets.map((ticket) => h(Watch, { ticket })) }).mount('#app');`,
};
const TICKETS = [
  { server: 'login.example.com', ticketId: 'ticket', waitSecret: 'secret' },
  { server: 'https://login.example.com', ticketId: 'ticket', waitSecret: '' },
];

it.each(['react', 'vue'] as const)('says bad_options where no ticket can be watched (%s)', async (name) => {
  const clients = join(projectRoot, 'clients');
  const { outputFiles } = await build({
    stdin: { contents: `const tickets = ${JSON.stringify(TICKETS)};${PAGES[name]}`, resolveDir: projectRoot },
    bundle: true,
    write: false,
    format: 'iife',
    alias: {
      '@qrconnect/web': join(clients, 'web/src/qrconnect.ts'),
      '@qrconnect/react': join(clients, 'react/src/react.ts'),
      '@qrconnect/vue': join(clients, 'vue/src/vue.ts'),
    },
    define: { 'process.env.NODE_ENV': '"production"' },
    logLevel: 'silent',
  });
  const script = outputFiles[0]?.text.replaceAll('</script', '<\\/script');
  const html = `<!doctype html><link rel="icon" href="data:,"><div id="app"></div><script>${script}</script>`;
  const { page, complaints } = await chrome.desktop();
  await page.goto(site.put(`/${name}`, { html, bare: true }));
  await expect.poll(() => page.locator('#app p').allInnerTexts()).toEqual(['bad_options', 'bad_options']);
  expect(complaints()).toEqual([]);
});
