/** Reports of proofs, from the repository. */
import * as endpoints from '../../api/proofs.ts';
import { findProof, listProofs, proofPage, proofsOf } from '../../operations/proofs.ts';
import type { Api } from '../api.ts';
import { meantApp } from '../ask-run.ts';
import { pageResponse } from '../page.ts';
import type { Reads } from '../reads.ts';

export function registerProofs(api: Api, reads: Reads): void {
  api.route(endpoints.listProofs, async ({ query, signal }) => {
    const app = meantApp(api, query.app);
    const { of } = query;
    const reports = await reads.use(signal, (session) =>
      of === undefined ? listProofs(session, app) : proofsOf(session, app, of),
    );
    return { body: reports.map((report) => ({ ...report })) };
  });

  api.route(endpoints.getProof, async ({ params, query, signal }) => {
    const app = meantApp(api, query.app);
    return { body: { ...(await reads.use(signal, (session) => findProof(session, app, params.proof))) } };
  });

  api.route(endpoints.getProofPage, async ({ params, query, signal }) => {
    const app = meantApp(api, query.app);
    return pageResponse(proofPage(await reads.use(signal, (session) => findProof(session, app, params.proof))));
  });
}
