/**
 * Who asks: a person with a session, a token, or whoever works on the machine itself. What the first two may do is as the catalog has it at each
 * request, so a change holds at once.
 */
import { EVERY_APP, type Grant } from '../../catalog/grants.ts';
import type { Role } from '../../catalog/schema.ts';
import type { SessionRecord } from '../../catalog/sessions.ts';
import type { TokenRecord } from '../../catalog/tokens.ts';
import type { User } from '../../catalog/users.ts';
import type { Principal } from '../principal.ts';

const RANK: Readonly<Record<Role, number>> = { viewer: 1, operator: 2, administrator: 3 };

export class Person implements Principal {
  readonly kind = 'user';
  readonly id: string;
  readonly name: string;
  readonly user: User;
  readonly grants: readonly Grant[];
  readonly session: SessionRecord;

  constructor(user: User, grants: readonly Grant[], session: SessionRecord) {
    this.id = user.id;
    this.name = user.name;
    this.user = user;
    this.grants = grants;
    this.session = session;
  }

  /** The account for whom it acts. */
  get account(): string {
    return this.id;
  }

  /** As the audit log names it. */
  get actor(): string {
    return `user:${this.name}`;
  }

  role(app: string): Role | undefined {
    return grantedRole(this.grants, app);
  }
}

export class TokenHolder implements Principal {
  readonly kind = 'token';
  readonly id: string;
  readonly name: string;
  readonly scopes: readonly string[];
  readonly owner: User | undefined;
  readonly #role: Role;
  readonly #apps: readonly string[];
  readonly #grants: readonly Grant[];

  /** `grants` are those of the owner. */
  constructor(token: TokenRecord, owner: User | undefined, grants: readonly Grant[]) {
    this.id = token.id;
    this.name = token.name;
    this.scopes = JSON.parse(token.scopes) as string[];
    this.owner = owner;
    this.#role = token.role;
    this.#apps = JSON.parse(token.apps) as string[];
    this.#grants = grants;
  }

  /** The account for whom it acts; a token of nobody acts for itself. */
  get account(): string {
    return this.owner?.id ?? `token:${this.id}`;
  }

  get actor(): string {
    return this.owner === undefined ? `token:${this.name}` : `token:${this.name} (${this.owner.name})`;
  }

  /** Never more than the token's own role, nor than what its owner has at this moment. */
  role(app: string): Role | undefined {
    if (!this.#apps.includes(EVERY_APP) && !this.#apps.includes(app)) return undefined;
    return this.owner === undefined ? this.#role : lesser(this.#role, grantedRole(this.#grants, app));
  }
}

/** Whoever runs commands on the machine itself: the configuration and the catalog are theirs to read and to write, whatever is asked here. */
export class MachineOperator implements Principal {
  readonly kind = 'machine';
  readonly actor: string;

  /** `actor` is the name that the audit log has for commands. */
  constructor(actor: string) {
    this.actor = actor;
  }

  get id(): string {
    return this.actor;
  }

  get name(): string {
    return this.actor;
  }

  /** Nobody's: no person stands for it. */
  get account(): string {
    return this.actor;
  }

  role(): Role {
    return 'administrator';
  }
}

export type Identity = Person | TokenHolder | MachineOperator;

export function identityOf(principal: Principal): Identity {
  if (principal instanceof Person || principal instanceof TokenHolder || principal instanceof MachineOperator)
    return principal;
  throw new TypeError('a principal that this part did not make');
}

/** The greater of what is granted for `app` and for all. */
function grantedRole(grants: readonly Pick<Grant, 'app' | 'role'>[], app: string): Role | undefined {
  const fitting = grants.filter((grant) => grant.app === app || grant.app === EVERY_APP).map(({ role }) => role);
  return fitting.sort((a, b) => RANK[b] - RANK[a])[0];
}

function lesser(a: Role, b: Role | undefined): Role | undefined {
  return b === undefined || RANK[a] <= RANK[b] ? b && a : b;
}
