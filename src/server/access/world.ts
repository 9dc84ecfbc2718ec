/** What the routes of this part share. */
import type { Context } from 'hono';
import type { Clock } from '../../base/clock.ts';
import type { Catalog, CatalogDb } from '../../catalog/catalog.ts';
import { grantsOf } from '../../catalog/grants.ts';
import { listUsers, type User } from '../../catalog/users.ts';
import type { Configuration } from '../../config/configuration.ts';
import type { ServerSettings } from '../../config/settings.ts';
import type { Principal } from '../principal.ts';
import type { Actor } from './accounts.ts';
import { type Origin, Proxies } from './client-address.ts';
import { identityOf, MachineOperator, Person } from './identity.ts';
import { LoginLimits } from './login-limits.ts';
import { OidcProvider } from './oidc.ts';
import { Passwords } from './passwords.ts';
import { Refusals } from './refusals.ts';
import { ServerKey } from './server-key.ts';
import { type Names, showUser } from './views.ts';
import { Visitors } from './visitors.ts';

export interface AccessDeps {
  readonly catalog: Catalog;
  readonly clock: Clock;
  /** What it says of the server, resolved; another object after it was read again. */
  settings(): ServerSettings;
  /** The configuration of now. */
  config(): Configuration;
  /** Where the key for secrets in the catalog may be kept; absent: only `server.key` counts. */
  readonly keyFile?: string | undefined;
  /** For tests that hash many. */
  readonly passwords?: Passwords;
}

export class AccessParts {
  readonly deps: AccessDeps;
  readonly catalog: Catalog;
  readonly passwords: Passwords;
  readonly limits: LoginLimits;
  readonly refusals: Refusals;
  readonly visitors: Visitors;
  #settings: ServerSettings;
  #proxies: Proxies;
  #oidc: OidcProvider | undefined;
  #key: ServerKey;

  constructor(deps: AccessDeps) {
    this.deps = deps;
    this.catalog = deps.catalog;
    this.passwords = deps.passwords ?? new Passwords();
    this.limits = new LoginLimits(deps.catalog);
    this.refusals = new Refusals(deps.catalog);
    this.visitors = new Visitors(deps.catalog.db);
    this.#settings = deps.settings();
    this.#proxies = new Proxies(this.#settings.trustedProxies);
    this.#oidc = this.#settings.oidc && new OidcProvider(this.#settings.oidc);
    this.#key = this.#newKey();
  }

  get db(): CatalogDb {
    return this.catalog.db;
  }

  get settings(): ServerSettings {
    const now = this.deps.settings();
    if (now === this.#settings) return now;
    this.#settings = now;
    this.#proxies = new Proxies(now.trustedProxies);
    this.#oidc = now.oidc && new OidcProvider(now.oidc);
    this.#key = this.#newKey();
    return now;
  }

  /** Undefined: none is configured. */
  get oidc(): OidcProvider | undefined {
    void this.settings;
    return this.#oidc;
  }

  get key(): ServerKey {
    void this.settings;
    return this.#key;
  }

  #newKey(): ServerKey {
    return new ServerKey({ configured: this.#settings.key, file: this.deps.keyFile });
  }

  originOf(context: Context): Origin {
    void this.settings;
    return this.#proxies.originOf(context);
  }

  /** Where browsers reach the service, without a slash at the end. */
  publicUrl(context: Context): string {
    const { secure, host } = this.originOf(context);
    return this.settings.url ?? `${secure ? 'https' : 'http'}://${host}`;
  }

  actorOf(principal: Principal, context: Context): Actor {
    const { actor } = identityOf(principal);
    return principal instanceof MachineOperator ? { actor } : { actor, address: this.originOf(context).address };
  }

  async showUser(user: User) {
    return showUser(user, await grantsOf(this.db, user.id));
  }

  async names(): Promise<Names> {
    return new Map((await listUsers(this.db)).map(({ id, name }) => [id, name]));
  }
}

/** For endpoints that are for persons only: the server let nobody else through. */
export function personOf(principal: Principal): Person {
  if (principal instanceof Person) return principal;
  throw new TypeError('not a person');
}
