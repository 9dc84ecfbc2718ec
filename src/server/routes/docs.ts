/** The description of the API, for programs and as a page for people. */

import * as endpoints from '../../api/docs.ts';
import type { Api } from '../api.ts';
import { docsPage } from '../docs/page.ts';
import { STYLE } from '../docs/style.ts';
import { describeApi, type OpenApi } from '../openapi.ts';

export function registerDocs(api: Api): void {
  const { build } = api.deps;
  let made: { readonly count: number; readonly description: OpenApi; readonly page: string } | undefined;
  /** Made once, when every route is registered. */
  const described = () => {
    const count = api.endpoints.length;
    if (made?.count !== count) {
      const description = describeApi(api.endpoints, build.version);
      made = { count, description, page: docsPage(description) };
    }
    return made;
  };
  const page = (body: string, type: string) =>
    new Response(body, { headers: { 'content-type': `${type}; charset=utf-8`, 'cache-control': 'no-cache' } });

  api.route(endpoints.getDescription, async () => ({ body: described().description }));
  api.route(endpoints.getDocs, async () => page(described().page, 'text/html'));
  api.route(endpoints.getDocsStyle, async () => page(STYLE, 'text/css'));
}
