/** The catalog for the length of one piece of work. */
import { type Catalog, type CatalogPlace, openCatalog } from '../catalog/catalog.ts';

export async function withCatalog<T>(place: CatalogPlace, work: (catalog: Catalog) => Promise<T>): Promise<T> {
  await using catalog = await openCatalog(place);
  return await work(catalog);
}
