/** Accounts, for administrators of all apps. */
import * as endpoints from '../../../api/administration.ts';
import { userNamed } from '../../../catalog/users.ts';
import type { Api } from '../../api.ts';
import {
  accountName,
  addAccount,
  disableAccount,
  grantRole,
  listAccounts,
  removeAccount,
  resetSecondFactor,
  revokeRole,
  setAccountPassword,
} from '../accounts.ts';
import { showUser } from '../views.ts';
import type { AccessParts } from '../world.ts';

export function registerUsers(api: Api, parts: AccessParts): void {
  const { db } = parts;
  const shown = async (name: string) => ({ body: await parts.showUser(await userNamed(db, accountName(name))) });

  api.route(endpoints.listUsers, async () => ({
    body: { items: (await listAccounts(db)).map(({ user, grants }) => showUser(user, grants)) },
    keep: true,
  }));

  api.route(endpoints.createUser, async ({ body, principal, now }, context) => {
    const user = await addAccount(parts, body, parts.actorOf(principal, context), now);
    return shown(user.name);
  });

  api.route(endpoints.getUser, ({ params }) => shown(params.user));

  api.route(endpoints.changeUser, async ({ params, body, principal, now }, context) => {
    await disableAccount(parts, params.user, body.disabled, parts.actorOf(principal, context), now);
    return shown(params.user);
  });

  api.route(endpoints.removeUser, async ({ params, principal, now }, context) => {
    await removeAccount(parts, params.user, parts.actorOf(principal, context), now);
    return {};
  });

  api.route(endpoints.setUserPassword, async ({ params, body, principal, now }, context) => {
    const change = { name: params.user, password: body.password };
    await setAccountPassword(parts, change, parts.actorOf(principal, context), now);
    return {};
  });

  api.route(endpoints.resetUserTotp, async ({ params, principal, now }, context) => {
    await resetSecondFactor(parts, params.user, parts.actorOf(principal, context), now);
    return {};
  });

  api.route(endpoints.setGrant, async ({ params, body, principal, now }, context) => {
    const grant = { name: params.user, app: params.app, role: body.role };
    await grantRole(parts, grant, parts.actorOf(principal, context), now);
    return shown(params.user);
  });

  api.route(endpoints.removeGrant, async ({ params, principal, now }, context) => {
    await revokeRole(parts, { name: params.user, app: params.app }, parts.actorOf(principal, context), now);
    return {};
  });
}
