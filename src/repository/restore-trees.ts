/** What a restore must know of the trees it did not make. */
export { isPlainName } from './format/tree.ts';
