// <QrConnect>: the element <qr-connect> as a React component, with typed props and events.
import {
  defineQrConnect,
  QR_CONNECT_EVENTS,
  type QrConnectErrorDetail,
  type QrConnectEvent,
  type QrConnectOptions,
  setQrConnectOptions,
} from '@qrconnect/web';
import {
  type CSSProperties,
  createElement,
  type ReactElement,
  type ReactNode,
  useEffect,
  useLayoutEffect,
  useRef,
} from 'react';

export interface QrConnectProps extends QrConnectOptions {
  onReady?: (event: CustomEvent) => void;
  onScanned?: (event: CustomEvent) => void;
  /** `event.preventDefault()` keeps the page where it is. */
  onConfirmed?: (event: CustomEvent) => void;
  /** `event.preventDefault()` keeps the page where it is. */
  onDenied?: (event: CustomEvent) => void;
  onExpired?: (event: CustomEvent) => void;
  onError?: (event: CustomEvent<QrConnectErrorDetail>) => void;
  id?: string;
  className?: string;
  style?: CSSProperties;
  /** Words of the link, with mode "popup" and "redirect". */
  children?: ReactNode;
  [others: `aria-${string}` | `data-${string}`]: string | undefined;
}

const HANDLER_OF: Readonly<Record<QrConnectEvent, keyof QrConnectProps>> = {
  ready: 'onReady',
  scanned: 'onScanned',
  confirmed: 'onConfirmed',
  denied: 'onDenied',
  expired: 'onExpired',
  error: 'onError',
};

/** Before the element looks at its attributes; on a server, which has no layout, React wants the other one. */
const useAtOnce = typeof window === 'undefined' ? useEffect : useLayoutEffect;

export function QrConnect(props: QrConnectProps): ReactElement {
  const host = useRef<HTMLElement>(null);
  const latest = useRef(props);
  useAtOnce(() => {
    latest.current = props;
    if (host.current) setQrConnectOptions(host.current, props);
  });
  useAtOnce(() => {
    const element = host.current;
    const hear = (event: Event) => {
      const handler = latest.current[HANDLER_OF[event.type as QrConnectEvent]];
      if (typeof handler === 'function') (handler as (event: Event) => void)(event);
    };
    defineQrConnect();
    for (const name of QR_CONNECT_EVENTS) element?.addEventListener(name, hear);
    return () => {
      for (const name of QR_CONNECT_EVENTS) element?.removeEventListener(name, hear);
    };
  }, []);
  const { id, className, style, children } = props;
  const others = Object.entries(props).filter(([name]) => /^(aria|data)-/.test(name));
  return createElement(
    'qr-connect',
    { ref: host, id, class: className, style, ...Object.fromEntries(others) },
    children,
  );
}
