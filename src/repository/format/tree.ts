/** Trees: the directories of a point, as JSON. What the rest of the repository uses of them. */
export { encodeNode, encodeNodeHead, TREE_PREFIX, TREE_SUFFIX } from './tree-encoder.ts';
export { isPlainName, type TreeNode } from './tree-node.ts';
export { parseTree, TreeParser } from './tree-parser.ts';
export { TreeText } from './tree-text.ts';
