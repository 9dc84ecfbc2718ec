/**
 * Trees to bytes, canonical: exactly what restic writes for the same nodes, for other bytes would be another blob and programs that
 * rewrite trees refuse what they cannot reproduce. A tree is `TREE_PREFIX`, its nodes joined by commas in ascending order of their
 * name's bytes, and `TREE_SUFFIX`, which ends in a newline.
 */
import { isUtf8 } from 'node:buffer';
import { goJsonString } from './go-json.ts';
import { goQuote } from './go-quote.ts';
import { formatTime } from './time.ts';
import { type ExtendedAttribute, type TreeNode, toGoMode } from './tree-node.ts';

export const TREE_PREFIX: Uint8Array = Buffer.from('{"nodes":[');
export const TREE_SUFFIX: Uint8Array = Buffer.from(']}\n');

const ID_SIZE = 32;
/** A quoted id and its comma. */
const ID_TEXT = 67;
/** Content lists up to here are put together as text, longer ones as bytes. */
const SHORT_LIST = 64;

/** The JSON of one node. */
export function encodeNode(node: TreeNode): Buffer {
  const head = encodeNodeHead(node);
  const tail = encodeTail(node);
  const { content } = node;
  if (content === undefined) return Buffer.from(`${head}null${tail}`);
  if (content.length <= SHORT_LIST * ID_SIZE) return Buffer.from(`${head}[${shortList(content)}]${tail}`);
  return Buffer.concat([Buffer.from(`${head}[`), longList(content), Buffer.from(`]${tail}`)]);
}

/** The JSON of a node up to its content: of a file, everything but the list of its blobs and the closing brace. */
export function encodeNodeHead(node: TreeNode): string {
  const mode = toGoMode(node.type, node.mode);
  const mtime = formatTime(node.mtimeNs);
  const atime = node.atimeNs === node.mtimeNs ? mtime : formatTime(node.atimeNs);
  const ctime = node.ctimeNs === node.mtimeNs ? mtime : formatTime(node.ctimeNs);
  let json = `{"name":${goJsonString(goQuote(node.name))},"type":"${node.type}"`;
  if (mode !== 0) json += `,"mode":${mode}`;
  json += `,"mtime":"${mtime}","atime":"${atime}","ctime":"${ctime}","uid":${node.uid},"gid":${node.gid}`;
  if (node.user) json += `,"user":${goJsonString(node.user)}`;
  if (node.group) json += `,"group":${goJsonString(node.group)}`;
  if (node.inode !== 0n) json += `,"inode":${node.inode}`;
  if (node.deviceId !== 0n) json += `,"device_id":${node.deviceId}`;
  if (node.size !== 0) json += `,"size":${node.size}`;
  if (node.links !== 0) json += `,"links":${node.links}`;
  if (node.linkTarget !== undefined && node.linkTarget.length > 0) json += encodeLinkTarget(node.linkTarget);
  if (node.xattrs !== undefined && node.xattrs.length > 0) json += encodeXattrs(node.xattrs);
  if (node.genericAttributes !== undefined) json += `,"generic_attributes":${node.genericAttributes}`;
  if (node.device) json += `,"device":${node.device}`;
  return `${json},"content":`;
}

function encodeTail(node: TreeNode): string {
  if (node.subtree === undefined && node.error === undefined) return '}';
  const subtree = node.subtree === undefined ? '' : `,"subtree":"${node.subtree}"`;
  return `${subtree}${node.error ? `,"error":${goJsonString(node.error)}` : ''}}`;
}

/** A target that is not UTF-8 is written twice: for older readers with replacement characters, and whole as base64. */
function encodeLinkTarget(target: Buffer): string {
  if (isUtf8(target)) return `,"linktarget":${goJsonString(target.toString())}`;
  return `,"linktarget":${goJsonString(lossyText(target))},"linktarget_raw":"${target.toString('base64')}"`;
}

/** Text in which every byte that is not part of valid UTF-8 is a lone surrogate, which `goJsonString` writes as `\ufffd`. */
function lossyText(bytes: Buffer): string {
  let text = '';
  for (let at = 0; at < bytes.length; ) {
    const size = [1, 2, 3, 4].find((length) => at + length <= bytes.length && isUtf8(bytes.subarray(at, at + length)));
    text += size === undefined ? '\ud800' : bytes.toString('utf8', at, at + size);
    at += size ?? 1;
  }
  return text;
}

function encodeXattrs(xattrs: readonly ExtendedAttribute[]): string {
  const items = xattrs.map(({ name, value }) => {
    const base64 = Buffer.from(value.buffer, value.byteOffset, value.length).toString('base64');
    return `{"name":${goJsonString(name)},"value":"${base64}"}`;
  });
  return `,"extended_attributes":[${items.join(',')}]`;
}

function shortList(content: Uint8Array): string {
  if (content.length === 0) return '';
  const hex = Buffer.from(content.buffer, content.byteOffset, content.length).toString('hex');
  let list = `"${hex.slice(0, 64)}"`;
  for (let at = 64; at < hex.length; at += 64) list += `,"${hex.slice(at, at + 64)}"`;
  return list;
}

function longList(content: Uint8Array): Buffer {
  const ids = Buffer.from(content.buffer, content.byteOffset, content.length);
  const list = Buffer.allocUnsafe((ids.length / ID_SIZE) * ID_TEXT - 1);
  for (let from = 0, at = 0; from < ids.length; from += ID_SIZE, at += ID_TEXT) {
    if (at > 0) list[at - 1] = 0x2c;
    list[at] = 0x22;
    list.write(ids.toString('hex', from, from + ID_SIZE), at + 1, 'latin1');
    list[at + 65] = 0x22;
  }
  return list;
}
