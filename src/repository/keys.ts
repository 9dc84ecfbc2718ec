/** Object keys of the repository layout, and what each kind of object is called. */
import { type Id, isId } from '../base/ids.ts';

export type FlatKind = 'index' | 'keys' | 'locks' | 'snapshots';
export type ObjectKind = FlatKind | 'data';

export const CONFIG_KEY = 'config';

export function objectKey(kind: ObjectKind, id: Id): string {
  return kind === 'data' ? `data/${id.slice(0, 2)}/${id}` : `${kind}/${id}`;
}

/** The id at the end of a key, or undefined for names that are not ids: those are never ours. */
export function idOfKey(key: string): Id | undefined {
  const name = key.slice(key.lastIndexOf('/') + 1);
  return isId(name) ? name : undefined;
}
