/** Writes WAL as the server does, for tests: segments of 1 MiB, PostgreSQL 17. */
import { crc32c } from '../../src/base/crc32c.ts';

export const MIB = 1024 * 1024;
export const PAGE = 8192;
export const START = 0x1_0000_0000n + BigInt(3 * MIB);
const EPOCH = 946_684_800_000_000n;

export class LogWriter {
  readonly bytes = Buffer.alloc(3 * MIB);
  at = 0;
  previous = 0n;

  /** Appends a record; the position of its first byte. */
  record(manager: number, info: number, xid: number, main: Uint8Array, most = Number.POSITIVE_INFINITY): bigint {
    const short = main.length < 256;
    const total = 24 + (short ? 2 : 5) + main.length;
    const record = Buffer.alloc(total);
    record.writeUInt32LE(total, 0);
    record.writeUInt32LE(xid, 4);
    record.writeBigUInt64LE(this.previous, 8);
    record[16] = info;
    record[17] = manager;
    record[24] = short ? 255 : 254;
    if (short) record[25] = main.length;
    else record.writeUInt32LE(main.length, 25);
    record.set(main, short ? 26 : 29);
    record.writeUInt32LE(crc32c(record.subarray(0, 20), crc32c(record.subarray(24))), 20);
    this.#header(0, 0);
    const start = START + BigInt(this.at);
    this.#write(record.subarray(0, most));
    this.at += (8 - (this.at % 8)) % 8;
    if (most >= total) this.previous = start;
    return start;
  }

  commit(xid: number, time: bigint): bigint {
    const main = Buffer.alloc(8);
    main.writeBigInt64LE(time - EPOCH);
    return this.record(1, 0, xid, main);
  }

  /** Goes on at the next page, as after a crash in the middle of a record. */
  nextPage(flags: number): void {
    this.at += (PAGE - (this.at % PAGE)) % PAGE;
    this.#header(flags, 0);
  }

  #write(record: Uint8Array): void {
    for (let from = 0; from < record.length; ) {
      this.#header(1, record.length - from);
      const length = Math.min(record.length - from, PAGE - (this.at % PAGE));
      this.bytes.set(record.subarray(from, from + length), this.at);
      this.at += length;
      from += length;
    }
  }

  #header(flags: number, remaining: number): void {
    if (this.at % PAGE !== 0) return;
    const isFirst = this.at % MIB === 0;
    this.bytes.writeUInt16LE(0xd116, this.at);
    this.bytes.writeUInt16LE(flags | (isFirst ? 2 : 0), this.at + 2);
    this.bytes.writeUInt32LE(1, this.at + 4);
    this.bytes.writeBigUInt64LE(START + BigInt(this.at), this.at + 8);
    this.bytes.writeUInt32LE(remaining, this.at + 16);
    if (isFirst) {
      this.bytes.writeBigUInt64LE(7_000_000_000_000_000_123n, this.at + 24);
      this.bytes.writeUInt32LE(MIB, this.at + 32);
      this.bytes.writeUInt32LE(PAGE, this.at + 36);
    }
    this.at += isFirst ? 40 : 24;
  }
}
