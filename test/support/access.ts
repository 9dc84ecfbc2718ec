/** A server with real access, on any catalog and a clock that tests move: accounts, browsers with cookies, tokens. */

import { after, afterEach, before, describe } from 'node:test';
import { quiet } from '../../src/base/log.ts';
import { type ManualClock, manualClock } from '../../src/base/testing/manual-clock.ts';
import { type Catalog, type CatalogPlace, openCatalog } from '../../src/catalog/catalog.ts';
import type { Role } from '../../src/catalog/schema.ts';
import { findUserByName } from '../../src/catalog/users.ts';
import { type Configuration, loadConfiguration } from '../../src/config/configuration.ts';
import type { ServerSettings } from '../../src/config/settings.ts';
import { PASSWORD_COST, Passwords } from '../../src/server/access/passwords.ts';
import { addAccount, createAccess, issueToken } from '../../src/server/access.ts';
import { createApp, type ServerApp } from '../../src/server/app.ts';
import { writeConfig } from './holdfast.ts';
import { startPostgres, type TestServer } from './postgres/server.ts';
import { type TempDir, tempDir } from './temp.ts';

/** Good enough for every account of a test. */
export const LONG = 'correct horse battery staple';

/** The parameters of tests that log in often; one test takes the real ones. */
export const CHEAP = new Passwords({ ...PASSWORD_COST, memory: 64, passes: 1 });

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  /** Parsed JSON, or the text. */
  // biome-ignore lint/suspicious/noExplicitAny: whatever a test looks into
  readonly body: any;
}

export interface Asked {
  readonly method?: string;
  readonly json?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  /** Address of the peer. */
  readonly from?: string;
  /** Only a problem is read; streams never end. */
  readonly cancel?: boolean;
}

export class AccessServer implements AsyncDisposable {
  readonly catalog: Catalog;
  /** Where it is, for who opens it a second time. */
  readonly place: CatalogPlace;
  readonly clock: ManualClock;
  readonly config: Configuration;
  readonly app: ServerApp;
  settings: ServerSettings;
  /** Where a catalog of SQLite has the key for the secrets in it. */
  readonly keyFile: string | undefined;
  readonly #stop = new AbortController();
  readonly #dir: TempDir;

  constructor(dir: TempDir, place: CatalogPlace, catalog: Catalog, config: Configuration, settings: ServerSettings) {
    this.#dir = dir;
    this.place = place;
    this.catalog = catalog;
    this.config = config;
    this.settings = settings;
    this.clock = manualClock(Date.UTC(2026, 10, 21, 9));
    this.keyFile = catalog.dialect === 'sqlite' ? dir.join('catalog.sqlite.key') : undefined;
    const { clock, keyFile } = this;
    this.app = createApp({
      ...{ catalog, clock, config: () => config, env: {}, log: quiet, signal: this.#stop.signal },
      build: { version: '0.0.0-test', node: process.versions.node, platform: 'test' },
      access: createAccess({
        ...{ catalog, clock, keyFile, passwords: CHEAP },
        ...{ config: () => config, settings: () => this.settings },
      }),
    });
  }

  /** Through the whole application, as if it came over a socket from `from`. */
  async ask(
    path: string,
    { method = 'GET', json, headers, from = '192.0.2.1', cancel = false }: Asked = {},
  ): Promise<Answer> {
    const request = new Request(`http://holdfast.test${path}`, {
      method,
      headers: {
        host: 'holdfast.test',
        ...(json === undefined ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(json === undefined ? {} : { body: JSON.stringify(json) }),
    });
    const response = await this.app.fetch(request, { incoming: { socket: { remoteAddress: from } } });
    if (cancel && response.status < 400) await response.body?.cancel();
    const text = cancel && response.status < 400 ? '' : await response.text();
    const isJson =
      text !== '' && response.headers.get('content-type')?.includes('json') === true && !text.includes('\n');
    return { status: response.status, headers: response.headers, body: isJson ? JSON.parse(text) : text };
  }

  async account(name: string, ...grants: readonly (readonly [role: Role, app: string])[]): Promise<void> {
    const account = { name, password: LONG, grants: grants.map(([role, app]) => ({ role, app })) };
    await addAccount({ catalog: this.catalog, passwords: CHEAP }, account, { actor: 'test' }, this.clock.now());
  }

  browser(from = '192.0.2.1'): Browser {
    return new Browser(this, from);
  }

  /** A program that sends a token. */
  holding(token: string): Pick<Browser, 'ask'> {
    const headers = { authorization: `Bearer ${token}` };
    return { ask: (path, asked = {}) => this.ask(path, { ...asked, headers: { ...headers, ...asked.headers } }) };
  }

  /** A browser in which `name` is logged in. */
  async loggedIn(name: string, from?: string): Promise<Browser> {
    const browser = this.browser(from);
    const { status, body } = await browser.logIn(name);
    if (status !== 201) throw new Error(`${name} cannot log in: ${JSON.stringify(body)}`);
    return browser;
  }

  async token(role: Role, more: { readonly app?: string; readonly scopes?: string[]; readonly owner?: string } = {}) {
    const owner = more.owner === undefined ? undefined : await findUserByName(this.catalog.db, more.owner);
    const apps = [more.app ?? '*'];
    const asked = { name: `of ${role}`, role, apps, scopes: more.scopes, owner };
    return issueToken(this.catalog, asked, { actor: 'test' }, this.clock.now());
  }

  /** As if nobody had ever been here; the clock goes on. */
  async forgetEverybody(): Promise<void> {
    for (const table of ['users', 'grants', 'sessions', 'tokens', 'approvals', 'login_limits', 'runs'] as const)
      await this.catalog.db.deleteFrom(table).execute();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    await this.app[Symbol.asyncDispose]();
    await this.catalog[Symbol.asyncDispose]();
    await this.#dir.remove();
  }
}

/** Keeps cookies, and sends the token of its session with what changes something. */
export class Browser {
  readonly #server: AccessServer;
  readonly #from: string;
  readonly cookies = new Map<string, string>();
  csrf: string | undefined;

  constructor(server: AccessServer, from: string) {
    this.#server = server;
    this.#from = from;
  }

  async logIn(name: string, more: { readonly password?: string; readonly code?: string } = {}): Promise<Answer> {
    const answer = await this.ask('/api/v1/session', { method: 'POST', json: { name, password: LONG, ...more } });
    if (answer.status === 201) this.csrf = answer.body.csrf;
    return answer;
  }

  async ask(path: string, asked: Asked = {}): Promise<Answer> {
    const cookie = [...this.cookies].map(([name, value]) => `${name}=${value}`).join('; ');
    const headers = {
      ...(cookie === '' ? {} : { cookie }),
      ...(this.csrf === undefined ? {} : { 'x-csrf-token': this.csrf }),
      'sec-fetch-site': 'same-origin',
      ...asked.headers,
    };
    const answer = await this.#server.ask(path, { from: this.#from, ...asked, headers });
    for (const set of answer.headers.getSetCookie()) {
      const [, name, value] = /^([^=]+)=([^;]*)/.exec(set) ?? [];
      if (value === '') this.cookies.delete(name!);
      else this.cookies.set(name!, value!);
    }
    return answer;
  }
}

/** A suite on SQLite and the same on PostgreSQL, each with one server, and everybody forgotten after each test. */
export function onBothCatalogs(settings: object, suite: (server: () => AccessServer) => void): void {
  for (const major of [undefined, 17])
    describe(major === undefined ? 'SQLite' : 'PostgreSQL', () => {
      let postgres: TestServer | undefined;
      let server: AccessServer;
      before(async () => {
        postgres = major === undefined ? undefined : await startPostgres({ major });
        server = await accessServer(postgres && { url: postgres.url(), connections: 5 }, settings);
      });
      afterEach(() => server.forgetEverybody());
      after(async () => {
        await server?.[Symbol.asyncDispose]();
        await postgres?.[Symbol.asyncDispose]();
      });
      suite(() => server);
    });
}

/** `server` are keys of the configuration. */
export async function accessServer(given: CatalogPlace | undefined, server: object = {}): Promise<AccessServer> {
  const dir = await tempDir({ prefix: 'hfacc' });
  const place = given ?? { path: dir.join('catalog.sqlite') };
  const media = { type: 'files', path: dir.path };
  const configFile = await writeConfig(dir.path, {
    ...{ version: 1, repository: { password: 'p' }, storages: { a: { type: 'local', path: dir.join('a') } }, server },
    apps: { clinic: { sources: { media } }, shop: { sources: { media } } },
  });
  const config = await loadConfiguration({ path: configFile, env: {}, cwd: dir.path });
  const catalog = await openCatalog(place);
  return new AccessServer(dir, place, catalog, config, await config.server());
}
