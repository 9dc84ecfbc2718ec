/** Decisions of a second person. */
import * as endpoints from '../../../api/administration.ts';
import { type Approval, listApprovals } from '../../../catalog/approvals.ts';
import { EVERY_APP } from '../../../catalog/grants.ts';
import { userNames } from '../../../catalog/users.ts';
import type { Api, ServerContext } from '../../api.ts';
import { pageText } from '../../json.ts';
import type { Principal } from '../../principal.ts';
import { decide, expire, knownApproval } from '../approvals.ts';
import { identityOf } from '../identity.ts';
import { approvalText, showApproval } from '../views.ts';
import type { AccessParts } from '../world.ts';

interface Deciding {
  readonly params: { readonly approval: string };
  readonly principal: Principal;
  readonly now: number;
}

export function registerApprovals(api: Api, parts: AccessParts): void {
  const { catalog, db } = parts;

  api.route(endpoints.listApprovals, async ({ query: { state, cursor, limit }, principal, now }) => {
    const until = await expire(catalog, now);
    const found = await listApprovals(db, { state, before: cursor, limit: limit + 1 });
    const items = found.slice(0, limit).filter(({ app }) => principal.role(app ?? EVERY_APP) !== undefined);
    const names = await userNames(db, items.flatMap(accountsOf));
    const next = found.length > limit ? found[limit - 1]!.id : null;
    return {
      text: pageText(
        items.map((approval) => approvalText(approval, names)),
        next,
      ),
      until,
    };
  });

  api.route(endpoints.getApproval, async ({ params, principal, now }) => {
    await expire(catalog, now);
    return { body: await shown(await knownApproval(catalog, params.approval, identityOf(principal))) };
  });

  api.route(endpoints.approve, async (call, context) => ({
    body: await shown(await decided(call, context, 'approved')),
  }));

  api.route(endpoints.refuse, async (call, context) => ({
    body: await shown(await decided(call, context, 'refused')),
  }));

  api.route(endpoints.withdraw, async (call, context) => ({
    body: await shown(await decided(call, context, 'cancelled')),
  }));

  async function shown(approval: Approval) {
    return showApproval(approval, await userNames(db, accountsOf(approval)));
  }

  function decided(
    { params, principal, now }: Deciding,
    context: ServerContext,
    state: 'approved' | 'refused' | 'cancelled',
  ) {
    const { address } = parts.originOf(context);
    return decide(parts.deps, params.approval, { state, by: identityOf(principal), address, now });
  }
}

function accountsOf({ requested_by: by, decided_by: decider }: Approval): string[] {
  return decider === null ? [by] : [by, decider];
}
