/** Amounts of bytes as people write and read them: binary units, written as such (KiB, MiB, …). */

const UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'] as const;
const FORM = /^(\d{1,15}(?:\.\d{1,6})?) ?(B|KiB|MiB|GiB|TiB|PiB)$/;

/** A size in bytes, or undefined when `text` is not one. `16MiB`, `1.5 GiB`; the unit is needed, decimal units (MB) are not taken. */
export function parseSize(text: string): number | undefined {
  const match = FORM.exec(text);
  if (match === null) return undefined;
  const bytes = Math.round(Number(match[1]) * 1024 ** UNITS.indexOf(match[2] as (typeof UNITS)[number]));
  return Number.isSafeInteger(bytes) ? bytes : undefined;
}

/** How a size is written, for messages and help. */
export const SIZE_FORM = 'a number with a binary unit: B, KiB, MiB, GiB or TiB, such as 16MiB';

const QUOTA = /^(\d{1,15}(?:\.\d{1,6})?) ?(GB|TB|PB)$/;
const DECIMAL = { GB: 1e9, TB: 1e12, PB: 1e15 } as const;

/** An amount that somebody pays for, in bytes: as `parseSize` takes it, or in the decimal units of price lists (`500GB`, `2 TB`). */
export function parseQuota(text: string): number | undefined {
  const match = QUOTA.exec(text);
  if (match === null) return parseSize(text);
  const bytes = Math.round(Number(match[1]) * DECIMAL[match[2] as keyof typeof DECIMAL]);
  return Number.isSafeInteger(bytes) ? bytes : undefined;
}

/** For people: `0 B`, `820 B`, `1.5 KiB`, `312 MiB`. Three significant digits at least. */
export function formatBytes(bytes: number): string {
  let amount = bytes;
  let unit = 0;
  while (Math.round(amount) >= 1024 && unit < UNITS.length - 1) {
    amount /= 1024;
    unit += 1;
  }
  const digits = unit === 0 || amount >= 99.95 ? 0 : amount >= 9.995 ? 1 : 2;
  return `${amount.toFixed(digits)} ${UNITS[unit]}`;
}
