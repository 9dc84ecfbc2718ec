/** Restore points: the list from the catalog, one of them from the repository, changes as runs. */
import * as endpoints from '../../api/points.ts';
import { given } from '../../base/given.ts';
import { listPoints } from '../../catalog/points.ts';
import { showPoint } from '../../operations/show-point.ts';
import type { Api } from '../api.ts';
import { askRun, meantApp } from '../ask-run.ts';
import { pageText } from '../json.ts';
import type { Reads } from '../reads.ts';
import { pointText } from '../views/point.ts';
import { milliseconds } from '../views/times.ts';

export function registerPoints(api: Api, reads: Reads): void {
  const { catalog } = api.deps;

  api.route(endpoints.listPoints, async ({ query: { since, until, app, cursor, limit, pinned, proof } }) => {
    const { points, next } = await listPoints(catalog.db, {
      ...{
        limit,
        ...given('app', app),
        ...given('cursor', cursor),
        ...given('pinned', pinned),
        ...given('proof', proof),
      },
      ...given('since', milliseconds(since)),
      ...given('until', milliseconds(until)),
    });
    return { text: pageText(points.map(pointText), next) };
  });

  api.route(endpoints.getPoint, async ({ params, query, signal }) => {
    const app = meantApp(api, query.app);
    const { point, lastProof, manifest } = await reads.use(signal, (session) => showPoint(session, app, params.point));
    return {
      body: { ...point, last_proof: lastProof === undefined ? null : { ...lastProof }, manifest: { ...manifest } },
    };
  });

  api.route(endpoints.getManifest, async ({ params, query, signal }) => {
    const app = meantApp(api, query.app);
    const { manifest } = await reads.use(signal, (session) => showPoint(session, app, params.point));
    return { body: { ...manifest } };
  });

  api.route(endpoints.pinPoint, async (call) => askRun(api, call, change(call, 'pin')));
  api.route(endpoints.unpinPoint, async (call) => askRun(api, call, change(call, 'unpin')));
  api.route(endpoints.forgetPoint, async (call) => askRun(api, call, change(call, 'forget', { ...call.body })));

  function change(
    { params: { point }, query }: { readonly params: { point: string }; readonly query: { app?: string | undefined } },
    kind: string,
    more: Readonly<Record<string, unknown>> = {},
  ) {
    return { app: meantApp(api, query.app), kind, params: { point, ...more } };
  }
}
