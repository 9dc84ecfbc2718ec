/** Trees and their nodes, for those outside this folder that read or build them. */
export { encodeNode, encodeNodeHead, type TreeNode, TreeText } from './format/tree.ts';
export { type EarlierTrees, LocalTrees, type TreeSource } from './local-trees.ts';
