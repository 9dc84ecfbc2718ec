/** What people do with their own account: sessions, password, authenticator. */
import * as endpoints from '../../../api/access.ts';
import { Failure } from '../../../base/failure.ts';
import { appendAudit } from '../../../catalog/audit.ts';
import type { CatalogDb } from '../../../catalog/catalog.ts';
import { endSession, endSessionsOf, listSessions } from '../../../catalog/sessions.ts';
import { type User, updateUser } from '../../../catalog/users.ts';
import type { Api, ServerContext } from '../../api.ts';
import type { Principal } from '../../principal.ts';
import { setAccountPassword } from '../accounts.ts';
import { aboutTotp, newEnrolment, newRecoveryCodes, stepOf, useCode } from '../totp.ts';
import { showSession } from '../views.ts';
import { type AccessParts, personOf } from '../world.ts';

export function registerAccount(api: Api, parts: AccessParts): void {
  const { catalog, db } = parts;

  api.route(endpoints.listSessions, async ({ principal }) => {
    const { id, session } = personOf(principal);
    return { body: { items: (await listSessions(db, id)).map((each) => showSession(each, session)) } };
  });

  api.route(endpoints.endSession, async ({ principal, params, now }, context) => {
    const ended = await noted(principal, context, now, 'session.end', (transaction) =>
      endSession(transaction, { id: params.session, userId: principal.id }),
    );
    if (!ended) throw new Failure('session_unknown', 'There is no such session of yours.');
    return {};
  });

  api.route(endpoints.endOtherSessions, async ({ principal, now }, context) => {
    const { id, session } = personOf(principal);
    const ended = await noted(principal, context, now, 'session.end', (transaction) =>
      endSessionsOf(transaction, id, session.hash),
    );
    return { body: { ended } };
  });

  api.route(endpoints.changePassword, async ({ principal, body, now }, context) => {
    const { user, session } = personOf(principal);
    await requirePassword(user, body.current, context, now);
    const change = { name: user.name, password: body.new, exceptSession: session.hash };
    await setAccountPassword(parts, change, parts.actorOf(principal, context), now);
    return {};
  });

  api.route(endpoints.beginTotp, async ({ principal, body, now }, context) => {
    const { user } = personOf(principal);
    if (user.totp_secret !== null) throw new Failure('usage', 'There is an authenticator already. Remove it first.');
    await requirePassword(user, body.password, context, now);
    const enrolment = newEnrolment(user.name);
    const sealed = await parts.key.seal(enrolment.secret, aboutTotp(user));
    await noted(principal, context, now, 'totp.begin', (transaction) =>
      updateUser(transaction, user.id, { totp_pending: sealed }, now),
    );
    return { body: enrolment };
  });

  api.route(endpoints.confirmTotp, async ({ principal, body, now }, context) => {
    const { user, session } = personOf(principal);
    if (user.totp_pending === null) throw new Failure('usage', 'No authenticator is being enrolled.');
    const attempt = await parts.limits.begin(user.name, parts.originOf(context).address, now);
    const step = stepOf(await parts.key.open(user.totp_pending, aboutTotp(user)), body.code, now);
    if (step === undefined) throw wrongCode();
    await attempt.takeBack(now);
    const { codes, hashes } = newRecoveryCodes();
    await noted(principal, context, now, 'totp.enable', async (transaction) => {
      const change = { totp_secret: user.totp_pending, totp_pending: null, totp_step: step };
      await updateUser(transaction, user.id, { ...change, recovery_codes: JSON.stringify(hashes) }, now);
      await endSessionsOf(transaction, user.id, session.hash);
    });
    return { body: { recovery_codes: codes } };
  });

  api.route(endpoints.newRecoveryCodes, async ({ principal, body, now }, context) => {
    const { user } = personOf(principal);
    const { codes, hashes } = newRecoveryCodes();
    await withCode(principal, body.code, context, now, 'totp.codes', (transaction) =>
      updateUser(transaction, user.id, { recovery_codes: JSON.stringify(hashes) }, now),
    );
    return { body: { recovery_codes: codes } };
  });

  api.route(endpoints.removeTotp, async ({ principal, body, now }, context) => {
    const { user } = personOf(principal);
    await requirePassword(user, body.password, context, now);
    const change = { totp_secret: null, totp_pending: null, totp_step: null, recovery_codes: '[]' };
    await withCode(principal, body.code, context, now, 'totp.remove', (transaction) =>
      updateUser(transaction, user.id, change, now),
    );
    return {};
  });

  /** A session that was left open is not enough. Counted like a log-in. */
  async function requirePassword(user: User, password: string, context: ServerContext, now: number): Promise<void> {
    const attempt = await parts.limits.begin(user.name, parts.originOf(context).address, now);
    if (!(await parts.passwords.verify(password, user.password)))
      throw new Failure('login_refused', 'The password is wrong.');
    await attempt.takeBack(now);
  }

  async function withCode(
    principal: Principal,
    code: string,
    context: ServerContext,
    now: number,
    action: string,
    work: (transaction: CatalogDb) => Promise<void>,
  ): Promise<void> {
    const { user } = personOf(principal);
    const attempt = await parts.limits.begin(user.name, parts.originOf(context).address, now);
    const done = await catalog.transaction(async (transaction) => {
      if ((await useCode(transaction, user, { code, key: parts.key, now })) === undefined) return false;
      await work(transaction);
      await appendAudit(
        transaction,
        { ...parts.actorOf(principal, context), action, target: user.name, outcome: 'ok' },
        now,
      );
      return true;
    });
    if (!done) throw wrongCode();
    await attempt.takeBack(now);
  }

  /** The change and its entry in the audit log. */
  function noted<T>(
    principal: Principal,
    context: ServerContext,
    now: number,
    action: string,
    work: (transaction: CatalogDb) => Promise<T>,
  ): Promise<T> {
    return catalog.transaction(async (transaction) => {
      const result = await work(transaction);
      const entry = { ...parts.actorOf(principal, context), action, target: principal.name, outcome: 'ok' } as const;
      await appendAudit(transaction, entry, now);
      return result;
    });
  }
}

function wrongCode(): Failure {
  return new Failure('login_refused', 'The code is wrong, or was used before.');
}
