/** Trees and their nodes, for those outside this folder that read or build them. */
export { encodeNode, type TreeNode } from './format/tree.ts';
export { LocalTrees, type TreeSource } from './local-trees.ts';
