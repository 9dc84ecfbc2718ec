/** The records of a pax extended header: `LENGTH KEY=VALUE\n`, LENGTH counting the whole record in bytes. */
import { badTar } from './header.ts';

export function parsePax(content: Buffer): Readonly<Record<string, string>> {
  const records = new Map<string, string>();
  let at = 0;
  while (at < content.length) {
    const space = content.indexOf(0x20, at);
    const digits = space < 0 ? '' : content.toString('latin1', at, space);
    const end = at + Number(digits);
    if (!/^\d{1,7}$/.test(digits) || end > content.length || end <= space + 1 || content[end - 1] !== 0x0a) {
      throw badTar('pax header');
    }
    const record = content.toString('utf8', space + 1, end - 1);
    const equals = record.indexOf('=');
    if (equals < 1) throw badTar('pax header');
    records.set(record.slice(0, equals), record.slice(equals + 1));
    at = end;
  }
  return Object.fromEntries(records);
}
