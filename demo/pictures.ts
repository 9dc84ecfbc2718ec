/** What the clinic photographs and scans, as pictures of about a wanted size in bytes. */
import type { Colour, Picture, Spot } from './png.ts';
import type { Random } from './random.ts';

const SKINS: readonly Colour[] = [
  ...([
    [236, 200, 178],
    [222, 182, 155],
    [198, 150, 120],
    [160, 112, 84],
    [112, 76, 56],
  ] as const),
];
const LESIONS: readonly Colour[] = [
  [120, 62, 48],
  [150, 70, 66],
  [88, 52, 44],
  [176, 96, 88],
];
const GRAIN = 6;
/** Bytes that one pixel of this grain comes to, measured. */
const BYTES_PER_PIXEL = 2.42;

/** A photograph of skin with one or more lesions. */
export function skinPhoto(bytes: number, random: Random): Picture {
  const spot = (): Spot => ({
    x: 0.2 + random.next() * 0.6,
    y: 0.2 + random.next() * 0.6,
    radiusX: 0.04 + random.next() * 0.16,
    radiusY: 0.04 + random.next() * 0.16,
    colour: random.pick(LESIONS),
  });
  const spots = Array.from({ length: random.between(1, 4) }, spot);
  return { ...sizeFor(bytes, 4 / 3), ground: random.pick(SKINS), grain: GRAIN, spots };
}

/** A signature in blue ink, scanned from paper. */
export function signatureScan(bytes: number, random: Random): Picture {
  const dots = 60;
  const wave = 2 + random.next() * 3;
  const slant = random.next() * 0.2 - 0.1;
  const stroke = (_: unknown, index: number): Spot => {
    const along = index / dots;
    const height = 0.5 + Math.sin(along * wave * Math.PI * 2) * (0.3 - 0.2 * along) + slant * along;
    return { x: 0.1 + along * 0.8, y: height, radiusX: 0.014, radiusY: 0.05, colour: [26, 38, 110] };
  };
  return { ...sizeFor(bytes, 3), ground: [244, 243, 238], grain: GRAIN, spots: Array.from({ length: dots }, stroke) };
}

function sizeFor(bytes: number, aspect: number): { width: number; height: number } {
  const height = Math.max(8, Math.round(Math.sqrt(bytes / BYTES_PER_PIXEL / aspect)));
  return { width: Math.round(height * aspect), height };
}
