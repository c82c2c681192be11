// The sign-in of the reading room: draws the QR code in its own colours, waits, and goes on with the answer.
import { cancelTicket, drawQr, redeemTicket, renewTicket, watchTicket } from './qrconnect.js';

const section = document.getElementById('sign-in');
const part = (id) => document.getElementById(id);
const { server, texts } = JSON.parse(section.dataset.page);

/** Codes drawn unasked after the first; then somebody has to want one. */
const FRESH = 3;

/** The ticket on the page. In this variable alone: not in an address, not in storage. */
let holder;
let watch;
let fresh = 0;

part('begin').addEventListener('click', begin);
// A person who leaves takes the code along.
addEventListener('pagehide', giveUp);

async function begin() {
  fresh = FRESH;
  part('begin').hidden = true;
  // The button had the focus and is gone; who uses the keyboard goes on from here.
  section.focus();
  try {
    const response = await fetch('/sign-in', { method: 'POST' });
    if (!response.ok) throw new Error(String(response.status));
    const ticket = await response.json();
    show({ ticketId: ticket.ticket_id, waitSecret: ticket.wait_secret, qrSvg: ticket.qr_svg });
  } catch {
    fail();
  }
}

function show({ ticketId, waitSecret, qrSvg }) {
  holder = { server, ticketId, waitSecret };
  const dark = getComputedStyle(section).getPropertyValue('--qr').trim();
  part('code').replaceChildren(drawQr(qrSvg, { size: 240, dark, light: '#ffffff', label: texts.qrLabel }));
  watch = watchTicket({
    ...holder,
    onStatus: ({ status, matchCode }) => turn[status]?.(matchCode),
    onConnection: (state) => section.classList.toggle('lost', say('lost', state === 'lost')),
    onError: fail,
  });
}

const turn = {
  pending: () => look('scan', { code: true, detail: texts.scanDetail }),
  scanned: (number) => look(number ? 'scanned' : 'scannedNoCode', { number }),
  async confirmed() {
    look('confirmed');
    await goOn();
  },
  async denied() {
    look('denied');
    // The site may hear of it as well: the answer then is error=access_denied. A wrong number gives none.
    await goOn();
  },
  expired: renew,
  cancelled: renew,
};

/** The answer comes once; it goes to our own server, by the redirect URI, in this browser and no other. */
async function goOn() {
  try {
    const { redirectTo } = await redeemTicket(holder);
    holder = undefined;
    location.assign(redirectTo);
  } catch {
    offer();
  }
}

async function renew() {
  look('expired');
  if (fresh <= 0) return offer();
  fresh -= 1;
  try {
    show(await renewTicket(holder));
  } catch {
    offer();
  }
}

function look(words, { code = false, number, detail = '' } = {}) {
  section.dataset.words = words;
  part('words').textContent = texts[words];
  part('code').hidden = !code;
  part('number').hidden = !number;
  part('number').textContent = number ?? '';
  part('detail').textContent = detail;
}

/** Says it, or what was said before. */
function say(words, now) {
  part('words').textContent = texts[now ? words : section.dataset.words] ?? '';
  return now;
}

function fail() {
  look('failed');
  offer();
}

function offer() {
  part('begin').textContent = texts.again;
  part('begin').hidden = false;
}

function giveUp() {
  watch?.stop();
  if (holder) cancelTicket(holder).catch(() => {});
  holder = undefined;
  // For the way back to a page that the browser kept.
  offer();
}
