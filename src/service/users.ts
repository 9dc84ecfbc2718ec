/** Accounts and tokens from the command line: whoever may read the catalog's secrets on this machine is its administrator. */
import type { Clock } from '../base/clock.ts';
import { given } from '../base/given.ts';
import { type Catalog, openCatalog } from '../catalog/catalog.ts';
import { grantsOf } from '../catalog/grants.ts';
import type { Role } from '../catalog/schema.ts';
import { listTokens } from '../catalog/tokens.ts';
import { listUsers, userNamed } from '../catalog/users.ts';
import type { Configuration } from '../config/configuration.ts';
import {
  accountName,
  addAccount,
  endToken,
  grantRole,
  issueToken,
  listAccounts,
  Passwords,
  removeAccount,
  revokeRole,
  setAccountPassword,
  showToken,
  showUser,
} from '../server/access.ts';
import { cliActor } from './cli-actor.ts';

export const ROLES = ['viewer', 'operator', 'administrator'] as const satisfies readonly Role[];

type ShownUser = ReturnType<typeof showUser>;
type ShownToken = ReturnType<typeof showToken>;

/** One command's look into the catalog. Declare it with `await using`. */
export class Accounts implements AsyncDisposable {
  readonly #catalog: Catalog;
  readonly #passwords = new Passwords();
  readonly #clock: Clock;
  readonly #by = { actor: cliActor() };

  constructor(catalog: Catalog, clock: Clock) {
    this.#catalog = catalog;
    this.#clock = clock;
  }

  async list(): Promise<ShownUser[]> {
    return (await listAccounts(this.#catalog.db)).map(({ user, grants }) => showUser(user, grants));
  }

  /** Throws `usage`, `password_refused`, `user_exists`. */
  async add(account: {
    readonly name: string;
    readonly email: string | undefined;
    readonly password: string;
    readonly grant: { readonly app: string; readonly role: Role } | undefined;
  }): Promise<ShownUser> {
    const { grant, ...rest } = account;
    await addAccount(this.#world, { ...rest, grants: grant === undefined ? [] : [grant] }, this.#by, this.#clock.now());
    return this.#shown(account.name);
  }

  /** Throws `user_unknown`, `last_administrator`. */
  remove(name: string): Promise<void> {
    return removeAccount(this.#world, name, this.#by, this.#clock.now());
  }

  /** Throws `user_unknown`, `password_refused`. */
  setPassword(name: string, password: string): Promise<void> {
    return setAccountPassword(this.#world, { name, password }, this.#by, this.#clock.now());
  }

  /** Throws `user_unknown`, `last_administrator`. */
  async grant(name: string, app: string, role: Role): Promise<ShownUser> {
    await grantRole(this.#world, { name, app, role }, this.#by, this.#clock.now());
    return this.#shown(name);
  }

  /** Whether there was something to revoke. Throws `user_unknown`, `last_administrator`. */
  revoke(name: string, app: string): Promise<boolean> {
    return revokeRole(this.#world, { name, app }, this.#by, this.#clock.now());
  }

  async tokens(): Promise<ShownToken[]> {
    const names = await this.#names();
    return (await listTokens(this.#catalog.db)).map((token) => showToken(token, names));
  }

  /** `lifetime` in ms; absent: for ever. Throws `usage`, `user_unknown`. */
  async createToken(asked: {
    readonly name: string;
    readonly owner: string | undefined;
    readonly role: Role;
    readonly app: string | undefined;
    readonly scopes: readonly string[];
    readonly lifetime: number | undefined;
  }): Promise<{ readonly token: string; readonly record: ShownToken }> {
    const { name, role, app, scopes, lifetime } = asked;
    const now = this.#clock.now();
    const owner = asked.owner === undefined ? undefined : await userNamed(this.#catalog.db, accountName(asked.owner));
    const more = {
      ...given('apps', app === undefined ? undefined : [app]),
      ...given('scopes', scopes.length === 0 ? undefined : scopes),
      ...given('expiresAt', lifetime === undefined ? undefined : now + lifetime),
    };
    const { token, record } = await issueToken(this.#catalog, { name, role, owner, ...more }, this.#by, now);
    return { token, record: showToken(record, await this.#names()) };
  }

  /** Throws `token_unknown`. */
  async revokeToken(id: string): Promise<ShownToken> {
    const record = await endToken(this.#catalog, id, this.#by, this.#clock.now());
    return showToken(record, await this.#names());
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#catalog[Symbol.asyncDispose]();
  }

  get #world() {
    return { catalog: this.#catalog, passwords: this.#passwords };
  }

  async #shown(name: string): Promise<ShownUser> {
    const user = await userNamed(this.#catalog.db, accountName(name));
    return showUser(user, await grantsOf(this.#catalog.db, user.id));
  }

  async #names(): Promise<ReadonlyMap<string, string>> {
    return new Map((await listUsers(this.#catalog.db)).map(({ id, name }) => [id, name]));
  }
}

export async function openAccounts(config: Configuration, clock: Clock): Promise<Accounts> {
  return new Accounts(await openCatalog(await config.catalog()), clock);
}
