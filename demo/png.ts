/**
 * Writes PNG images of things a clinic keeps: photographs of skin, signatures on paper. Real images, quickly made.
 *
 * The pixels are smooth shapes under noise, unfiltered and only Huffman-coded: nearly as incompressible as a photograph for whoever
 * stores it, and quick to make.
 */
import { constants, crc32, deflateSync } from 'node:zlib';
import type { Random } from './random.ts';

/** Red, green, blue; 0 to 255. */
export type Colour = readonly [red: number, green: number, blue: number];

export interface Picture {
  readonly width: number;
  readonly height: number;
  /** Colour in the middle of the picture; it gets darker towards the corners. */
  readonly ground: Colour;
  /** Strength of the noise, in brightness steps to each side. */
  readonly grain: number;
  /** Ellipses that take up another colour, softly towards their edge. Positions and radii as parts of the picture's size. */
  readonly spots: readonly Spot[];
}

export interface Spot {
  readonly x: number;
  readonly y: number;
  readonly radiusX: number;
  readonly radiusY: number;
  readonly colour: Colour;
}

const SIGNATURE = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
const FILTER_NONE = 0;

/** The picture as a PNG file: RGB, eight bits a channel. */
export function encodePng(picture: Picture, random: Random): Buffer {
  const header = Buffer.alloc(13);
  header.writeUInt32BE(picture.width, 0);
  header.writeUInt32BE(picture.height, 4);
  header[8] = 8; // bits a channel
  header[9] = 2; // RGB
  const data = encodePixels(picture, random);
  return Buffer.concat([SIGNATURE, chunk('IHDR', header), chunk('IDAT', data), chunk('IEND', Buffer.alloc(0))]);
}

/** The picture's pixels as PNG's `IDAT` holds them, which is also what PDF calls FlateDecode with predictor 15. */
export function encodePixels(picture: Picture, random: Random): Buffer {
  const { width, height } = picture;
  const stride = width * 3;
  const rows = new Uint8ClampedArray((stride + 1) * height);
  const noise = noiseFor(picture, random);
  for (let y = 0; y < height; y++) {
    const start = y * (stride + 1);
    rows[start] = FILTER_NONE;
    paintRow(rows.subarray(start + 1, start + 1 + stride), y, picture, noise, random.between(0, noise.length - stride));
  }
  return deflateSync(rows, { level: 1, strategy: constants.Z_HUFFMAN_ONLY, memLevel: 9, chunkSize: 1 << 20 });
}

/** A stock of noise, from which each row takes a stretch of its own. */
function noiseFor({ width, grain }: Picture, random: Random): Int8Array {
  const raw = new Uint8Array(width * 12);
  random.fill(raw);
  return Int8Array.from(raw, (value) => Math.floor((value * (2 * grain + 1)) / 256) - grain);
}

function paintRow(row: Uint8ClampedArray, y: number, picture: Picture, noise: Int8Array, from: number): void {
  const { width, height, ground, spots } = picture;
  const v = (y / height) * 2 - 1;
  const crossed = spots.filter((spot) => Math.abs(y / height - spot.y) < spot.radiusY);
  for (let x = 0, at = 0; x < width; x++, at += 3) {
    const u = (x / width) * 2 - 1;
    const light = 1 - 0.14 * (u * u + v * v);
    let red = ground[0] * light;
    let green = ground[1] * light;
    let blue = ground[2] * light;
    for (const spot of crossed) {
      const dx = (x / width - spot.x) / spot.radiusX;
      const dy = (y / height - spot.y) / spot.radiusY;
      const share = 1 - (dx * dx + dy * dy);
      if (share <= 0) continue;
      red += (spot.colour[0] - red) * share;
      green += (spot.colour[1] - green) * share;
      blue += (spot.colour[2] - blue) * share;
    }
    row[at] = red + noise[from + at]!;
    row[at + 1] = green + noise[from + at + 1]!;
    row[at + 2] = blue + noise[from + at + 2]!;
  }
}

function chunk(type: string, data: Buffer): Buffer {
  const out = Buffer.allocUnsafe(data.length + 12);
  out.writeUInt32BE(data.length, 0);
  out.write(type, 4, 'latin1');
  data.copy(out, 8);
  out.writeUInt32BE(crc32(out.subarray(4, data.length + 8)), data.length + 8);
  return out;
}
