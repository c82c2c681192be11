/** HTTP/1.1 byte by byte: what a program of any language writes to its socket, and the bytes it reads. */
import { once } from 'node:events';
import { connect } from 'node:net';

export interface RawReply {
  readonly status: number;
  /** As they came, name and value. */
  readonly headerLines: readonly string[];
  readonly body: Buffer;
  /** The value of the one line of this name, in the spelling it came in. */
  header(name: string): string | undefined;
}

/** `target` goes into the request line as it is, whatever characters it holds. */
export function rawGet(base: string, target: string, headers: readonly string[] = []): Promise<RawReply> {
  return talk(base, [`GET ${target} HTTP/1.1`, ...headers], '');
}

export function rawPost(
  base: string,
  target: string,
  form: Record<string, string>,
  headers: readonly string[] = [],
): Promise<RawReply> {
  const body = new URLSearchParams(form).toString();
  const head = [
    `POST ${target} HTTP/1.1`,
    'Content-Type: application/x-www-form-urlencoded',
    `Content-Length: ${Buffer.byteLength(body)}`,
    ...headers,
  ];
  return talk(base, head, body);
}

function talk(base: string, [requestLine, ...headers]: readonly string[], body: string): Promise<RawReply> {
  const { host, port } = new URL(base);
  const lines = [requestLine, `Host: ${host}`, ...headers, 'Connection: close', '', body];
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    const socket = connect(Number(port), '127.0.0.1', () => socket.write(lines.join('\r\n')));
    socket.on('data', (chunk: Buffer) => chunks.push(chunk));
    socket.on('error', reject);
    socket.on('end', () => {
      socket.end();
      try {
        resolve(readReply(Buffer.concat(chunks)));
      } catch (error) {
        reject(error);
      }
    });
  });
}

/** A request whose body ends when `finish` is called; its first byte was sent when this resolves, and the server is at it. */
export async function beginSlowly(
  base: string,
  [requestLine, ...headers]: readonly string[],
  body: string,
): Promise<{ finish(): Promise<RawReply> }> {
  const { host, port } = new URL(base);
  const head = [
    `${requestLine} HTTP/1.1`,
    `Host: ${host}`,
    ...headers,
    'Content-Type: application/json',
    `Content-Length: ${Buffer.byteLength(body)}`,
    'Expect: 100-continue',
    'Connection: close',
  ];
  const socket = connect(Number(port), '127.0.0.1');
  socket.write(`${head.join('\r\n')}\r\n\r\n`);
  const [goOn] = (await once(socket, 'data')) as [Buffer];
  if (goOn.toString() !== 'HTTP/1.1 100 Continue\r\n\r\n') throw new Error(`not awaited: ${goOn}`);
  const chunks: Buffer[] = [];
  socket.on('data', (chunk: Buffer) => chunks.push(chunk));
  const ended = once(socket, 'end');
  socket.write(body.slice(0, 1));
  return {
    async finish() {
      socket.write(body.slice(1));
      await ended;
      socket.end();
      return readReply(Buffer.concat(chunks));
    },
  };
}

function readReply(bytes: Buffer): RawReply {
  const end = bytes.indexOf('\r\n\r\n');
  const [statusLine = '', ...headerLines] = bytes.subarray(0, end).toString('latin1').split('\r\n');
  const body = bytes.subarray(end + 4);
  const header = (name: string) => {
    const found = headerLines.filter((line) => line.toLowerCase().startsWith(`${name.toLowerCase()}: `));
    if (found.length > 1) throw new Error(`${name} came ${found.length} times`);
    return found[0]?.slice(name.length + 2);
  };
  if (Number(header('Content-Length')) !== body.length) throw new Error(`not a whole body:\n${bytes.toString()}`);
  return { status: Number(statusLine.split(' ')[1]), headerLines, body, header };
}
