/** Colours and weights for a terminal; the plain style returns its text unchanged. */

export interface Style {
  bold(text: string): string;
  dim(text: string): string;
  red(text: string): string;
  green(text: string): string;
  yellow(text: string): string;
}

const sgr = (open: number, close: number) => (text: string) => `\u001b[${open}m${text}\u001b[${close}m`;
const same = (text: string) => text;

export const plainStyle: Style = { bold: same, dim: same, red: same, green: same, yellow: same };

const colourStyle: Style = {
  bold: sgr(1, 22),
  dim: sgr(2, 22),
  red: sgr(31, 39),
  green: sgr(32, 39),
  yellow: sgr(33, 39),
};

/** Colours only on a terminal that has them, and never where `NO_COLOR` is set (https://no-color.org) or `--no-color` is given. */
export function pickStyle(
  stream: { readonly isTTY?: boolean | undefined },
  env: Readonly<Record<string, string | undefined>>,
  allowed: boolean,
): Style {
  const colours = allowed && stream.isTTY === true && !env.NO_COLOR && env.TERM !== 'dumb';
  return colours ? colourStyle : plainStyle;
}
