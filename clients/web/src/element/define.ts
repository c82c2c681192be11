// Makes the tag <qr-connect> known; a page that loads us twice, or from two places, keeps the first.
import { QrConnectElement } from './qr-connect-element.js';

export function defineQrConnect(): void {
  if (typeof customElements !== 'undefined' && !customElements.get('qr-connect')) {
    customElements.define('qr-connect', QrConnectElement);
  }
}

declare global {
  interface HTMLElementTagNameMap {
    'qr-connect': QrConnectElement;
  }
}
