// <QrConnect>: the element <qr-connect> as a Vue component, with typed props and events.
import {
  defineQrConnect,
  QR_CONNECT_EVENTS,
  type QrConnectErrorDetail,
  type QrConnectEvent,
  type QrConnectOptions,
  setQrConnectOptions,
} from '@qrconnect/web';
import { defineComponent, h, onMounted, type PropType, shallowRef, watch } from 'vue';

export const QrConnect = defineComponent({
  name: 'QrConnect',
  props: {
    server: String,
    clientId: { type: String, required: true },
    redirectUri: String,
    scope: String,
    state: String,
    nonce: String,
    codeChallenge: String,
    requestUri: String,
    lang: String,
    theme: String as PropType<QrConnectOptions['theme']>,
    mode: String as PropType<QrConnectOptions['mode']>,
  },
  emits: {
    ready: (_event: CustomEvent) => true,
    scanned: (_event: CustomEvent) => true,
    /** `event.preventDefault()` keeps the page where it is. */
    confirmed: (_event: CustomEvent) => true,
    /** `event.preventDefault()` keeps the page where it is. */
    denied: (_event: CustomEvent) => true,
    expired: (_event: CustomEvent) => true,
    error: (_event: CustomEvent<QrConnectErrorDetail>) => true,
  },
  setup(props, { emit, slots }) {
    const host = shallowRef<HTMLElement | null>(null);
    const tell = emit as (name: QrConnectEvent, event: Event) => void;
    const update = () => host.value && setQrConnectOptions(host.value, props);
    onMounted(() => {
      // In the same breath as the element enters the page, before it looks at its attributes.
      update();
      for (const name of QR_CONNECT_EVENTS) host.value?.addEventListener(name, (event) => tell(name, event));
      defineQrConnect();
    });
    watch(() => ({ ...props }), update, { flush: 'post' });
    return () => h('qr-connect', { ref: host }, slots.default?.());
  },
});
