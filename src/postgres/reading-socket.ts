/**
 * A socket that reads into one buffer, again and again. A buffer for each read is memory outside of the heap, and megabytes of it every
 * second make the garbage collector go through the whole heap all the time.
 */
import { Socket } from 'node:net';

const BUFFER_BYTES = 128 * 1024;

export interface ReadingSocket {
  readonly socket: Socket;
  /** From now on `data` brings views of the buffer, valid during the call; before that, copies. */
  share(): void;
}

export function readingSocket(): ReadingSocket {
  let isShared = false;
  const buffer = Buffer.allocUnsafeSlow(BUFFER_BYTES);
  const callback = (length: number): boolean => {
    const bytes = buffer.subarray(0, length);
    socket.emit('data', isShared ? bytes : Buffer.from(bytes));
    return true;
  };
  const socket: Socket = new Socket({ onread: { buffer, callback } });
  const share = () => {
    isShared = true;
  };
  return { socket, share };
}
