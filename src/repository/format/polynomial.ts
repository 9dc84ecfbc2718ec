/** Irreducible polynomials over GF(2), as bit patterns: bit i is the coefficient of x^i. */
import { randomBytes } from 'node:crypto';

/** A prime, which makes the irreducibility test short. */
const DEGREE = 53;

/** A random irreducible polynomial of degree 53; one in about 27 candidates is. */
export function randomPolynomial(): bigint {
  for (;;) {
    const drawn = randomBytes(8).readBigUInt64LE() & ((1n << BigInt(DEGREE)) - 1n);
    const candidate = drawn | (1n << BigInt(DEGREE)) | 1n;
    if (isIrreducible(candidate)) return candidate;
  }
}

/**
 * Rabin's test for a polynomial `f` of degree 53: x^(2^53) = x (mod f) says that every factor's degree divides 53, so it is 1 or 53;
 * f(0) = f(1) = 1 says that none has degree 1.
 */
export function isIrreducible(f: bigint): boolean {
  if (f >> BigInt(DEGREE) !== 1n) return false;
  if ((f & 1n) === 0n || bitCount(f) % 2 === 0) return false;
  let power = 2n;
  for (let i = 0; i < DEGREE; i++) power = squareModulo(power, f);
  return power === 2n;
}

function squareModulo(a: bigint, f: bigint): bigint {
  let square = 0n;
  for (let bit = 0n; bit < BigInt(DEGREE); bit++) if ((a >> bit) & 1n) square |= 1n << (2n * bit);
  for (let bit = BigInt(2 * DEGREE - 2); bit >= BigInt(DEGREE); bit--) {
    if ((square >> bit) & 1n) square ^= f << (bit - BigInt(DEGREE));
  }
  return square;
}

function bitCount(value: bigint): number {
  return value.toString(2).replaceAll('0', '').length;
}
