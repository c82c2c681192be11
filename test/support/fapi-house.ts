/** A server for clients of high security (FAPI 2.0), and a person who allows what they ask. */
import { expect } from 'vitest';
import { expectTokens, type Tokens } from './conformance.js';
import { type Differently, type FapiClient, fapiClient } from './fapi-client.js';
import { StandardBrowser } from './standard-browser.js';
import { startApp, type TestApp } from './start-app.js';
import { forgetScans, person } from './story.js';

export interface FapiHouse {
  readonly server: TestApp;
  browser(): StandardBrowser;
  client(settings?: Parameters<typeof fapiClient>[2]): Promise<FapiClient>;
  /** Pushes a request; where a browser opens it. */
  pushed(client: FapiClient, more?: Record<string, string>, how?: Differently): Promise<Pushed>;
  /** The same, to the code. */
  allowed(client: FapiClient, more?: Record<string, string>, how?: Differently): Promise<Pushed & { code: string }>;
  /** The same, to the tokens. */
  tokens(client: FapiClient, more?: Record<string, string>): Promise<Pushed & { code: string; tokens: Tokens }>;
  stop(): Promise<void>;
}

export interface Pushed {
  readonly query: Record<string, string>;
  readonly verifier: string;
  readonly uri: string;
  /** With client_id and request_uri alone (RFC 9101 5). */
  readonly address: string;
}

export async function startFapiHouse(): Promise<FapiHouse> {
  const server = await startApp();
  const phone = await person(server.app, server);
  const browser = () => new StandardBrowser(server);
  const pushed: FapiHouse['pushed'] = async (client, more, how) => {
    const { query, verifier } = client.request(more);
    const answer = await client.push(query, how);
    if (answer.status !== 201) throw new Error(`push failed: ${answer.status} ${answer.body}`);
    const uri = String(answer.json().request_uri);
    const address = browser().authorizeUrl({ client_id: client.clientId, request_uri: uri });
    return { query, verifier, uri, address };
  };
  const allowed: FapiHouse['allowed'] = async (client, more, how) => {
    await forgetScans(server.database);
    const request = await pushed(client, more, how);
    const { answer } = await browser().signInByPhone(request.address, phone);
    expect(answer).toMatchObject({ code: expect.any(String), state: request.query.state, iss: server.url });
    return { ...request, code: String(answer.code) };
  };
  return {
    server,
    browser,
    client: (settings) => fapiClient(server.app, server, settings),
    pushed,
    allowed,
    async tokens(client, more) {
      const request = await allowed(client, more);
      return { ...request, tokens: expectTokens(await client.exchange(request.code, request.verifier)) };
    },
    stop: () => server.stop(),
  };
}
