/** Tokens of one's own; administrators of all apps see and revoke those of everybody. */
import * as endpoints from '../../../api/access.ts';
import { Failure } from '../../../base/failure.ts';
import { EVERY_APP } from '../../../catalog/grants.ts';
import { findToken, listTokens } from '../../../catalog/tokens.ts';
import type { Api } from '../../api.ts';
import { mayAct, requireRole } from '../../principal.ts';
import { milliseconds } from '../../views/times.ts';
import { endToken, issueToken } from '../tokens.ts';
import { showToken } from '../views.ts';
import { type AccessParts, personOf } from '../world.ts';

export function registerTokens(api: Api, parts: AccessParts): void {
  const { catalog, db } = parts;

  api.route(endpoints.listTokens, async ({ query: { all }, principal }) => {
    if (all) requireRole(principal, EVERY_APP, 'administrator');
    const [tokens, names] = [await listTokens(db, all ? undefined : principal.id), await parts.names()];
    return { body: { items: tokens.map((token) => showToken(token, names)) } };
  });

  api.route(endpoints.createToken, async ({ body, principal, now }, context) => {
    const { name, role, apps, scopes } = body;
    const asked = {
      name,
      role,
      apps,
      scopes,
      owner: personOf(principal).user,
      expiresAt: milliseconds(body.expires_at),
    };
    const { token, record } = await issueToken(catalog, asked, parts.actorOf(principal, context), now);
    return { body: { token, record: showToken(record, await parts.names()) } };
  });

  api.route(endpoints.revokeToken, async ({ params, principal, now }, context) => {
    const token = await findToken(db, params.token);
    const own = token?.user_id === principal.id;
    if (!own && !mayAct(principal, EVERY_APP, 'administrator'))
      throw new Failure('token_unknown', 'There is no such token of yours.');
    await endToken(catalog, params.token, parts.actorOf(principal, context), now);
    return {};
  });
}
